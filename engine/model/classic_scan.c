/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "base/fail.h"
#include "model/classic_parts.h"
#include "json/stream.h"
#include <internal/policy.h>
#include <stdio.h>
#include <string.h>

#define KEY_MAX ((size_t)64 << 10)

struct scan {
	struct bt_classic *classic;
	struct bt_stream stream;
	struct bt_buf key, value;
	struct bt_classic_decoder *decoder;
};

static int no_memory(struct scan *scan)
{
	return bt_fail(scan->classic->error, BT_E_NOMEM, scan->classic->name, "read");
}

/* The value must begin with this bracket or quote, which is taken. */
static int open_value(struct scan *scan, char open)
{
	int byte, r = bt_stream_peek(&scan->stream, &byte);

	if (r)
		return r;
	if (byte == open) {
		scan->stream.at++;
		return 0;
	}
	return bt_stream_fail(&scan->stream, strchr("{[\"-0123456789tfn", byte) ? BT_R_WRONG_TYPE : BT_R_NOT_JSON);
}

/* A string value into scan->value. */
static int string_value(struct scan *scan, size_t max)
{
	int r = open_value(scan, '"');

	if (r)
		return r;
	scan->stream.at--;
	scan->value.length = 0;
	return bt_stream_string(&scan->stream, &scan->value, max);
}

static bool digest_of(const struct bt_buf *text, struct bt_digest *ret_digest)
{
	return text->length == 64 && bt_hex_decode(ret_digest->bytes, 32, (const char *)text->data);
}

static int read_timestamp(struct scan *scan)
{
	char name[64];
	unsigned clash;
	int byte, r = bt_stream_peek(&scan->stream, &byte);
	uint64_t at = bt_stream_tell(&scan->stream);

	if (!r)
		r = string_value(scan, KEY_MAX);
	if (r)
		return r;
	/* Local time, as in the name of the file. */
	if (scan->value.length != strlen("2024-12-01T10-00-00"))
		return bt_stream_fail_at(&scan->stream, BT_R_BAD_TIME, at);
	snprintf(name, sizeof(name), "snapshot_%.19s.json", (const char *)scan->value.data);
	if (bt_snapshot_name_parse(name, &scan->classic->time.seconds, &clash))
		return bt_stream_fail_at(&scan->stream, BT_R_BAD_TIME, at);
	return 0;
}

static int add_path(struct scan *scan, uint64_t at, const struct bt_digest *digest)
{
	struct bt_classic *classic = scan->classic;

	if (memchr(scan->key.data, 0, scan->key.length))
		return bt_stream_fail_at(&scan->stream, BT_R_BAD_NAME, at);
	struct bt_classic_path path = {.length = (uint32_t)scan->key.length, .at = at, .digest = *digest};
	path.bytes = bt_arena_copy(&classic->arena, scan->key.data, scan->key.length);
	if (!path.bytes || bt_buf_append(&classic->paths, &path, sizeof(path)))
		return no_memory(scan);
	classic->path_count++;
	return 0;
}

static int read_files(struct scan *scan)
{
	bool first = true, more;
	uint64_t at;
	struct bt_digest digest;
	int r = open_value(scan, '{');

	while (!r) {
		r = bt_classic_cancelled(scan->classic);
		if (!r)
			r = bt_stream_member(&scan->stream, &first, &scan->key, BT_CLASSIC_PATH_MAX, &at, &more);
		if (r || !more)
			return r;
		/* An empty buffer may have no memory, and the path is taken from it. */
		if (!scan->key.length)
			return bt_stream_fail_at(&scan->stream, BT_R_BAD_NAME, at);
		r = string_value(scan, KEY_MAX);
		if (!r && !digest_of(&scan->value, &digest))
			r = bt_stream_fail(&scan->stream, BT_R_BAD_DIGEST);
		if (!r)
			r = add_path(scan, at, &digest);
	}
	return r;
}

static int read_contents(struct scan *scan)
{
	bool first = true, more;
	uint64_t at;
	struct bt_digest digest;
	int r = open_value(scan, '{');

	while (!r) {
		r = bt_stream_member(&scan->stream, &first, &scan->key, KEY_MAX, &at, &more);
		if (r || !more)
			return r;
		if (!digest_of(&scan->key, &digest))
			return bt_stream_fail_at(&scan->stream, BT_R_BAD_DIGEST, at);
		r = open_value(scan, '"');
		if (!r)
			r = bt_classic_decode(scan->decoder, scan->classic, &scan->stream, &digest);
	}
	return r;
}

static int read_size(struct scan *scan)
{
	return bt_stream_u64(&scan->stream);
}

static const struct {
	const char *key;
	int (*read)(struct scan *scan);
	bool needed;
} members[] = {
	{"timestamp", read_timestamp, true},	{"files", read_files, true},
	{"file_contents", read_contents, true}, {"directory_size", read_size, false},
	{"snapshot_size", read_size, false},
};
#define MEMBERS (sizeof(members) / sizeof(members[0]))

static int read_member(struct scan *scan, uint64_t at, unsigned *seen)
{
	for (size_t i = 0; i < MEMBERS; i++) {
		if (scan->key.length != strlen(members[i].key) ||
		    memcmp(scan->key.data, members[i].key, scan->key.length) != 0)
			continue;
		if (*seen & 1u << i)
			return bt_stream_fail_at(&scan->stream, BT_R_DUPLICATE_KEY, at);
		*seen |= 1u << i;
		return members[i].read(scan);
	}
	return bt_stream_skip(&scan->stream, 1);
}

static int read_document(struct scan *scan)
{
	bool first = true, more = true;
	unsigned seen = 0;
	uint64_t at;
	int byte, r = bt_stream_peek(&scan->stream, &byte);

	if (!r && byte == 0xef && bt_stream_tell(&scan->stream) == 0)
		return bt_stream_fail(&scan->stream, BT_R_BYTE_ORDER_MARK);
	if (!r)
		r = bt_stream_expect(&scan->stream, '{');
	while (!r && more) {
		r = bt_stream_member(&scan->stream, &first, &scan->key, KEY_MAX, &at, &more);
		if (!r && more)
			r = read_member(scan, at, &seen);
	}
	for (size_t i = 0; !r && i < MEMBERS; i++) {
		if (members[i].needed && !(seen & 1u << i))
			return bt_stream_fail(&scan->stream, BT_R_MISSING_KEY);
	}
	return r ? r : bt_stream_end(&scan->stream);
}

int bt_classic_scan(struct bt_classic *classic, int fd)
{
	struct scan scan = {.classic = classic, .decoder = bt_classic_decoder_new()};
	int r = scan.decoder ? 0 : no_memory(&scan);

	if (!r)
		r = bt_stream_open(&scan.stream, fd, classic->name, classic->error);
	if (!r)
		r = read_document(&scan);
	bt_stream_close(&scan.stream);
	bt_classic_decoder_free(scan.decoder);
	bt_buf_free(&scan.key);
	bt_buf_free(&scan.value);
	return r;
}
