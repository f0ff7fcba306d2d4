/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "base/fail.h"
#include "codec/base64.h"
#include "model/classic_parts.h"
#include "json/stream.h"
#include <stdlib.h>
#include <string.h>

/* One content is hashed as a whole and, from its second piece on, by pieces: the digest of the first piece is the state
 * of the whole at its end. */
struct bt_classic_decoder {
	struct bt_hasher *whole, *later;
	unsigned char *plain;
	struct bt_classic_content content;
	struct bt_classic_piece piece;
	char carry[4];
	size_t carried;
	bool padded; /* nothing may follow */
};

struct bt_classic_decoder *bt_classic_decoder_new(void)
{
	struct bt_classic_decoder *decoder = calloc(1, sizeof(*decoder));

	if (!decoder)
		return NULL;
	decoder->whole = bt_hasher_new();
	decoder->later = bt_hasher_new();
	decoder->plain = malloc(BT_STREAM_BUFFER / 4 * 3);
	if (decoder->whole && decoder->later && decoder->plain)
		return decoder;
	bt_classic_decoder_free(decoder);
	return NULL;
}

void bt_classic_decoder_free(struct bt_classic_decoder *decoder)
{
	if (!decoder)
		return;
	if (decoder->whole)
		bt_hasher_free(decoder->whole);
	if (decoder->later)
		bt_hasher_free(decoder->later);
	free(decoder->plain);
	free(decoder);
}

static int no_memory(struct bt_classic *classic)
{
	return bt_fail(classic->error, BT_E_NOMEM, classic->name, "read");
}

/* Text that is not Base64 makes the content wrong. A value that is not a string, or has escapes, makes the file wrong,
 * since blocks are read directly from their place in the file. */
static int check_text(struct bt_stream *stream, const char *text, size_t length, uint64_t at)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\\')
			return bt_stream_fail_at(stream, BT_R_BAD_ESCAPE, at + i);
		if ((unsigned char)text[i] < 0x20)
			return bt_stream_fail_at(stream, BT_R_NOT_JSON, at + i);
	}
	return 0;
}

static int end_piece(struct bt_classic_decoder *decoder, struct bt_classic *classic)
{
	struct bt_classic_piece *piece = &decoder->piece;

	if (!piece->size)
		return 0;
	int r = decoder->content.piece_count ? bt_hasher_finish(decoder->later, &piece->digest)
					     : bt_hasher_peek(decoder->whole, &piece->digest);
	if (r || bt_buf_append(&classic->pieces, piece, sizeof(*piece)))
		return no_memory(classic);
	classic->piece_count++;
	decoder->content.piece_count++;
	decoder->content.size += piece->size;
	*piece = (struct bt_classic_piece){.at = piece->at + piece->length};
	bt_hasher_start(decoder->later);
	return 0;
}

/* Whole groups of four that lie in one piece; at: where they stand in the file. */
static int decode_groups(struct bt_classic_decoder *decoder, struct bt_classic *classic, struct bt_stream *stream,
			 const char *text, size_t length, uint64_t at)
{
	size_t size;

	if (decoder->content.wrong || decoder->padded || !bt_base64_decode(decoder->plain, &size, text, length, NULL)) {
		decoder->content.wrong = true;
		return check_text(stream, text, length, at);
	}
	decoder->padded = size < length / 4 * 3;
	bt_hasher_add(decoder->whole, decoder->plain, size);
	if (decoder->content.piece_count)
		bt_hasher_add(decoder->later, decoder->plain, size);
	decoder->piece.length += (uint32_t)length;
	decoder->piece.size += (uint32_t)size;
	return decoder->piece.length == BT_CLASSIC_PIECE_TEXT ? end_piece(decoder, classic) : 0;
}

/* A run of any length, which ends where *stream stands. */
static int decode_run(struct bt_classic_decoder *decoder, struct bt_classic *classic, struct bt_stream *stream,
		      const char *run, size_t length, uint64_t at)
{
	int r = 0;

	while (!r && length) {
		size_t taken = BT_CLASSIC_PIECE_TEXT - decoder->piece.length;

		if (decoder->carried || length < 4) {
			taken = 4 - decoder->carried < length ? 4 - decoder->carried : length;
			memcpy(decoder->carry + decoder->carried, run, taken);
			decoder->carried += taken;
			if (decoder->carried == 4) {
				decoder->carried = 0;
				r = decode_groups(decoder, classic, stream, decoder->carry, 4, at + taken - 4);
			}
		} else {
			taken = (taken < length ? taken : length) & ~(size_t)3;
			r = decode_groups(decoder, classic, stream, run, taken, at);
		}
		run += taken;
		length -= taken;
		at += taken;
	}
	return r;
}

static int decode_text(struct bt_classic_decoder *decoder, struct bt_classic *classic, struct bt_stream *stream)
{
	bool last = false;
	int r = 0;

	while (!r && !last) {
		const char *run;
		size_t length;

		r = bt_classic_cancelled(classic);
		if (!r)
			r = bt_stream_run(stream, &run, &length, &last);
		if (!r)
			r = decode_run(decoder, classic, stream, run, length,
				       bt_stream_tell(stream) - length - (last ? 1 : 0));
	}
	if (r || !decoder->carried)
		return r;
	decoder->content.wrong = true;
	return check_text(stream, decoder->carry, decoder->carried, bt_stream_tell(stream) - 1 - decoder->carried);
}

int bt_classic_decode(struct bt_classic_decoder *decoder, struct bt_classic *classic, struct bt_stream *stream,
		      const struct bt_digest *digest)
{
	struct bt_digest found;
	uint64_t at = bt_stream_tell(stream);

	decoder->content =
		(struct bt_classic_content){.digest = *digest, .at = at, .first_piece = classic->piece_count};
	decoder->piece = (struct bt_classic_piece){.at = at};
	decoder->carried = 0;
	decoder->padded = false;
	bt_hasher_start(decoder->whole);
	bt_hasher_start(decoder->later);
	int r = decode_text(decoder, classic, stream);
	if (!r)
		r = end_piece(decoder, classic);
	if (!r && bt_hasher_finish(decoder->whole, &found))
		r = no_memory(classic);
	if (r)
		return r;
	struct bt_classic_content *content = &decoder->content;
	if (content->wrong || !bt_digest_equal(&found, digest)) {
		content->wrong = true;
		classic->piece_count = content->first_piece;
		classic->pieces.length = content->first_piece * sizeof(struct bt_classic_piece);
		content->piece_count = 0;
	}
	if (bt_buf_append(&classic->contents, content, sizeof(*content)))
		return no_memory(classic);
	classic->content_count++;
	return 0;
}
