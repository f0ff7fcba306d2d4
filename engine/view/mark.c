/* SPDX-License-Identifier: MIT */
#include "view/mark.h"
#include "base/bytes.h"
#include "base/fail.h"
#include "base/vec.h"
#include <internal/view.h>
#include <stdlib.h>
#include <string.h>

#define HEX_SIZE (2 * sizeof(((struct bt_digest *)NULL)->bytes))

static bool is_known(const struct bt_mark *mark, const struct bt_digest *digest, bool page)
{
	const struct bt_mark *before = mark->before;

	if (!before || !bt_digest_set_has(page ? &before->pages : &before->contents, digest))
		return false;
	if (mark->known)
		mark->known(mark->arg, digest, page);
	return true;
}

static int add_content(struct bt_mark *mark, const struct bt_chunk *content)
{
	if (is_known(mark, &content->digest, false))
		return 0;
	int r = bt_digest_set_add(&mark->contents, &content->digest);

	if (r > 0 && mark->added)
		mark->added(mark->arg, content);
	return r < 0 ? r : 0;
}

/* Marks a page; one that is new is visited later. */
static int add_page(struct bt_mark *mark, const struct bt_digest *id)
{
	if (is_known(mark, id, true))
		return 0;
	int r = bt_digest_set_add(&mark->pages, id);

	if (r <= 0)
		return r;
	if (mark->added_page)
		mark->added_page(mark->arg, id);
	if (bt_vec_room(mark->stack, mark->depth, mark->capacity))
		return BT_E_NOMEM;
	mark->stack[mark->depth++] = *id;
	return 0;
}

static int add_chunk_page(struct bt_mark *mark, const struct bt_chunk *page)
{
	return add_page(mark, &page->digest);
}

static int add_chunks(struct bt_mark *mark, const struct bt_chunk *chunks, size_t count,
		      int (*add)(struct bt_mark *, const struct bt_chunk *))
{
	int r = 0;

	for (size_t i = 0; i < count && !r; i++)
		r = add(mark, &chunks[i]);
	return r;
}

static int add_file(struct bt_mark *mark, const struct bt_entry *entry)
{
	const struct bt_extra *extra = entry->extra;

	if (extra && extra->error)
		return 0;
	if (extra && extra->chunk_page_count)
		return add_chunks(mark, extra->chunk_pages, extra->chunk_page_count, add_chunk_page);
	if (extra && extra->has_chunks)
		return add_chunks(mark, extra->chunks, extra->chunk_count, add_content);
	return entry->size ? add_content(mark, &(struct bt_chunk){entry->digest, entry->size}) : 0;
}

static int add_digest(struct bt_mark *mark, const struct bt_digest *digest)
{
	if (is_known(mark, digest, false))
		return 0;
	int r = bt_digest_set_add(&mark->contents, digest);

	if (r > 0 && mark->added_named)
		mark->added_named(mark->arg, digest);
	return r < 0 ? r : 0;
}

/* Members of a newer program name contents by their digests alone (FORMAT.md section 2). Such a digest may also be that
 * of a page, or of nothing. */
static int add_named(struct bt_mark *mark, const char *further)
{
	struct bt_digest digest;
	const char *quote = further ? strchr(further, '"') : NULL;

	for (; quote; quote = strchr(quote + 1, '"'))
		if (strnlen(quote + 1, HEX_SIZE + 1) > HEX_SIZE && quote[HEX_SIZE + 1] == '"' &&
		    bt_hex_decode(digest.bytes, sizeof(digest.bytes), quote + 1) && add_digest(mark, &digest))
			return BT_E_NOMEM;
	return 0;
}

static int add_entry(struct bt_mark *mark, const struct bt_entry *entry)
{
	int r = entry->extra ? add_named(mark, entry->extra->further) : 0;

	if (r)
		return r;
	if (entry->type == BT_FILE)
		return add_file(mark, entry);
	if (entry->type == BT_DIR && entry->has_digest)
		return add_page(mark, &entry->digest);
	return 0;
}

static int add_leaf(struct bt_mark *mark, const struct bt_leaf *leaf)
{
	int r = add_named(mark, leaf->further);

	return r ? r : add_page(mark, &leaf->id);
}

static int add_what_is_on(struct bt_mark *mark, const struct bt_page *page)
{
	int r = 0;

	if (page->kind == BT_PAGE_NAMES)
		return 0;
	if (page->kind == BT_PAGE_CHUNKS)
		return add_chunks(mark, page->chunks, page->count, add_content);
	for (size_t i = 0; i < page->count && !r; i++)
		r = page->kind == BT_PAGE_LEAVES ? add_leaf(mark, &page->leaves[i])
						 : add_entry(mark, &page->entries[i]);
	return r;
}

/* What was put on the stack last is visited first: pages are in the order in which they probably lie, then. */
static void reverse(struct bt_digest *pages, size_t count)
{
	for (size_t i = 0; i < count / 2; i++) {
		struct bt_digest other = pages[i];

		pages[i] = pages[count - 1 - i];
		pages[count - 1 - i] = other;
	}
}

static int visit_next(struct bt_mark *mark, struct bt_error *error)
{
	struct bt_digest id = mark->stack[--mark->depth];
	size_t before = mark->depth;
	const struct bt_page *page;
	int r;

	if (bt_cancelled(mark->observer))
		return bt_fail(error, BT_E_CANCELLED, NULL, NULL);
	r = bt_page_read(mark->store, &mark->reader, &id, true, &page, error);
	if (r)
		return r;
	r = add_what_is_on(mark, page);
	reverse(mark->stack + before, mark->depth - before);
	bt_page_leave(mark->store, &mark->reader, page, true);
	return r ? bt_fail(error, r, NULL, "marking what is needed") : 0;
}

/* Names that damage took away keep nothing else from being known: without their page no entry needs more or less. What
 * they had for a page is not marked, so that another snapshot that needs it as its own still fails. */
static int add_names(struct bt_mark *mark, const struct bt_digest *id, struct bt_error *error)
{
	const struct bt_page *page;
	struct bt_error damage = {0};
	int r = bt_page_get(mark->store, id, &page, &damage);

	if (r == BT_E_DAMAGED)
		return 0;
	if (r)
		return bt_error_pass(error, &damage, r);
	bt_page_put(mark->store, page);
	r = add_page(mark, id);
	return r ? bt_fail(error, r, NULL, "marking what is needed") : 0;
}

static void tell_progress(struct bt_mark *mark, const char *name)
{
	if (!bt_pace_due(&mark->pace, mark->observer))
		return;
	mark->progress.path = name;
	mark->observer->progress(mark->observer->arg, &mark->progress);
}

int bt_mark_snapshot(struct bt_mark *mark, const char *name, struct bt_error *error)
{
	struct bt_snapshot *snapshot;
	int r = bt_snapshot_open(mark->store, name, &snapshot, error);

	if (r)
		return r;
	const struct bt_snapshot_info *info = bt_snapshot_info(snapshot);
	r = add_entry(mark, &info->root);
	if (!r)
		r = add_named(mark, info->header_further);
	if (!r)
		r = add_named(mark, info->summary_further);
	if (r)
		bt_fail(error, r, name, "marking what is needed");
	if (!r && info->has_names)
		r = add_names(mark, &info->names, error);
	while (!r && mark->depth) {
		tell_progress(mark, name);
		r = visit_next(mark, error);
	}
	bt_snapshot_close(snapshot);
	if (r && error)
		bt_error_in_file(error, name, 0);
	return r;
}

static int visit_all(struct bt_mark *mark, int result, struct bt_error *error)
{
	int r = result;

	if (r)
		bt_fail(error, r, NULL, "marking what is needed");
	while (!r && mark->depth)
		r = visit_next(mark, error);
	mark->depth = 0;
	return r;
}

int bt_mark_entry(struct bt_mark *mark, const struct bt_entry *entry, struct bt_error *error)
{
	return visit_all(mark, add_entry(mark, entry), error);
}

int bt_mark_page(struct bt_mark *mark, const struct bt_digest *id, struct bt_error *error)
{
	return visit_all(mark, add_page(mark, id), error);
}

void bt_mark_free(struct bt_mark *mark)
{
	bt_digest_set_free(&mark->pages);
	bt_digest_set_free(&mark->contents);
	free(mark->stack);
	bt_page_reader_free(&mark->reader);
	mark->reader = (struct bt_page_reader){0};
	mark->stack = NULL;
	mark->depth = mark->capacity = 0;
}
