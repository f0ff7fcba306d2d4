/* SPDX-License-Identifier: MIT */
/* Directories over their pages, and paths through them. */
#include "base/bytes.h"
#include "base/fail.h"
#include "view/pages.h"
#include <internal/view.h>
#include <stdlib.h>
#include <string.h>

struct bt_dir {
	struct bt_store *store;
	struct bt_digest tree;
	const struct bt_page *top;  /* has the entries, or the leaves that have them */
	const struct bt_page *page; /* of the last entry; NULL: none was asked for */
	size_t leaf;		    /* number of that page */
	uint64_t base;		    /* entries before it */
	size_t next;		    /* in it */
	size_t skipped;
};

static int compare_entry(const struct bt_entry *entry, const char *name, size_t length)
{
	return bt_name_compare(entry->name, entry->name_length, name, length);
}

int bt_dir_new(struct bt_store *store, const struct bt_digest *tree, struct bt_dir **ret_dir, struct bt_error *error)
{
	const struct bt_page *top;
	int r = bt_page_get(store, tree, &top, error);

	if (r)
		return r;
	struct bt_dir *dir = top->kind > BT_PAGE_LEAVES ? NULL : malloc(sizeof(*dir));
	if (!dir) {
		r = top->kind > BT_PAGE_LEAVES ? bt_page_fail(store, top, BT_R_BAD_TYPE, error)
					       : bt_fail(error, BT_E_NOMEM, NULL, NULL);
		bt_page_put(store, top);
		return r;
	}
	*dir = (struct bt_dir){.store = store, .tree = *tree, .top = top};
	dir->page = top->kind == BT_PAGE_ENTRIES ? top : NULL;
	*ret_dir = dir;
	return 0;
}

void bt_dir_free(struct bt_dir *dir)
{
	if (!dir)
		return;
	if (dir->page != dir->top)
		bt_page_put(dir->store, dir->page);
	bt_page_put(dir->store, dir->top);
	free(dir);
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

static int get_leaf(const struct bt_dir *dir, size_t index, const struct bt_page **ret_leaf, struct bt_error *error)
{
	const struct bt_page *leaf;
	int r = bt_page_get_kind(dir->store, &dir->top->leaves[index].id, BT_PAGE_ENTRIES, &leaf, error);

	if (r)
		return r;
	enum bt_reason reason = check_leaf(dir->top, index, leaf);
	if (reason) {
		bt_page_put(dir->store, leaf);
		return bt_page_fail(dir->store, dir->top, reason, error);
	}
	*ret_leaf = leaf;
	return 0;
}

static size_t leaf_count(const struct bt_dir *dir)
{
	return dir->top->kind == BT_PAGE_ENTRIES ? 1 : dir->top->count;
}

static size_t leaf_size(const struct bt_dir *dir, size_t leaf)
{
	return dir->top->kind == BT_PAGE_ENTRIES ? dir->top->count : dir->top->leaves[leaf].entries;
}

/* On failure nothing changes. */
static int enter_leaf(struct bt_dir *dir, size_t leaf, struct bt_error *error)
{
	const struct bt_page *page = NULL;
	bool ahead = dir->page && leaf >= dir->leaf;

	if (ahead && leaf == dir->leaf)
		return 0;
	int r = get_leaf(dir, leaf, &page, error);
	if (r)
		return r;
	bt_page_put(dir->store, dir->page);
	dir->page = page;
	dir->base = ahead ? dir->base : 0;
	for (size_t i = ahead ? dir->leaf : 0; i < leaf; i++)
		dir->base += leaf_size(dir, i);
	dir->leaf = leaf;
	dir->next = dir->skipped = 0;
	return 0;
}

static const struct bt_entry *give(struct bt_dir *dir, size_t index)
{
	dir->next = index + 1;
	return &dir->page->entries[index];
}

static size_t next_leaf(const struct bt_dir *dir)
{
	return (dir->page ? dir->leaf + 1 : 0) + dir->skipped;
}

int bt_dir_next(struct bt_dir *dir, const struct bt_entry **ret_entry, struct bt_error *error)
{
	if ((!dir->page || dir->next >= dir->page->count) && next_leaf(dir) < leaf_count(dir)) {
		int r = enter_leaf(dir, next_leaf(dir), error);

		if (r)
			return r;
	}
	*ret_entry = dir->page && dir->next < dir->page->count ? give(dir, dir->next) : NULL;
	return 0;
}

bool bt_dir_skip(struct bt_dir *dir)
{
	if (next_leaf(dir) >= leaf_count(dir))
		return false;
	dir->skipped++;
	return true;
}

/* The last leaf that begins with this name or one before it. */
static size_t leaf_of(const struct bt_dir *dir, const char *name, size_t length)
{
	size_t lo = 0, hi = leaf_count(dir);

	while (hi - lo > 1) {
		size_t middle = lo + (hi - lo) / 2;
		const struct bt_leaf *leaf = &dir->top->leaves[middle];

		if (bt_name_compare(leaf->name, leaf->name_length, name, length) <= 0)
			lo = middle;
		else
			hi = middle;
	}
	return lo;
}

int bt_dir_find(struct bt_dir *dir, const char *name, size_t length, const struct bt_entry **ret_entry,
		struct bt_error *error)
{
	int r = leaf_count(dir) ? enter_leaf(dir, leaf_of(dir, name, length), error) : BT_E_NOT_FOUND;

	if (r)
		return r;
	for (size_t lo = 0, hi = dir->page->count; lo < hi;) {
		size_t middle = lo + (hi - lo) / 2;
		int order = compare_entry(&dir->page->entries[middle], name, length);

		if (!order) {
			*ret_entry = give(dir, middle);
			return 0;
		}
		if (order < 0)
			lo = middle + 1;
		else
			hi = middle;
	}
	return BT_E_NOT_FOUND;
}

int bt_dir_at(struct bt_dir *dir, uint64_t index, const struct bt_entry **ret_entry, struct bt_error *error)
{
	bool ahead = dir->page && index >= dir->base;
	size_t leaf = ahead ? dir->leaf : 0;
	uint64_t left = index - (ahead ? dir->base : 0);
	int r = 0;

	if (!ahead || left >= dir->page->count) {
		while (leaf < leaf_count(dir) && left >= leaf_size(dir, leaf))
			left -= leaf_size(dir, leaf++);
		r = leaf < leaf_count(dir) ? enter_leaf(dir, leaf, error) : BT_E_NOT_FOUND;
	}
	if (!r)
		*ret_entry = give(dir, (size_t)left);
	return r;
}

uint64_t bt_dir_count(const struct bt_dir *dir)
{
	uint64_t count = 0;

	for (size_t i = 0; i < leaf_count(dir); i++)
		count += leaf_size(dir, i);
	return count;
}

struct bt_dir_place bt_dir_here(const struct bt_dir *dir)
{
	const struct bt_digest *id = dir->page == dir->top ? &dir->tree : &dir->top->leaves[dir->leaf].id;

	return (struct bt_dir_place){dir->page, id, dir->base, dir->next - 1};
}

int bt_dir_lookup(struct bt_store *store, const struct bt_digest *tree, const char *name, size_t name_length,
		  const struct bt_page **ret_page, const struct bt_entry **ret_entry, struct bt_error *error)
{
	struct bt_dir *dir;
	int r = bt_dir_new(store, tree, &dir, error);

	if (r)
		return r;
	r = bt_dir_find(dir, name, name_length, ret_entry, error);
	if (!r) { /* its pin goes to the caller */
		*ret_page = dir->page;
		dir->top = dir->page == dir->top ? NULL : dir->top;
		dir->page = dir->top;
	}
	bt_dir_free(dir);
	return r;
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
