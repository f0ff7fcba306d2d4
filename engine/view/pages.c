/* SPDX-License-Identifier: MIT */
#include "view/pages.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/fail.h"
#include "model/page.h"
#include <stdlib.h>
#include <string.h>

#define BUDGET ((size_t)16 << 20)

struct cached_page {
	struct bt_cached cached;
	struct bt_page page; /* what callers see: a copy of the parsed one's head */
	struct bt_page *parsed;
	struct bt_digest id;
	uint64_t at; /* where its line lies */
	uint32_t length, file;
};

static struct cached_page *cached_of(const struct bt_page *page)
{
	return (struct cached_page *)((uintptr_t)page - offsetof(struct cached_page, page));
}

static struct bt_table_key key_of(const struct bt_digest *id)
{
	struct bt_table_key key;

	memcpy(&key.a, id->bytes, sizeof(key.a));
	memcpy(&key.b, id->bytes + sizeof(key.a), sizeof(key.b));
	return key;
}

static void name_file(struct bt_store *store, uint32_t ordinal, struct bt_error *error)
{
	struct bt_file *file;

	if (!bt_store_file(store, ordinal, &file, NULL))
		bt_error_in_file(error, bt_file_name(file), 0);
}

/* What to load. */
struct wanted {
	const struct bt_digest *id;
	struct bt_page_reader *reader;
	bool in_order;
};

static int parse(struct bt_store *store, struct bt_page_room *room, const struct bt_text *line,
		 const struct bt_location *location, struct cached_page *value, size_t *ret_weight,
		 struct bt_error *error)
{
	struct bt_error inner = {0};
	size_t weight;
	int r = bt_page_parse_in(room, line->bytes, line->length, location->block.at, &value->parsed, &weight, &inner);

	if (r) {
		name_file(store, location->file, &inner);
		return bt_error_pass(error, &inner, r);
	}
	value->page = *value->parsed;
	value->at = location->block.at;
	value->length = (uint32_t)location->block.length;
	value->file = location->file;
	*ret_weight = weight + sizeof(*value);
	return 0;
}

static int read_line(struct bt_store *store, const struct wanted *wanted, struct bt_text *ret_line,
		     struct bt_location *ret_location, struct bt_error *error)
{
	struct bt_page_reader *reader = wanted->reader;

	if (reader->skimmed && bt_digest_equal(&reader->id, wanted->id)) {
		*ret_line = reader->text;
		*ret_location = reader->location;
		return 0;
	}
	if (wanted->in_order && !bt_store_page_ahead(store, &reader->ahead, wanted->id, ret_line, ret_location))
		return 0;
	int r = bt_store_page(store, &reader->ahead, wanted->id, &reader->line, ret_location, error);
	*ret_line = (struct bt_text){(const char *)reader->line.data, reader->line.length};
	return r;
}

static int load_page(void *arg, const struct bt_table_key *key, const void *hint, struct bt_cached **ret_value,
		     size_t *ret_weight, struct bt_error *error)
{
	struct bt_store *store = arg;
	const struct wanted *wanted = hint;
	struct bt_location location;
	struct bt_text line;
	struct cached_page *value = malloc(sizeof(*value));

	if (!value)
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	*value = (struct cached_page){.id = *wanted->id};
	int r = read_line(store, wanted, &line, &location, error);
	if (!r)
		r = parse(store, &wanted->reader->room, &line, &location, value, ret_weight, error);
	if (r)
		free(value);
	else
		*ret_value = &value->cached;
	return r;
}

static void free_page(struct bt_cached *value)
{
	struct cached_page *page = (struct cached_page *)value;

	bt_page_free(page->parsed);
	free(page);
}

const struct bt_cache_options bt_pages_cache = {.budget = BUDGET, .load = load_page, .free = free_page};

int bt_page_read(struct bt_store *store, struct bt_page_reader *reader, const struct bt_digest *id, bool in_order,
		 const struct bt_page **ret_page, struct bt_error *error)
{
	const struct wanted wanted = {id, reader, in_order};
	struct bt_table_key key = key_of(id);
	struct bt_cached *cached;
	int r = bt_cache_get(bt_store_pages(store), &key, &wanted, &cached, error);

	reader->skimmed = false;
	if (r)
		return r;
	struct cached_page *page = (struct cached_page *)cached;
	/* the key is half of the id */
	if (!bt_digest_equal(&page->id, id)) {
		bt_cache_put(bt_store_pages(store), cached);
		return bt_fail_damaged(error, BT_R_MISSING_PAGE, NULL, BT_NO_OFFSET);
	}
	*ret_page = &page->page;
	return 0;
}

static void note_place(struct bt_page_ahead *ahead, uint32_t file, uint64_t at, uint64_t length)
{
	ahead->doubted &= file != ahead->file || at != ahead->next;
	ahead->known = true;
	ahead->file = file;
	ahead->next = at + length + strlen(",\n");
}

int bt_page_skim(struct bt_store *store, struct bt_page_reader *reader, const struct bt_digest *id, bool in_order,
		 const struct bt_page_skim *skim, bool *ret_passes, struct bt_error *error)
{
	const struct wanted wanted = {id, reader, in_order};

	reader->skimmed = false;
	int r = read_line(store, &wanted, &reader->text, &reader->location, error);
	if (r)
		return r;
	reader->id = *id;
	*ret_passes = skim->passes(skim->arg, reader->text.bytes, reader->text.length);
	reader->skimmed = !*ret_passes;
	if (*ret_passes)
		note_place(&reader->ahead, reader->location.file, reader->location.block.at,
			   reader->location.block.length);
	return 0;
}

int bt_page_get(struct bt_store *store, const struct bt_digest *id, const struct bt_page **ret_page,
		struct bt_error *error)
{
	struct bt_page_reader reader = {0};
	int r = bt_page_read(store, &reader, id, false, ret_page, error);

	bt_page_reader_free(&reader);
	return r;
}

void bt_page_ref(struct bt_store *store, const struct bt_page *page)
{
	struct cached_page *cached = cached_of(page);
	struct bt_cached *again;

	/* it is pinned, so it is there, and this cannot fail */
	bt_cache_get(bt_store_pages(store), &cached->cached.key, NULL, &again, NULL);
}

void bt_page_put(struct bt_store *store, const struct bt_page *page)
{
	if (page)
		bt_cache_put(bt_store_pages(store), &cached_of(page)->cached);
}

void bt_page_leave(struct bt_store *store, struct bt_page_reader *reader, const struct bt_page *page, bool once)
{
	struct cached_page *cached = cached_of(page);

	note_place(&reader->ahead, cached->file, cached->at, cached->length);
	if (once)
		bt_cache_drop(bt_store_pages(store), &cached->cached);
	else
		bt_cache_put(bt_store_pages(store), &cached->cached);
}

void bt_page_reader_free(struct bt_page_reader *reader)
{
	free(reader->ahead.data);
	bt_page_room_free(&reader->room);
	bt_buf_free(&reader->line);
}

int bt_page_fail(struct bt_store *store, const struct bt_page *page, enum bt_reason reason, struct bt_error *error)
{
	const struct cached_page *cached = cached_of(page);
	struct bt_file *file;
	bool found = !bt_store_file(store, cached->file, &file, NULL);

	return bt_fail_damaged(error, reason, found ? bt_file_name(file) : NULL, cached->at);
}

int bt_page_get_kind(struct bt_store *store, const struct bt_digest *id, enum bt_page_kind kind,
		     const struct bt_page **ret_page, struct bt_error *error)
{
	const struct bt_page *page;
	int r = bt_page_get(store, id, &page, error);

	if (!r && page->kind != kind) {
		r = bt_page_fail(store, page, BT_R_BAD_TYPE, error);
		bt_page_put(store, page);
	}
	if (!r)
		*ret_page = page;
	return r;
}
