/* SPDX-License-Identifier: MIT */
#include "pack/transfer.h"
#include "base/bytes.h"
#include "base/fail.h"
#include "codec/frame.h"
#include "codec/hash.h"
#include <errno.h>
#include <stdlib.h>

#define WHAT "copy the needed contents"

struct bt_transfer {
	struct bt_transfer_options options;
	struct bt_decompressor *decompressor; /* these three only to verify */
	struct bt_hasher *hasher;
	struct bt_buf plain;
	struct bt_file *file;  /* the one being copied */
	struct bt_buf text;    /* scratch */
	struct bt_buf held;    /* struct bt_held: the contents of the block being visited */
	struct bt_block block; /* that one */
	struct bt_digest_sets copied;
	struct bt_error *error;
};

static int failed(const struct bt_transfer *transfer, int r)
{
	return bt_fail(transfer->error, (enum bt_code)r, NULL, WHAT);
}

static int note_copied(struct bt_transfer *transfer, const struct bt_held *held, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (bt_digest_set_add(&transfer->copied.of[0], &held[i].digest) < 0)
			return failed(transfer, BT_E_NOMEM);
	return 0;
}

static int read_text(struct bt_transfer *transfer, uint64_t at, uint32_t length)
{
	transfer->text.length = 0;
	if (bt_buf_reserve(&transfer->text, length))
		return failed(transfer, BT_E_NOMEM);
	return bt_file_pread(transfer->file, transfer->text.data, length, at, transfer->error);
}

static int find_xxh3(const struct bt_transfer *transfer, struct bt_block_text *text)
{
	int r = bt_xxh3_of_base64(text->text, text->length, &text->xxh3);

	if (r == BT_E_DAMAGED)
		return bt_fail_damaged(transfer->error, BT_R_BAD_BASE64, bt_file_name(transfer->file),
				       transfer->block.at);
	return r ? failed(transfer, r) : 0;
}

/* The digest of the frame is the one that the old file states, so that damage still shows. Drafts have none. */
static int put_text(struct bt_transfer *transfer, const struct bt_held *held, size_t count)
{
	const struct bt_block *block = &transfer->block;
	struct bt_block_text text = {(const char *)transfer->text.data, block->length, block->xxh3};
	int r = block->has_xxh3 ? 0 : find_xxh3(transfer, &text);

	if (!r)
		r = bt_pack_block(transfer->options.pack, &text, held, count, transfer->error);
	return r ? r : note_copied(transfer, held, count);
}

/* BT_E_DAMAGED: a content has another digest. */
static int compare_digests(struct bt_transfer *transfer, const struct bt_held *held, size_t count)
{
	const unsigned char *data = transfer->plain.data;
	struct bt_digest digest;

	for (size_t i = 0; i < count; i++) {
		if (bt_hasher_digest(transfer->hasher, data, held[i].size, &digest))
			return BT_E_NOMEM;
		if (!bt_digest_equal(&digest, &held[i].digest))
			return BT_E_DAMAGED;
		data += held[i].size;
	}
	return 0;
}

/* Reads the text, and decodes it to compare its contents with their digests. */
static int read_sound_text(struct bt_transfer *transfer, const struct bt_held *held, size_t count, bool *ret_sound)
{
	struct bt_error damage = {0};
	int r;

	transfer->plain.length = 0;
	if (bt_buf_reserve(&transfer->plain, transfer->block.size))
		return failed(transfer, BT_E_NOMEM);
	r = bt_file_block(transfer->file, &transfer->block, transfer->decompressor, &transfer->text,
			  transfer->plain.data, &damage);
	if (!r)
		r = compare_digests(transfer, held, count);
	*ret_sound = !r;
	if (!r || r == BT_E_DAMAGED || (r == BT_E_SYSTEM && damage.sys == EIO))
		return 0;
	return damage.code ? bt_error_pass(transfer->error, &damage, r) : failed(transfer, r);
}

static int repack(struct bt_transfer *transfer, const struct bt_held *held)
{
	struct bt_pin pin;
	int r = bt_store_pin(transfer->options.from, &held->digest, held->size, 0, &pin, transfer->error);

	if (r)
		return r;
	r = bt_pack_moved(transfer->options.pack, held, pin.data, transfer->error);
	bt_store_unpin(transfer->options.from, &pin);
	return r ? failed(transfer, r) : note_copied(transfer, held, 1);
}

static bool wants(const struct bt_transfer *transfer, const struct bt_held *held)
{
	return transfer->options.wants_content(transfer->options.arg, &held->digest);
}

static int repack_wanted(struct bt_transfer *transfer, const struct bt_held *held, size_t count)
{
	int r = 0;

	for (size_t i = 0; i < count && !r; i++)
		if (wants(transfer, &held[i]))
			r = repack(transfer, &held[i]);
	return r;
}

static int copy_text(struct bt_transfer *transfer, const struct bt_held *held, size_t count)
{
	bool sound = true;
	int r = transfer->options.verify ? read_sound_text(transfer, held, count, &sound)
					 : read_text(transfer, transfer->block.at, transfer->block.length);

	if (r)
		return r;
	return sound ? put_text(transfer, held, count) : repack_wanted(transfer, held, count);
}

/* A block of version 1 is not a frame. */
static bool stays_text(const struct bt_transfer *transfer, uint64_t living)
{
	return !transfer->options.recompress && !transfer->block.plain &&
	       bt_transfer_as_text(&transfer->block, living, transfer->options.percent);
}

static int end_block(struct bt_transfer *transfer)
{
	const struct bt_held *held = (const struct bt_held *)transfer->held.data;
	const struct bt_transfer_options *options = &transfer->options;
	size_t count = transfer->held.length / sizeof(*held);
	uint64_t live = 0;
	int r;

	transfer->held.length = 0;
	for (size_t i = 0; i < count; i++)
		live += wants(transfer, &held[i]) ? held[i].size : 0;
	if (!live)
		return 0;
	r = options->step(options->arg, bt_file_name(transfer->file), &transfer->block, live, transfer->error);
	if (r)
		return r;
	return stays_text(transfer, bt_transfer_living(&transfer->block, live)) ? copy_text(transfer, held, count)
										: repack_wanted(transfer, held, count);
}

static int copy_content(void *arg, const struct bt_block *block, const struct bt_digest *digest, uint32_t offset,
			uint32_t size)
{
	struct bt_transfer *transfer = arg;
	struct bt_held held = {*digest, size};
	int r = 0;

	if (transfer->held.length && block->at != transfer->block.at)
		r = end_block(transfer);
	transfer->block = *block;
	if (!r && bt_buf_append(&transfer->held, &held, sizeof(held)))
		r = failed(transfer, BT_E_NOMEM);
	return r;
}

static int put_page(struct bt_transfer *transfer, const struct bt_buf *line, const struct bt_digest *id)
{
	int r = bt_pack_moved_page(transfer->options.pack, (const char *)line->data, line->length, id, transfer->error);

	if (!r && bt_digest_set_add(&transfer->copied.of[1], id) < 0)
		r = failed(transfer, BT_E_NOMEM);
	return r;
}

static int copy_page(void *arg, const struct bt_digest *id, uint64_t at, uint32_t length)
{
	struct bt_transfer *transfer = arg;
	const struct bt_transfer_options *options = &transfer->options;
	int r;

	if (!options->wants_page(options->arg, id))
		return 0;
	r = options->step(options->arg, bt_file_name(transfer->file), NULL, 0, transfer->error);
	if (r)
		return r;
	if (options->verify)
		return bt_transfer_page(transfer, id, transfer->error);
	r = read_text(transfer, at, length);
	transfer->text.length = length;
	return r ? r : put_page(transfer, &transfer->text, id);
}

int bt_transfer_file(struct bt_transfer *transfer, uint32_t ordinal, struct bt_error *error)
{
	struct bt_index_visitor visitor = {transfer, copy_content, copy_page};
	int r = bt_store_file(transfer->options.from, ordinal, &transfer->file, error);

	transfer->error = error;
	transfer->held.length = 0;
	if (!r)
		r = bt_file_visit(transfer->file, &visitor, error);
	return r ? r : end_block(transfer);
}

int bt_transfer_content(struct bt_transfer *transfer, const struct bt_held *content, struct bt_error *error)
{
	transfer->error = error;
	return repack(transfer, content);
}

int bt_transfer_page(struct bt_transfer *transfer, const struct bt_digest *id, struct bt_error *error)
{
	struct bt_location place;

	transfer->error = error;
	transfer->text.length = 0;
	int r = bt_store_page(transfer->options.from, NULL, id, &transfer->text, &place, error);
	return r ? r : put_page(transfer, &transfer->text, id);
}

struct bt_digest_sets *bt_transfer_copied(struct bt_transfer *transfer)
{
	return &transfer->copied;
}

uint64_t bt_transfer_living(const struct bt_block *block, uint64_t live)
{
	uint64_t living = (uint64_t)block->length * live / block->size;

	return live && !living ? 1 : living;
}

bool bt_transfer_as_text(const struct bt_block *block, uint64_t living, unsigned percent)
{
	return living && (block->length - living) * 100 <= (uint64_t)block->length * percent;
}

int bt_transfer_new(const struct bt_transfer_options *options, struct bt_transfer **ret_transfer,
		    struct bt_error *error)
{
	struct bt_transfer *transfer = calloc(1, sizeof(*transfer));

	if (!transfer)
		return bt_fail(error, BT_E_NOMEM, NULL, WHAT);
	transfer->options = *options;
	transfer->error = error;
	if (options->verify) {
		transfer->decompressor = bt_decompressor_new();
		transfer->hasher = bt_hasher_new();
	}
	if (options->verify && (!transfer->decompressor || !transfer->hasher)) {
		bt_transfer_free(transfer);
		return bt_fail(error, BT_E_NOMEM, NULL, WHAT);
	}
	*ret_transfer = transfer;
	return 0;
}

void bt_transfer_free(struct bt_transfer *transfer)
{
	if (!transfer)
		return;
	bt_decompressor_free(transfer->decompressor);
	bt_hasher_free(transfer->hasher);
	bt_buf_free(&transfer->plain);
	bt_buf_free(&transfer->text);
	bt_buf_free(&transfer->held);
	bt_digest_sets_free(&transfer->copied);
	free(transfer);
}
