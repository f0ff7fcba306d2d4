/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "base/fail.h"
#include "view/pages.h"
#include <string.h>

int bt_dir_start(struct bt_dir *dir, struct bt_store *store, const struct bt_digest *tree, struct bt_error *error)
{
	const struct bt_page *top;
	*dir = (struct bt_dir){0};
	int r = bt_dir_page(store, tree, &top, error);
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
			int r = bt_leaf_get(dir->store, dir->top, next, &page, error);
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

int bt_dir_lookup(struct bt_store *store, const struct bt_digest *tree, const char *name, size_t name_length,
		  const struct bt_page **ret_page, const struct bt_entry **ret_entry, struct bt_error *error)
{
	const struct bt_page *page, *leaf;
	int r = bt_dir_page(store, tree, &page, error);
	if (r)
		return r;
	if (page->kind == BT_PAGE_LEAVES) {
		r = bt_leaf_get(store, page, bt_leaf_of(page, name, name_length), &leaf, error);
		bt_page_put(store, page);
		if (r)
			return r;
		page = leaf;
	}
	const struct bt_entry *entry = bt_leaf_find(page, name, name_length);
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
