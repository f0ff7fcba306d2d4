/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "base/fail.h"
#include "view/pages.h"
#include <string.h>

static int compare_entry(const struct bt_entry *entry, const char *name, size_t length)
{
	return bt_name_compare(entry->name, entry->name_length, name, length);
}

/* The page of a directory: entries, or the leaves that hold them. */
static int get_top(struct bt_store *store, const struct bt_digest *tree, const struct bt_page **ret_page,
		   struct bt_error *error)
{
	const struct bt_page *page;
	int r = bt_page_get(store, tree, &page, error);
	if (!r && page->kind == BT_PAGE_CHUNKS) {
		r = bt_page_fail(store, page, BT_R_BAD_TYPE, error);
		bt_page_put(store, page);
	}
	if (!r)
		*ret_page = page;
	return r;
}

/* What the index page says of a leaf. */
static enum bt_reason check_leaf(const struct bt_page *top, size_t index, const struct bt_page *leaf)
{
	const struct bt_leaf *stated = &top->leaves[index];
	if (!leaf->count || leaf->count != stated->entries)
		return BT_R_BAD_SIZE;
	if (compare_entry(&leaf->entries[0], stated->name, stated->name_length))
		return BT_R_UNSORTED;
	const struct bt_entry *last = &leaf->entries[leaf->count - 1];
	if (index + 1 < top->count && compare_entry(last, stated[1].name, stated[1].name_length) >= 0)
		return BT_R_UNSORTED;
	return BT_R_NONE;
}

static int get_leaf(struct bt_store *store, const struct bt_page *top, size_t index, const struct bt_page **ret_leaf,
		    struct bt_error *error)
{
	const struct bt_page *leaf;
	int r = bt_page_get_kind(store, &top->leaves[index].id, BT_PAGE_ENTRIES, &leaf, error);
	if (r)
		return r;
	enum bt_reason reason = check_leaf(top, index, leaf);
	if (reason) {
		bt_page_put(store, leaf);
		return bt_page_fail(store, top, reason, error);
	}
	*ret_leaf = leaf;
	return 0;
}

int bt_dir_start(struct bt_dir *dir, struct bt_store *store, const struct bt_digest *tree, struct bt_error *error)
{
	const struct bt_page *top;
	*dir = (struct bt_dir){0};
	int r = get_top(store, tree, &top, error);
	if (r)
		return r;
	dir->store = store;
	dir->top = top;
	return 0;
}

static size_t next_leaf(const struct bt_dir *dir)
{
	return (dir->leaf ? dir->leaf_index + 1 : 0) + dir->skipped;
}

bool bt_dir_skip(struct bt_dir *dir)
{
	if (dir->top->kind == BT_PAGE_ENTRIES || next_leaf(dir) >= dir->top->count)
		return false;
	dir->skipped++;
	return true;
}

int bt_dir_next(struct bt_dir *dir, const struct bt_entry **ret_entry, struct bt_error *error)
{
	bool single = dir->top->kind == BT_PAGE_ENTRIES;
	const struct bt_page *page = single ? dir->top : dir->leaf;
	if (!single && (!page || dir->entry_index == page->count)) {
		size_t next = next_leaf(dir);
		if (next < dir->top->count) {
			int r = get_leaf(dir->store, dir->top, next, &page, error);
			if (r)
				return r;
			bt_page_put(dir->store, dir->leaf);
			dir->leaf = page;
			dir->leaf_index = next;
			dir->entry_index = 0;
			dir->skipped = 0;
		}
	}
	*ret_entry = page && dir->entry_index < page->count ? &page->entries[dir->entry_index++] : NULL;
	return 0;
}

void bt_dir_end(struct bt_dir *dir)
{
	if (!dir->store)
		return;
	bt_page_put(dir->store, dir->leaf);
	bt_page_put(dir->store, dir->top);
	*dir = (struct bt_dir){0};
}

/* The leaf that holds the name, if any does. */
static size_t find_leaf(const struct bt_page *top, const char *name, size_t length)
{
	size_t lo = 0, hi = top->count;
	while (hi - lo > 1) {
		size_t middle = lo + (hi - lo) / 2;
		if (bt_name_compare(top->leaves[middle].name, top->leaves[middle].name_length, name, length) <= 0)
			lo = middle;
		else
			hi = middle;
	}
	return lo;
}

static const struct bt_entry *find_entry(const struct bt_page *page, const char *name, size_t length)
{
	for (size_t lo = 0, hi = page->count; lo < hi;) {
		size_t middle = lo + (hi - lo) / 2;
		int order = compare_entry(&page->entries[middle], name, length);
		if (!order)
			return &page->entries[middle];
		if (order < 0)
			lo = middle + 1;
		else
			hi = middle;
	}
	return NULL;
}

int bt_dir_lookup(struct bt_store *store, const struct bt_digest *tree, const char *name, size_t name_length,
		  const struct bt_page **ret_page, const struct bt_entry **ret_entry, struct bt_error *error)
{
	const struct bt_page *page, *leaf;
	int r = get_top(store, tree, &page, error);
	if (r)
		return r;
	if (page->kind == BT_PAGE_LEAVES) {
		r = get_leaf(store, page, find_leaf(page, name, name_length), &leaf, error);
		bt_page_put(store, page);
		if (r)
			return r;
		page = leaf;
	}
	const struct bt_entry *entry = find_entry(page, name, name_length);
	if (!entry) {
		bt_page_put(store, page);
		return BT_E_NOT_FOUND;
	}
	*ret_page = page;
	*ret_entry = entry;
	return 0;
}

/* The next component that means something; length 0 at the end. */
static const char *next_component(const char *path, size_t *ret_length)
{
	for (;;) {
		path += strspn(path, "/");
		*ret_length = strcspn(path, "/");
		if (*ret_length != 1 || *path != '.')
			return path;
		path++;
	}
}

int bt_path_lookup(struct bt_store *store, const struct bt_entry *from, const char *path,
		   const struct bt_page **ret_page, const struct bt_entry **ret_entry, struct bt_error *error)
{
	const struct bt_page *page = NULL, *next = NULL;
	const struct bt_entry *entry = from;
	const char *whole = path;
	size_t length;
	for (;;) {
		path = next_component(path, &length);
		if (!length)
			break;
		int r = BT_E_NOT_FOUND;
		if (entry->type == BT_DIR && entry->has_digest)
			r = bt_dir_lookup(store, &entry->digest, path, length, &next, &entry, error);
		bt_page_put(store, page);
		if (r)
			return r == BT_E_NOT_FOUND ? bt_fail(error, r, whole, NULL) : r;
		page = next;
		path += length;
	}
	*ret_page = page;
	*ret_entry = entry;
	return 0;
}
