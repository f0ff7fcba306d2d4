/* SPDX-License-Identifier: MIT */
/* Salvages a damaged file: each line is read on its own, wherever it is. */
#include "base/bytes.h"
#include "base/fail.h"
#include "codec/base64.h"
#include "codec/frame.h"
#include "codec/hash.h"
#include "store/file_inside.h"
#include "store/writer.h"
#include <stdlib.h>
#include <string.h>

#define PART	((size_t)256 << 10)
#define LONGEST (BT_PAGE_MAX + 64)

/* What a line of contents says. */
struct listed_block {
	struct bt_block block;
	size_t first, count; /* of its contents in held */
};

struct listed_page {
	uint64_t at; /* first: for the search */
	struct bt_digest id;
	uint32_t length;
};

struct range {
	uint64_t at; /* first: for the search */
	uint64_t length;
};

struct loose {
	struct bt_file *file;
	struct bt_error *error;
	struct bt_buf window;
	uint64_t offset;		       /* of window in the file */
	struct bt_buf blocks, held, pages;     /* listed_block, bt_held, listed_page: what the lists say */
	struct bt_buf block_lines, page_lines; /* range: what lies there */
};

static bool begins(const char *line, size_t length, const char *with)
{
	return length >= strlen(with) && !memcmp(line, with, strlen(with));
}

static int add_range(struct bt_buf *ranges, uint64_t at, uint64_t length)
{
	const struct range range = {at, length};

	return bt_buf_append(ranges, &range, sizeof(range));
}

static int read_holds(struct bt_json *json, struct loose *loose, struct listed_block *block)
{
	uint64_t sum = 0;

	do {
		struct bt_held held;
		uint64_t size = 0;

		if (bt_json_expect(json, "[") || bt_json_read_digest(json, &held.digest) || bt_json_expect(json, ",") ||
		    bt_json_read_u64(json, BT_BLOCK_MAX, &size) || bt_json_expect(json, "]") || !size)
			return BT_E_DAMAGED;
		sum += size;
		held.size = (uint32_t)size;
		if (bt_buf_append(&loose->held, &held, sizeof(held)))
			return BT_E_NOMEM;
		block->count++;
	} while (bt_json_try(json, ","));
	return sum == block->block.size ? bt_json_expect(json, "]}") : BT_E_DAMAGED;
}

static bool is_inside(const struct loose *loose, uint64_t at, uint64_t length)
{
	uint64_t size = loose->file->sections.size;

	return length && at <= size && length <= size - at;
}

/* It may be wrong where the digests of contents are right, which count. */
static bool pass_xxh3(struct bt_json *json)
{
	static const char value[] = "\"0123456789abcdef0123456789abcdef\"";
	size_t left = (size_t)(json->end - json->at);

	if (!bt_json_try(json, ",\"xxh3\":"))
		return true;
	if (left < strlen(",\"xxh3\":") + strlen(value))
		return false;
	json->at += strlen(value);
	return true;
}

/* Takes a line of contents. A line that cannot be understood is passed over. */
static int take_listed_block(struct loose *loose, struct bt_json *json)
{
	struct listed_block listed = {.first = loose->held.length / sizeof(struct bt_held)};
	uint64_t length = 0, size = 0;

	if (bt_json_key(json, "at", true) || bt_json_read_u64(json, UINT64_MAX, &listed.block.at) ||
	    bt_json_key(json, "length", false) || bt_json_read_u64(json, BT_BLOCK_TEXT_MAX, &length) ||
	    !pass_xxh3(json) || bt_json_key(json, "size", false) || bt_json_read_u64(json, BT_BLOCK_MAX, &size) ||
	    bt_json_key(json, "holds", false) || bt_json_expect(json, "["))
		return 0;
	listed.block.length = (uint32_t)length;
	listed.block.size = (uint32_t)size;
	int r = read_holds(json, loose, &listed);
	if (!r && is_inside(loose, listed.block.at, length) && length % 4 == 0)
		return bt_buf_append(&loose->blocks, &listed, sizeof(listed));
	loose->held.length = listed.first * sizeof(struct bt_held);
	return r == BT_E_NOMEM ? r : 0;
}

static int take_listed_page(struct loose *loose, struct bt_json *json)
{
	struct listed_page page = {0};
	uint64_t length = 0;

	if (bt_json_read_digest(json, &page.id) || bt_json_expect(json, ",") ||
	    bt_json_read_u64(json, UINT64_MAX, &page.at) || bt_json_expect(json, ",") ||
	    bt_json_read_u64(json, BT_PAGE_MAX, &length) || bt_json_expect(json, "]") ||
	    !is_inside(loose, page.at, length))
		return 0;
	page.length = (uint32_t)length;
	return bt_buf_append(&loose->pages, &page, sizeof(page));
}

/* The first line and that of the summary, in case that the file was opened loosely. */
static int take_text(struct loose *loose, struct bt_buf *text, const char *line, size_t length)
{
	if (!loose->file->loose || text->length || length > BT_HEADER_MAX)
		return 0;
	return bt_buf_append(text, line, length);
}

static int take_line(struct loose *loose, const char *line, size_t length, uint64_t at)
{
	static const char *const pages[] = {"{\"entries\":[", "{\"pages\":[", "{\"chunks\":[", "{\"users\":["};
	static const char summary[] = "\"summary\":";
	struct bt_error ignored = {0};
	struct bt_json json;
	size_t open = strlen(BT_BLOCK_OPEN), close = strlen(BT_BLOCK_CLOSE);

	if (length && line[length - 1] == ',')
		length--;
	bt_json_begin(&json, line, length, at, &ignored);
	if (bt_json_try(&json, "[")) /* before "at" and "entries": both begin with a brace */
		return take_listed_page(loose, &json);
	if (begins(line, length, "{\"at\":") && bt_json_try(&json, "{"))
		return take_listed_block(loose, &json);
	if (begins(line, length, BT_BLOCK_OPEN) && length > open + close &&
	    !memcmp(line + length - close, BT_BLOCK_CLOSE, close))
		return add_range(&loose->block_lines, at + open, length - open - close);
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if (begins(line, length, pages[i]))
			return add_range(&loose->page_lines, at, length);
	if (begins(line, length, summary))
		return take_text(loose, &loose->file->summary, line + strlen(summary), length - strlen(summary));
	return at ? 0 : take_text(loose, &loose->file->header, line, length);
}

/* Takes all whole lines in the window and moves the rest to its beginning. */
static int take_lines(struct loose *loose)
{
	const char *data = (const char *)loose->window.data, *at = data, *end = data + loose->window.length;
	int r = 0;

	while (!r && at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));

		if (!stop)
			break;
		r = take_line(loose, at, (size_t)(stop - at), loose->offset + (uint64_t)(at - data));
		at = stop + 1;
	}
	if ((size_t)(end - at) > LONGEST) /* none of ours */
		at = end;
	loose->offset += (uint64_t)(at - data);
	loose->window.length = (size_t)(end - at);
	memmove(loose->window.data, at, loose->window.length);
	return r;
}

/* After a part that cannot be read there may be more. */
static int read_lines(struct loose *loose)
{
	uint64_t size = loose->file->sections.size;
	int r = 0;

	for (uint64_t at = 0; !r && at < size;) {
		uint64_t end = bt_file_part_end(loose->file, at);
		size_t part = end - at < PART ? (size_t)(end - at) : PART;
		struct bt_error error = {0};

		if (bt_buf_reserve(&loose->window, part))
			return BT_E_NOMEM;
		unsigned char *data = loose->window.data + loose->window.length;
		if (bt_file_pread_twice(loose->file, data, part, at, &error))
			memset(data, 0, part);
		loose->window.length += part;
		at += part;
		r = take_lines(loose);
	}
	return r;
}

static int by_offset(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void sort(struct bt_buf *list, size_t size)
{
	if (list->length)
		qsort(list->data, list->length / size, size, by_offset);
}

static bool is_listed(const struct bt_buf *list, size_t size, uint64_t at)
{
	return list->length && bsearch(&at, list->data, list->length / size, size, by_offset);
}

static int tell_listed_blocks(struct loose *loose, const struct bt_index_visitor *visitor)
{
	const struct listed_block *blocks = (const struct listed_block *)loose->blocks.data;
	const struct bt_held *held = (const struct bt_held *)loose->held.data;
	int r = 0;

	for (size_t i = 0; i < loose->blocks.length / sizeof(*blocks); i++) {
		uint32_t offset = 0;

		for (size_t k = 0; k < blocks[i].count && !r; k++) {
			const struct bt_held *one = &held[blocks[i].first + k];

			r = visitor->content(visitor->arg, &blocks[i].block, &one->digest, offset, one->size);
			offset += one->size;
		}
	}
	return r;
}

struct guess {
	struct bt_decompressor *decompressor;
	struct bt_hasher *hasher;
	struct bt_buf text, plain;
};

/* A block that no list describes: it may be one content, as in large files. */
static int tell_unlisted_block(struct loose *loose, struct guess *guess, const struct range *range,
			       const struct bt_index_visitor *visitor)
{
	struct bt_block block = {.at = range->at, .length = (uint32_t)range->length};
	struct bt_error ignored = {0};
	struct bt_digest digest;

	if (range->length % 4 || range->length > BT_BLOCK_TEXT_MAX)
		return 0;
	guess->text.length = guess->plain.length = 0;
	if (bt_buf_reserve(&guess->text, block.length) || bt_buf_reserve(&guess->plain, BT_BLOCK_MAX))
		return BT_E_NOMEM;
	int r = bt_file_pread_twice(loose->file, guess->text.data, block.length, block.at, &ignored);
	if (!r)
		r = bt_frame_plain_size((const char *)guess->text.data, block.length, BT_BLOCK_MAX, &block.size);
	if (!r)
		r = bt_file_block(loose->file, &block, guess->decompressor, &guess->text, guess->plain.data, &ignored);
	if (!r)
		r = bt_hasher_digest(guess->hasher, guess->plain.data, block.size, &digest);
	if (r)
		return r == BT_E_NOMEM ? r : 0;
	return visitor->content(visitor->arg, &block, &digest, 0, block.size);
}

static int tell_unlisted_blocks(struct loose *loose, const struct bt_index_visitor *visitor)
{
	const struct range *ranges = (const struct range *)loose->block_lines.data;
	struct guess guess = {bt_decompressor_new(), bt_hasher_new(), {0}, {0}};
	int r = guess.decompressor && guess.hasher ? 0 : BT_E_NOMEM;

	for (size_t i = 0; i < loose->block_lines.length / sizeof(*ranges) && !r; i++)
		if (!is_listed(&loose->blocks, sizeof(struct listed_block), ranges[i].at))
			r = tell_unlisted_block(loose, &guess, &ranges[i], visitor);
	bt_decompressor_free(guess.decompressor);
	bt_hasher_free(guess.hasher);
	bt_buf_free(&guess.text);
	bt_buf_free(&guess.plain);
	return r;
}

/* A page names itself. */
static int tell_unlisted_page(struct loose *loose, struct bt_hasher *hasher, const struct range *range,
			      const struct bt_index_visitor *visitor)
{
	struct bt_error ignored = {0};
	struct bt_digest id;

	if (range->length > BT_PAGE_MAX)
		return 0;
	loose->window.length = 0;
	if (bt_buf_reserve(&loose->window, range->length))
		return BT_E_NOMEM;
	int r = bt_file_pread_twice(loose->file, loose->window.data, range->length, range->at, &ignored);
	if (!r)
		r = bt_hasher_digest(hasher, loose->window.data, range->length, &id);
	if (r)
		return r == BT_E_NOMEM ? r : 0;
	return visitor->page(visitor->arg, &id, range->at, (uint32_t)range->length);
}

static int tell_pages(struct loose *loose, const struct bt_index_visitor *visitor)
{
	const struct listed_page *pages = (const struct listed_page *)loose->pages.data;
	const struct range *ranges = (const struct range *)loose->page_lines.data;
	struct bt_hasher *hasher = bt_hasher_new();
	int r = hasher ? 0 : BT_E_NOMEM;

	for (size_t i = 0; i < loose->pages.length / sizeof(*pages) && !r; i++)
		r = visitor->page(visitor->arg, &pages[i].id, pages[i].at, pages[i].length);
	for (size_t i = 0; i < loose->page_lines.length / sizeof(*ranges) && !r; i++)
		if (!is_listed(&loose->pages, sizeof(*pages), ranges[i].at))
			r = tell_unlisted_page(loose, hasher, &ranges[i], visitor);
	bt_hasher_free(hasher);
	return r;
}

static void loose_free(struct loose *loose)
{
	struct bt_buf *all[] = {&loose->window, &loose->blocks,	     &loose->held,
				&loose->pages,	&loose->block_lines, &loose->page_lines};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		bt_buf_free(all[i]);
}

int bt_file_visit_loosely(struct bt_file *file, const struct bt_index_visitor *visitor, struct bt_error *error)
{
	struct loose loose = {.file = file, .error = error};
	int r = read_lines(&loose);

	sort(&loose.blocks, sizeof(struct listed_block));
	sort(&loose.pages, sizeof(struct listed_page));
	if (!r && visitor->content)
		r = tell_listed_blocks(&loose, visitor);
	if (!r && visitor->content)
		r = tell_unlisted_blocks(&loose, visitor);
	if (!r && visitor->page)
		r = tell_pages(&loose, visitor);
	loose_free(&loose);
	return r == BT_E_NOMEM ? bt_fail(error, r, file->name, NULL) : r;
}
