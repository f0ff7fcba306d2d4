/* SPDX-License-Identifier: MIT */
/* Reading a store file's two lists in bounded memory. */
#include "base/bytes.h"
#include "base/fail.h"
#include "codec/hash.h"
#include "store/file_inside.h"
#include <string.h>

#define WINDOW	 ((size_t)256 << 10)
#define ITEM_MAX ((size_t)512) /* longer than any one item of either list */

/* A window that moves over one section. */
struct lines {
	struct bt_file *file;
	struct bt_hasher *hasher;
	struct bt_buf window;
	struct bt_json json;
	struct bt_error error;
	uint64_t next, end; /* of the section: first byte not yet in the window, and where it stops */
};

static int read_more(struct lines *lines)
{
	size_t left = (size_t)(lines->json.end - lines->json.at);
	uint64_t offset = lines->next - left;
	size_t wanted = WINDOW - left;

	if (wanted > lines->end - lines->next)
		wanted = (size_t)(lines->end - lines->next);
	memmove(lines->window.data, lines->json.at, left);
	int r = bt_file_pread(lines->file, lines->window.data + left, wanted, lines->next, &lines->error);
	if (r)
		return r;
	bt_hasher_add(lines->hasher, lines->window.data + left, wanted);
	lines->next += wanted;
	bt_json_begin(&lines->json, (const char *)lines->window.data, left + wanted, offset, &lines->error);
	return 0;
}

/* The next item lies whole in the window, unless the section ends before. */
static int have_item(struct lines *lines)
{
	if ((size_t)(lines->json.end - lines->json.at) >= ITEM_MAX || lines->next == lines->end)
		return 0;
	return read_more(lines);
}

static int start_section(struct lines *lines, uint64_t from, uint64_t to, const char *line)
{
	lines->next = from;
	lines->end = to;
	bt_json_begin(&lines->json, (const char *)lines->window.data, 0, from, &lines->error);
	int r = have_item(lines);
	return r ? r : bt_json_expect(&lines->json, line);
}

/* After an element: is there another? At the end of the list nothing may be left of the section. */
static int next_element(struct lines *lines, bool first, bool *ret_more)
{
	int r = have_item(lines);

	if (r)
		return r;
	if (bt_json_try(&lines->json, first ? BT_LIST_END : "\n" BT_LIST_END)) {
		*ret_more = false;
		if (lines->json.at != lines->json.end || lines->next != lines->end)
			return bt_json_fail(&lines->json, BT_R_BAD_OFFSET);
		return 0;
	}
	*ret_more = true;
	return first ? 0 : bt_json_expect(&lines->json, ",\n");
}

static int read_member(struct bt_json *json, const char *key, bool first, uint64_t max, uint64_t *ret_value)
{
	int r = bt_json_key(json, key, first);

	if (!r)
		r = bt_json_read_u64(json, UINT64_MAX, ret_value);
	if (!r && *ret_value > max)
		r = bt_json_fail(json, BT_R_TOO_LARGE);
	return r;
}

static int check_block(struct lines *lines, const struct bt_block *block, uint64_t expected)
{
	if (block->length % 4 || !block->length || !block->size)
		return bt_json_fail(&lines->json, BT_R_BAD_SIZE);
	if (!block->plain) {
		/* within blocks now, to the byte when all of them are known */
		uint64_t end = lines->file->sections.contents;
		bool inside = block->at == expected && block->at < end && block->length < end - block->at;

		return inside ? 0 : bt_json_fail(&lines->json, BT_R_BAD_OFFSET);
	}
	if (((uint64_t)block->size + 2) / 3 * 4 != block->length)
		return bt_json_fail(&lines->json, BT_R_BAD_SIZE);
	uint64_t size = bt_object_size(lines->file->named);
	if (block->at > size || block->length > size - block->at)
		return bt_json_fail(&lines->json, BT_R_BAD_OFFSET);
	return 0;
}

static int read_block(struct lines *lines, uint64_t expected, struct bt_block *ret_block)
{
	struct bt_json *json = &lines->json;
	uint64_t length = 0, size = 0;
	bool classic = lines->file->kind == BT_KIND_CLASSIC, has_xxh3 = !classic && !lines->file->draft;

	json->keys = has_xxh3 ? "at length xxh3 size holds" : "at length size holds";
	int r = bt_json_expect(json, "{");
	if (!r)
		r = read_member(json, "at", true, UINT64_MAX, &ret_block->at);
	if (!r)
		r = read_member(json, "length", false, BT_BLOCK_TEXT_MAX, &length);
	if (!r && has_xxh3)
		r = bt_json_key(json, "xxh3", false);
	if (!r && has_xxh3)
		r = bt_json_read_xxh3(json, &ret_block->xxh3);
	if (!r)
		r = read_member(json, "size", false, BT_BLOCK_MAX, &size);
	if (!r)
		r = bt_json_key(json, "holds", false);
	if (!r)
		r = bt_json_expect(json, "[");
	if (r)
		return r;
	ret_block->length = (uint32_t)length;
	ret_block->size = (uint32_t)size;
	ret_block->plain = classic;
	ret_block->has_xxh3 = has_xxh3;
	return check_block(lines, ret_block, expected);
}

static int read_held(struct lines *lines, uint32_t room, struct bt_digest *ret_digest, uint32_t *ret_size)
{
	struct bt_json *json = &lines->json;
	uint64_t size = 0;
	int r = bt_json_expect(json, "[");

	if (!r)
		r = bt_json_read_digest(json, ret_digest);
	if (!r)
		r = bt_json_expect(json, ",");
	if (!r)
		r = bt_json_read_u64(json, UINT64_MAX, &size);
	if (!r && (!size || size > room))
		r = bt_json_fail(json, BT_R_BAD_SIZE);
	if (!r)
		r = bt_json_expect(json, "]");
	if (!r)
		*ret_size = (uint32_t)size;
	return r;
}

static int read_holds(struct lines *lines, const struct bt_block *block, const struct bt_index_visitor *visitor)
{
	uint32_t offset = 0, size = 0;
	struct bt_digest digest;

	do {
		int r = have_item(lines);

		if (!r)
			r = read_held(lines, block->size - offset, &digest, &size);
		if (!r && visitor->content)
			r = visitor->content(visitor->arg, block, &digest, offset, size);
		if (r)
			return r;
		offset += size;
		r = have_item(lines);
		if (r)
			return r;
	} while (bt_json_try(&lines->json, ","));
	if (offset != block->size)
		return bt_json_fail(&lines->json, BT_R_BAD_SIZE);
	int r = bt_json_expect(&lines->json, "]");
	return r ? r : bt_json_close(&lines->json, "}");
}

/* The blocks fill their section to its last byte. */
static int check_blocks_end(struct lines *lines, uint64_t expected, bool any)
{
	const struct bt_sections *at = &lines->file->sections;
	uint64_t end = at->blocks + strlen(BT_BLOCKS_LINE BT_LIST_END);

	if (any && lines->file->kind != BT_KIND_CLASSIC)
		end = expected - strlen(",\n" BT_BLOCK_OPEN) + strlen("\n" BT_LIST_END);
	return end == at->contents ? 0 : bt_json_fail(&lines->json, BT_R_BAD_OFFSET);
}

static int visit_contents(struct lines *lines, const struct bt_index_visitor *visitor)
{
	const struct bt_sections *at = &lines->file->sections;
	uint64_t expected = at->blocks + strlen(BT_BLOCKS_LINE BT_BLOCK_OPEN);
	bool first = true, more = true;
	int r = start_section(lines, at->contents, at->trees, BT_CONTENTS_LINE);

	for (; !r; first = false) {
		struct bt_block block = {0};

		r = next_element(lines, first, &more);
		if (!r && !more)
			return check_blocks_end(lines, expected, !first);
		if (!r)
			r = read_block(lines, expected, &block);
		if (!r)
			r = read_holds(lines, &block, visitor);
		expected += block.length + strlen(BT_BLOCK_CLOSE ",\n" BT_BLOCK_OPEN);
	}
	return r;
}

static int read_page(struct lines *lines, uint64_t expected, struct bt_digest *ret_id, uint32_t *ret_length)
{
	struct bt_json *json = &lines->json;
	uint64_t at = 0, length = 0;
	int r = bt_json_expect(json, "[");

	if (!r)
		r = bt_json_read_digest(json, ret_id);
	if (!r)
		r = bt_json_expect(json, ",");
	if (!r)
		r = bt_json_read_u64(json, UINT64_MAX, &at);
	if (!r && at != expected)
		r = bt_json_fail(json, BT_R_BAD_OFFSET);
	if (!r)
		r = bt_json_expect(json, ",");
	if (!r)
		r = bt_json_read_u64(json, UINT64_MAX, &length);
	if (!r && !length)
		r = bt_json_fail(json, BT_R_BAD_SIZE);
	if (!r && length > BT_PAGE_MAX)
		r = bt_json_fail(json, BT_R_TOO_LARGE);
	uint64_t end = lines->file->sections.tree_index;
	if (!r && (at >= end || length >= end - at))
		r = bt_json_fail(json, BT_R_BAD_OFFSET);
	if (!r)
		r = bt_json_expect(json, "]");
	if (!r)
		*ret_length = (uint32_t)length;
	return r;
}

static int check_trees_end(struct lines *lines, uint64_t expected, bool any)
{
	const struct bt_sections *at = &lines->file->sections;
	uint64_t end = any ? expected - strlen(",\n") + strlen("\n" BT_LIST_END) : expected + strlen(BT_LIST_END);

	return end == at->tree_index ? 0 : bt_json_fail(&lines->json, BT_R_BAD_OFFSET);
}

static int visit_pages(struct lines *lines, const struct bt_index_visitor *visitor)
{
	const struct bt_sections *at = &lines->file->sections;
	uint64_t expected = at->trees + strlen(BT_TREES_LINE);
	bool first = true, more = true;
	int r = start_section(lines, at->tree_index, at->summary, BT_TREE_INDEX_LINE);

	for (; !r; first = false) {
		struct bt_digest id;
		uint32_t length = 0;

		r = next_element(lines, first, &more);
		if (!r && !more)
			return check_trees_end(lines, expected, !first);
		if (!r)
			r = read_page(lines, expected, &id, &length);
		if (!r && visitor->page)
			r = visitor->page(visitor->arg, &id, expected, length);
		expected += (uint64_t)length + strlen(",\n");
	}
	return r;
}

static int visit(struct lines *lines, const struct bt_index_visitor *visitor)
{
	struct bt_file *file = lines->file;
	struct bt_digest digest;

	lines->hasher = bt_hasher_new();
	if (!lines->hasher || bt_buf_reserve(&lines->window, WINDOW))
		return bt_fail(&lines->error, BT_E_NOMEM, file->name, NULL);
	bt_hasher_start(lines->hasher);
	int r = visit_contents(lines, visitor);
	if (!r)
		r = visit_pages(lines, visitor);
	if (r)
		return r;
	if (bt_hasher_finish(lines->hasher, &digest))
		return bt_fail(&lines->error, BT_E_NOMEM, file->name, NULL);
	if (!bt_digest_equal(&digest, &file->index_digest))
		return bt_fail_damaged(&lines->error, BT_R_DIGEST_MISMATCH, file->name, file->sections.contents);
	return 0;
}

int bt_file_visit(struct bt_file *file, const struct bt_index_visitor *visitor, struct bt_error *error)
{
	struct lines lines = {.file = file};

	if (file->loose)
		return bt_file_visit_loosely(file, visitor, error);
	int r = visit(&lines, visitor);
	/* the section ends where the end line says, not where the file does */
	if (lines.error.reason == BT_R_TRUNCATED && lines.error.offset < file->sections.end)
		lines.error.reason = BT_R_BAD_OFFSET;
	bt_error_in_file(&lines.error, file->name, 0);
	if (r) /* a visitor gives only a code */
		bt_fail(&lines.error, r, file->name, NULL);
	bt_hasher_free(lines.hasher);
	bt_buf_free(&lines.window);
	return bt_error_pass(error, &lines.error, r);
}
