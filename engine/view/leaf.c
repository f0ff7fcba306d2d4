/* SPDX-License-Identifier: MIT */
/* The pages of a directory, as all read them. */
#include "base/bytes.h"
#include "base/fail.h"
#include "view/pages.h"

static int compare_entry(const struct bt_entry *entry, const char *name, size_t length)
{
	return bt_name_compare(entry->name, entry->name_length, name, length);
}

int bt_dir_page(struct bt_store *store, const struct bt_digest *tree, const struct bt_page **ret_page,
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

int bt_leaf_get(struct bt_store *store, const struct bt_page *top, size_t index, const struct bt_page **ret_leaf,
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

size_t bt_leaf_of(const struct bt_page *top, const char *name, size_t length)
{
	size_t lo = 0, hi = top->kind == BT_PAGE_LEAVES ? top->count : 0;
	while (hi - lo > 1) {
		size_t middle = lo + (hi - lo) / 2;
		if (bt_name_compare(top->leaves[middle].name, top->leaves[middle].name_length, name, length) <= 0)
			lo = middle;
		else
			hi = middle;
	}
	return lo;
}

const struct bt_entry *bt_leaf_find(const struct bt_page *page, const char *name, size_t length)
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
