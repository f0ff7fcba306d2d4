/* SPDX-License-Identifier: MIT */
#include "codec/seekable.h"
#include "base/fail.h"
#include "codec/frame.h"
#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define TABLE_MAGIC  UINT32_C(0x184D2A5E)
#define DIGEST_MAGIC UINT32_C(0x184D2A5D)
#define FOOTER_MAGIC UINT32_C(0x8F92EAB1)

enum {
	SKIPPABLE = 8, /* magic and size before the bytes of a frame that decoders skip */
	ENTRY = 8,
	FOOTER = 9,
	SMALLEST = 9,	  /* bytes of a frame: header, an empty block, no checksum */
	ENTRIES = 1024,	  /* that are read at once */
	FRAMES = 1 << 27, /* as many as the seekable format allows */
	TRIES = 1024	  /* what looks like a frame but is not: each takes a while */
};

static uint32_t get32(const unsigned char *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return le32toh(value);
}

static int put32(struct bt_buf *out, uint32_t value)
{
	value = htole32(value);
	return bt_buf_append(out, &value, sizeof(value));
}

void bt_seek_table_free(struct bt_seek_table *table)
{
	bt_buf_free(&table->points);
}

static size_t point_count(const struct bt_seek_table *table)
{
	return table->points.length / sizeof(struct bt_seek_point);
}

size_t bt_seek_frames(const struct bt_seek_table *table)
{
	return point_count(table) ? point_count(table) - 1 : 0;
}

struct bt_seek_point bt_seek_point(const struct bt_seek_table *table, size_t index)
{
	const struct bt_seek_point *points = (const struct bt_seek_point *)table->points.data;

	return point_count(table) ? points[index] : (struct bt_seek_point){0};
}

static struct bt_seek_point end_of(const struct bt_seek_table *table)
{
	return bt_seek_point(table, bt_seek_frames(table));
}

uint64_t bt_seek_plain_size(const struct bt_seek_table *table)
{
	return end_of(table).plain;
}

size_t bt_seek_find(const struct bt_seek_table *table, uint64_t offset)
{
	size_t low = 0, high = bt_seek_frames(table);

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (bt_seek_point(table, middle).plain <= offset)
			low = middle;
		else
			high = middle;
	}
	return low;
}

int bt_seek_table_add(struct bt_seek_table *table, size_t stored, size_t plain)
{
	struct bt_seek_point end = end_of(table);

	if (!point_count(table) && bt_buf_append(&table->points, &end, sizeof(end)))
		return BT_E_NOMEM;
	end.stored += stored;
	end.plain += plain;
	return bt_buf_append(&table->points, &end, sizeof(end));
}

static int append_head(struct bt_buf *out, uint32_t magic, size_t size)
{
	put32(out, magic);
	return put32(out, (uint32_t)size);
}

static int append_entry(struct bt_buf *out, size_t stored, size_t plain)
{
	put32(out, (uint32_t)stored);
	return put32(out, (uint32_t)plain);
}

int bt_seek_table_write(const struct bt_seek_table *table, const struct bt_digest *digest, struct bt_buf *out)
{
	const size_t frames = bt_seek_frames(table), entries = frames + 1;
	static const unsigned char no_checksums = 0;

	append_head(out, DIGEST_MAGIC, BT_SEEK_DIGEST - SKIPPABLE);
	bt_buf_append(out, digest->bytes, sizeof(digest->bytes));
	append_head(out, TABLE_MAGIC, entries * ENTRY + FOOTER);
	for (size_t i = 0; i < frames; i++) {
		const struct bt_seek_point from = bt_seek_point(table, i), to = bt_seek_point(table, i + 1);

		append_entry(out, to.stored - from.stored, to.plain - from.plain);
	}
	append_entry(out, BT_SEEK_DIGEST, 0);
	put32(out, (uint32_t)entries);
	bt_buf_append(out, &no_checksums, 1);
	put32(out, FOOTER_MAGIC);
	return bt_buf_result(out);
}

bool bt_seek_digest(const unsigned char *frame, struct bt_digest *ret_digest)
{
	if (get32(frame) != DIGEST_MAGIC || get32(frame + 4) != BT_SEEK_DIGEST - SKIPPABLE)
		return false;
	memcpy(ret_digest->bytes, frame + SKIPPABLE, sizeof(ret_digest->bytes));
	return true;
}

/* What is known of a file from its last bytes. */
struct reading {
	struct bt_seek_table *table;
	const struct bt_seek_source *source;
	uint64_t size, at; /* at: where its table begins */
	size_t frames;	   /* with text */
	struct bt_error *error;
};

static int bad_table(const struct reading *reading, uint64_t offset)
{
	return bt_fail_damaged(reading->error, BT_R_BAD_SEEK_TABLE, NULL, offset);
}

static int read_at(const struct reading *reading, void *data, size_t length, uint64_t offset)
{
	return reading->source->read(reading->source->arg, data, length, offset, reading->error);
}

/* At least one frame with text, the digest, and a table of both. */
static int read_footer(struct reading *reading)
{
	const uint64_t least = SMALLEST + BT_SEEK_DIGEST + SKIPPABLE + 2 * ENTRY + FOOTER;
	unsigned char footer[FOOTER], head[SKIPPABLE];

	if (reading->size < least)
		return bad_table(reading, reading->size);
	int r = read_at(reading, footer, sizeof(footer), reading->size - FOOTER);
	if (r)
		return r;
	uint64_t entries = get32(footer), length = entries * ENTRY + FOOTER;
	if (get32(footer + 5) != FOOTER_MAGIC || footer[4] || entries < 2 || entries > FRAMES ||
	    length > reading->size - SKIPPABLE - BT_SEEK_DIGEST - SMALLEST)
		return bad_table(reading, reading->size - FOOTER);
	reading->at = reading->size - length - SKIPPABLE;
	reading->frames = (size_t)entries - 1;
	r = read_at(reading, head, sizeof(head), reading->at);
	if (!r && (get32(head) != TABLE_MAGIC || get32(head + 4) != length))
		r = bad_table(reading, reading->at);
	return r;
}

static bool is_possible(size_t stored, size_t plain)
{
	return stored >= SMALLEST && plain && plain <= BT_SEEK_PART_MAX && plain <= stored * BT_SEEK_RATIO &&
	       stored <= bt_frame_bound(plain);
}

/* Entries of frames with text. They may not reach beyond where the digest must begin. */
static int take_entries(const struct reading *reading, const unsigned char *entries, size_t count, uint64_t at)
{
	for (size_t i = 0; i < count; i++) {
		size_t stored = get32(entries + i * ENTRY), plain = get32(entries + i * ENTRY + 4);

		if (!is_possible(stored, plain) ||
		    stored > reading->at - BT_SEEK_DIGEST - end_of(reading->table).stored)
			return bad_table(reading, at + i * ENTRY);
		if (bt_seek_table_add(reading->table, stored, plain))
			return bt_fail(reading->error, BT_E_NOMEM, NULL, NULL);
	}
	return 0;
}

static int read_entries(const struct reading *reading)
{
	unsigned char entries[ENTRIES * ENTRY];
	uint64_t at = reading->at + SKIPPABLE;
	int r = 0;

	for (size_t left = reading->frames; left && !r;) {
		size_t count = left < ENTRIES ? left : ENTRIES;

		r = read_at(reading, entries, count * ENTRY, at);
		if (!r)
			r = take_entries(reading, entries, count, at);
		at += count * ENTRY;
		left -= count;
	}
	return r;
}

/* The last entry and the frame that it is about lie between the frames with text and the footer. */
static int read_digest(const struct reading *reading)
{
	const uint64_t at = reading->at - BT_SEEK_DIGEST, entry_at = reading->size - FOOTER - ENTRY;
	unsigned char entry[ENTRY], frame[BT_SEEK_DIGEST];
	struct bt_digest digest;
	int r = read_at(reading, entry, sizeof(entry), entry_at);

	if (!r && (get32(entry) != BT_SEEK_DIGEST || get32(entry + 4) || end_of(reading->table).stored != at))
		r = bad_table(reading, entry_at);
	if (!r)
		r = read_at(reading, frame, sizeof(frame), at);
	if (!r && !bt_seek_digest(frame, &digest))
		r = bad_table(reading, at);
	return r;
}

int bt_seek_table_read(struct bt_seek_table *table, const struct bt_seek_source *source, uint64_t size,
		       struct bt_error *error)
{
	struct reading reading = {.table = table, .source = source, .size = size, .error = error};

	bt_buf_clear(&table->points);
	int r = read_footer(&reading);
	if (!r)
		r = read_entries(&reading);
	if (!r)
		r = read_digest(&reading);
	if (r)
		bt_seek_table_free(table);
	return r;
}

/* Bytes of the frame that begins here, or 0. */
static size_t frame_at(const unsigned char *data, size_t length, unsigned *tries, size_t *ret_plain)
{
	static const unsigned char magic[4] = {0x28, 0xb5, 0x2f, 0xfd};

	if (length < SMALLEST || memcmp(data, magic, sizeof(magic)) != 0 || *tries >= TRIES)
		return 0;
	++*tries;
	size_t stored = ZSTD_findFrameCompressedSize(data, length);
	unsigned long long plain = ZSTD_getFrameContentSize(data, length);
	if (ZSTD_isError(stored) || !plain || plain > BT_SEEK_PART_MAX || !is_possible(stored, (size_t)plain))
		return 0;
	--*tries;
	*ret_plain = (size_t)plain;
	return stored;
}

/* Makes the bytes before this offset a frame of one byte that cannot be read, so that offsets in the file stay right.
 */
static int skip_to(struct bt_seek_table *table, uint64_t offset)
{
	uint64_t gap = offset - end_of(table).stored;

	return gap ? bt_seek_table_add(table, (size_t)gap, 1) : 0;
}

struct window {
	unsigned char *data;
	size_t room, length, at;
	uint64_t offset; /* of data in the file */
	unsigned tries;
};

/* Moves what is left to the beginning and fills the rest. What cannot be read is zeros. */
static void fill_window(struct window *window, const struct bt_seek_source *source, uint64_t size)
{
	size_t left = window->length - window->at;
	uint64_t next = window->offset + window->length;
	size_t part = window->room - left < size - next ? window->room - left : (size_t)(size - next);

	memmove(window->data, window->data + window->at, left);
	window->offset += window->at;
	window->at = 0;
	if (part && source->read(source->arg, window->data + left, part, next, NULL))
		memset(window->data + left, 0, part);
	window->length = left + part;
}

static int search(struct bt_seek_table *table, struct window *window, const struct bt_seek_source *source,
		  uint64_t size)
{
	const size_t most = bt_frame_bound(BT_SEEK_PART_MAX);
	int r = 0;

	while (!r && window->offset + window->at < size) {
		size_t plain = 0, stored;

		if (window->length - window->at < most && window->offset + window->length < size)
			fill_window(window, source, size);
		stored = frame_at(window->data + window->at, window->length - window->at, &window->tries, &plain);
		if (stored)
			r = skip_to(table, window->offset + window->at);
		if (stored && !r)
			r = bt_seek_table_add(table, stored, plain);
		window->at += stored ? stored : 1;
	}
	return r;
}

int bt_seek_table_search(struct bt_seek_table *table, const struct bt_seek_source *source, uint64_t size,
			 struct bt_error *error)
{
	struct window window = {.room = 2 * bt_frame_bound(BT_SEEK_PART_MAX)};

	bt_buf_clear(&table->points);
	window.data = malloc(window.room);
	int r = window.data ? search(table, &window, source, size) : BT_E_NOMEM;
	free(window.data);
	return r ? bt_fail(error, r, NULL, NULL) : 0;
}
