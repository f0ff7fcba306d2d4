/* SPDX-License-Identifier: MIT */
#include "model/page.h"
#include "base/arena.h"
#include "base/bytes.h"
#include "base/fail.h"
#include "model/lists.h"
#include "model/owners.h"
#include "store/file.h"

#include <stdlib.h>

/* A parsed page and what it owns. */
struct owned {
	struct bt_page page; /* first: bt_page_free gets this */
	struct bt_arena arena;
};

/* Usual entries are not shorter, so that the list of a page need not grow, and their names are this part of the text.
 */
#define SHORTEST   128
#define NAMES_PART 8

struct parser {
	struct bt_json json;
	struct bt_arena *arena;
	char *scratch; /* as long as the line, for decoding */
	struct bt_buf *items;
};

/* Both lists are sorted by name, strictly. */
static int check_order(struct bt_json *json, const char *begin, const char *before, size_t before_length,
		       const char *name, size_t length)
{
	int order = bt_name_compare(before, before_length, name, length);

	if (order < 0)
		return 0;
	return bt_json_fail_at(json, begin, order ? BT_R_UNSORTED : BT_R_DUPLICATE_NAME);
}

static int parse_entries(struct parser *parser)
{
	struct bt_json *json = &parser->json;
	struct bt_entry entry, before = {.name = ""};
	bool more = true;
	int r;

	if (bt_json_try(json, "]"))
		return 0;
	for (; more; before = entry) {
		const char *begin = json->at;

		r = bt_entry_read(json, true, &parser->scratch, parser->arena, &entry);
		if (!r)
			r = check_order(json, begin, before.name, before.name_length, entry.name, entry.name_length);
		if (!r)
			r = bt_buf_append(parser->items, &entry, sizeof(entry));
		if (!r)
			r = bt_list_more(json, &more);
		if (r)
			return r;
	}
	return 0;
}

static int read_further(struct parser *parser, struct bt_leaf *leaf)
{
	struct bt_text further;
	int r = bt_json_further(&parser->json, 3, parser->scratch, &further);

	leaf->further = NULL;
	if (r || !further.length)
		return r;
	leaf->further = bt_arena_copy(parser->arena, further.bytes, further.length);
	return leaf->further ? 0 : BT_E_NOMEM;
}

static int read_leaf(struct parser *parser, struct bt_leaf *ret_leaf)
{
	struct bt_json *json = &parser->json;
	const char *begin;
	struct bt_text name;
	uint64_t entries;
	int r = bt_json_expect(json, "{");

	if (r)
		return r;
	r = bt_model_read_name(json, parser->scratch, parser->arena, &name);
	if (r)
		return r;
	r = bt_json_key(json, "entries", false);
	if (r)
		return r;
	begin = json->at;
	r = bt_json_read_u64(json, UINT32_MAX, &entries);
	if (r)
		return r;
	if (!entries)
		return bt_json_fail_at(json, begin, BT_R_BAD_NUMBER);
	r = bt_json_key(json, "tree", false);
	if (!r)
		r = bt_json_read_digest(json, &ret_leaf->id);
	if (r)
		return r;
	ret_leaf->name = name.bytes;
	ret_leaf->name_length = (uint32_t)name.length;
	ret_leaf->entries = (uint32_t)entries;
	r = read_further(parser, ret_leaf);
	return r ? r : bt_json_close(json, "}");
}

static int parse_leaves(struct parser *parser)
{
	struct bt_json *json = &parser->json;
	struct bt_leaf leaf, before = {.name = ""};
	const char *keys = json->keys;
	bool more = true;
	size_t count;
	int r;

	if (bt_json_try(json, "]"))
		return bt_json_fail_at(json, json->at - 1, BT_R_BAD_SIZE);
	json->keys = "name name_b64 entries tree";
	for (count = 0; more; count++, before = leaf) {
		const char *begin = json->at;

		r = read_leaf(parser, &leaf);
		if (!r)
			r = check_order(json, begin, before.name, before.name_length, leaf.name, leaf.name_length);
		if (!r)
			r = bt_buf_append(parser->items, &leaf, sizeof(leaf));
		if (!r)
			r = bt_list_more(json, &more);
		if (r)
			return r;
	}
	json->keys = keys;
	return count >= 2 ? 0 : bt_json_fail_at(json, json->at - 1, BT_R_BAD_SIZE);
}

static int parse_chunks(struct parser *parser, struct bt_page *page)
{
	const char *begin = parser->json.at;
	const struct bt_chunk *chunks;
	uint32_t count;
	uint64_t sum;
	int r = bt_chunks_read(&parser->json, parser->arena, BT_CHUNK_PAGE_MAX, &chunks, &count, &sum);

	if (r)
		return r;
	if (!count)
		return bt_json_fail_at(&parser->json, begin, BT_R_BAD_SIZE);
	*page = (struct bt_page){.kind = BT_PAGE_CHUNKS, .count = count, .chunks = chunks};
	return 0;
}

static int parse_names(struct parser *parser, struct bt_page *page)
{
	struct bt_owner_names *names = bt_arena_alloc(parser->arena, sizeof(*names));
	int r = names ? bt_owner_names_read(&parser->json, parser->scratch, parser->arena, names) : BT_E_NOMEM;

	if (!r)
		*page = (struct bt_page){.kind = BT_PAGE_NAMES, .count = 1, .names = names};
	return r;
}

static int keep_items(struct parser *parser, struct bt_page *page)
{
	const void *list = NULL;
	int r = bt_list_keep(parser->arena, parser->items, &list);

	if (r)
		return r;
	if (page->kind == BT_PAGE_ENTRIES) {
		page->count = parser->items->length / sizeof(struct bt_entry);
		page->entries = list;
	} else {
		page->count = parser->items->length / sizeof(struct bt_leaf);
		page->leaves = list;
	}
	return 0;
}

static int parse_body(struct parser *parser, struct bt_page *page)
{
	struct bt_json *json = &parser->json;
	int r;

	if (bt_json_try_key(json, "chunks", true))
		return parse_chunks(parser, page);
	if (bt_json_try_key(json, "users", true))
		return parse_names(parser, page);
	page->kind = bt_json_try_key(json, "pages", true) ? BT_PAGE_LEAVES : BT_PAGE_ENTRIES;
	r = page->kind == BT_PAGE_ENTRIES ? bt_json_key(json, "entries", true) : 0;
	if (r)
		return r;
	r = bt_json_expect(json, "[");
	if (r)
		return r;
	r = page->kind == BT_PAGE_ENTRIES ? parse_entries(parser) : parse_leaves(parser);
	return r ? r : keep_items(parser, page);
}

static int parse_page(struct parser *parser, struct bt_page *page)
{
	struct bt_json *json = &parser->json;
	int r;

	if (json->end - json->start > (ptrdiff_t)BT_PAGE_MAX)
		return bt_json_fail(json, BT_R_TOO_LARGE);
	json->keys = "entries pages chunks users groups";
	r = bt_json_expect(json, "{");
	if (!r)
		r = parse_body(parser, page);
	if (!r)
		r = bt_json_close(json, "}");
	if (r)
		return r;
	return bt_json_end(json);
}

static int parse_owned(struct parser *parser, const char *line, size_t length, uint64_t offset, struct owned *owned,
		       struct bt_error *error)
{
	bt_json_begin(&parser->json, line, length, offset, error);
	parser->arena = &owned->arena;
	return parse_page(parser, &owned->page);
}

/* All of a page in one block, if nobody was wrong about it. */
static size_t first_block(size_t expected, size_t length)
{
	return length / NAMES_PART + (expected < length / SHORTEST ? expected : 0) * sizeof(struct bt_entry);
}

int bt_page_parse_in(struct bt_page_room *room, const char *line, size_t length, uint64_t offset,
		     struct bt_page **ret_page, size_t *ret_weight, struct bt_error *error)
{
	struct owned *owned = malloc(sizeof(*owned));
	struct bt_error unheard = {0};
	struct parser parser = {.items = &room->items};
	int r = BT_E_NOMEM;

	error = error ? error : &unheard;
	room->scratch.length = room->items.length = 0;
	if (owned)
		*owned = (struct owned){.arena.first = first_block(room->expected, length)};
	if (owned && !bt_buf_reserve(&room->scratch, length + 1) &&
	    !bt_buf_reserve(&room->items, length / SHORTEST * sizeof(struct bt_entry))) {
		parser.scratch = (char *)room->scratch.data;
		r = parse_owned(&parser, line, length, offset, owned, error);
	}
	if (r) {
		bt_page_free(owned ? &owned->page : NULL);
		return r == BT_E_NOMEM ? bt_fail(error, r, NULL, "read the page") : r;
	}
	*ret_page = &owned->page;
	*ret_weight = sizeof(*owned) + owned->arena.used;
	return 0;
}

int bt_page_parse(const char *line, size_t length, uint64_t offset, struct bt_page **ret_page, size_t *ret_weight,
		  struct bt_error *error)
{
	struct bt_page_room room = {0};
	int r = bt_page_parse_in(&room, line, length, offset, ret_page, ret_weight, error);

	bt_page_room_free(&room);
	return r;
}

void bt_page_room_free(struct bt_page_room *room)
{
	bt_buf_free(&room->scratch);
	bt_buf_free(&room->items);
}

void bt_page_free(struct bt_page *page)
{
	struct owned *owned = (struct owned *)page;

	if (!owned)
		return;
	bt_arena_free(&owned->arena);
	free(owned);
}
