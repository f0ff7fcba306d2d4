/* SPDX-License-Identifier: MIT */
/* Directories over their pages, and paths through them. */
#include "view/dir.h"
#include "base/bytes.h"
#include "base/fail.h"
#include "model/page.h"
#include "view/pages.h"
#include <internal/view.h>
#include <stdlib.h>
#include <string.h>

/* A page on the way to the last entry. */
struct step {
	const struct bt_page *page;
	uint64_t base;		     /* entries of the directory before this page */
	size_t child;		     /* of an index page: the one below, or the one to be read next */
	uint64_t before;	     /* entries on this page before that child */
	const struct bt_leaf *after; /* what follows this page; NULL: nothing */
};

struct bt_dir {
	struct bt_store *store;
	struct bt_digest tree;
	size_t depth;  /* pages on the way; the first is always there */
	size_t next;   /* entry, if the last page has entries */
	size_t leaves; /* index pages above the last leaf; 0: none was read yet */
	struct bt_page_reader reader;
	struct bt_page_reader *top;	    /* that read the first page */
	const struct bt_page_skim *skim;    /* or NULL */
	bool once;			    /* see bt_dir_read_once */
	const struct bt_dir_filter *filter; /* or NULL */
	struct step way[BT_DIR_LEVELS + 1];
};

static int compare_entry(const struct bt_entry *entry, const char *name, size_t length)
{
	return bt_name_compare(entry->name, entry->name_length, name, length);
}

static bool is_of_directory(const struct bt_page *page)
{
	return page->kind == BT_PAGE_ENTRIES || page->kind == BT_PAGE_LEAVES;
}

/* The first page, which is put if this fails. top NULL: the directory's own reader. */
static int make_dir(struct bt_store *store, const struct bt_page *page, const struct bt_digest *tree,
		    struct bt_page_reader *top, struct bt_dir **ret_dir, struct bt_error *error)
{
	struct bt_dir *dir = is_of_directory(page) ? malloc(sizeof(*dir)) : NULL;

	if (!dir) {
		int r = is_of_directory(page) ? bt_fail(error, BT_E_NOMEM, NULL, NULL)
					      : bt_page_fail(store, page, BT_R_BAD_TYPE, error);

		bt_page_put(store, page);
		return r;
	}
	dir->store = store;
	dir->tree = *tree;
	dir->depth = 1;
	dir->next = dir->leaves = 0;
	dir->reader = (struct bt_page_reader){0};
	dir->top = top ? top : &dir->reader;
	dir->skim = NULL;
	dir->once = false;
	dir->filter = NULL;
	dir->way[0] = (struct step){.page = page};
	*ret_dir = dir;
	return 0;
}

int bt_dir_new(struct bt_store *store, const struct bt_digest *tree, struct bt_dir **ret_dir, struct bt_error *error)
{
	const struct bt_page *page;
	int r = bt_page_get(store, tree, &page, error);

	return r ? r : make_dir(store, page, tree, NULL, ret_dir, error);
}

int bt_dir_open(struct bt_store *store, const struct bt_digest *tree, struct bt_page_reader *reader,
		const struct bt_page_skim *skim, struct bt_dir **ret_dir, struct bt_error *error)
{
	const struct bt_page *page;
	bool passes = false;
	int r = skim ? bt_page_skim(store, reader, tree, false, skim, &passes, error) : 0;

	*ret_dir = NULL;
	if (r || passes)
		return r;
	r = bt_page_read(store, reader, tree, false, &page, error);
	if (!r)
		r = make_dir(store, page, tree, reader, ret_dir, error);
	if (!r)
		(*ret_dir)->skim = skim;
	return r;
}

/* Leaves the pages below. */
static void cut_way(struct bt_dir *dir, size_t depth)
{
	while (dir->depth > depth) {
		dir->depth--;
		bt_page_leave(dir->store, dir->depth ? &dir->reader : dir->top, dir->way[dir->depth].page,
			      dir->once && dir->depth);
	}
}

void bt_dir_free(struct bt_dir *dir)
{
	if (!dir)
		return;
	cut_way(dir, 0);
	bt_page_reader_free(&dir->reader);
	free(dir);
}

static struct step *last_step(struct bt_dir *dir)
{
	return &dir->way[dir->depth - 1];
}

static bool has_entries(const struct step *step)
{
	return step->page->kind == BT_PAGE_ENTRIES;
}

static uint64_t count_entries(const struct bt_page *page)
{
	uint64_t count = 0;

	if (page->kind == BT_PAGE_ENTRIES)
		return page->count;
	for (size_t i = 0; i < page->count; i++)
		count += page->leaves[i].entries;
	return count;
}

static int compare_first(const struct bt_page *page, const struct bt_leaf *leaf)
{
	if (page->kind == BT_PAGE_ENTRIES)
		return compare_entry(&page->entries[0], leaf->name, leaf->name_length);
	return bt_name_compare(page->leaves[0].name, page->leaves[0].name_length, leaf->name, leaf->name_length);
}

static int compare_last(const struct bt_page *page, const struct bt_leaf *leaf)
{
	size_t last = page->count - 1;

	if (page->kind == BT_PAGE_ENTRIES)
		return compare_entry(&page->entries[last], leaf->name, leaf->name_length);
	return bt_name_compare(page->leaves[last].name, page->leaves[last].name_length, leaf->name, leaf->name_length);
}

/* What the index page says of a page below it. */
static enum bt_reason check_child(const struct bt_dir *dir, const struct bt_leaf *stated, const struct step *step)
{
	if (!step->page->count || count_entries(step->page) != stated->entries)
		return BT_R_BAD_SIZE;
	if (compare_first(step->page, stated))
		return BT_R_UNSORTED;
	if (step->after && compare_last(step->page, step->after) >= 0)
		return BT_R_UNSORTED;
	return !has_entries(step) && dir->depth >= BT_DIR_LEVELS ? BT_R_TOO_DEEP : BT_R_NONE;
}

/* Reads the child of the last page. On failure nothing changes. */
static int enter_child(struct bt_dir *dir, struct bt_error *error)
{
	const struct step *above = last_step(dir);
	const struct bt_leaf *stated = &above->page->leaves[above->child];
	struct step step = {.base = above->base + above->before,
			    .after = above->child + 1 < above->page->count ? stated + 1 : above->after};
	bool in_order = dir->leaves == dir->depth;

	dir->reader.room.expected = stated->entries;
	int r = bt_page_read(dir->store, &dir->reader, &stated->id, in_order, &step.page, error);

	if (r)
		return r;
	if (!is_of_directory(step.page)) {
		r = bt_page_fail(dir->store, step.page, BT_R_BAD_TYPE, error);
	} else {
		enum bt_reason reason = check_child(dir, stated, &step);

		r = reason ? bt_page_fail(dir->store, above->page, reason, error) : 0;
	}
	if (r) {
		bt_page_put(dir->store, step.page);
		return r;
	}
	if (has_entries(&step))
		dir->leaves = dir->depth;
	dir->next = 0;
	dir->way[dir->depth++] = step;
	return 0;
}

static void pass_child(struct step *step)
{
	step->before += step->page->leaves[step->child++].entries;
}

void bt_dir_read_once(struct bt_dir *dir)
{
	dir->once = true;
}

void bt_dir_set_filter(struct bt_dir *dir, const struct bt_dir_filter *filter)
{
	dir->filter = filter;
}

/* The child, if the filter is to be told of it. */
static const struct bt_leaf *filtered(const struct bt_dir *dir, const struct step *step)
{
	const struct bt_leaf *child = &step->page->leaves[step->child];

	return dir->filter && (dir->filter->leaves || child->entries > BT_LEAF_ENTRIES) ? child : NULL;
}

/* Whether nothing of the child is wanted, by its line or because the filter knows it. */
static int may_pass(struct bt_dir *dir, const struct step *step, bool *ret_passes, struct bt_error *error)
{
	const struct bt_leaf *child = filtered(dir, step);
	bool in_order = dir->leaves == dir->depth;

	*ret_passes = child && dir->filter->skips(dir->filter->arg, &child->id, dir->depth);
	if (*ret_passes || !dir->skim)
		return 0;
	child = &step->page->leaves[step->child];
	int r = bt_page_skim(dir->store, &dir->reader, &child->id, in_order, dir->skim, ret_passes, error);
	if (!r && *ret_passes)
		dir->leaves = dir->depth;
	return r;
}

static int enter_or_pass(struct bt_dir *dir, struct bt_error *error)
{
	struct step *step = last_step(dir);
	bool passes;
	int r = may_pass(dir, step, &passes, error);

	if (r)
		return r;
	if (!passes)
		return enter_child(dir, error);
	pass_child(step);
	return 0;
}

static void leave_child(struct bt_dir *dir)
{
	cut_way(dir, dir->depth - 1);
	const struct bt_leaf *child = filtered(dir, last_step(dir));
	if (child && dir->filter->ended)
		dir->filter->ended(dir->filter->arg, &child->id, dir->depth);
	pass_child(last_step(dir));
}

static bool is_ended(const struct bt_dir *dir, const struct step *step)
{
	return has_entries(step) ? dir->next >= step->page->count : step->child >= step->page->count;
}

static const struct bt_entry *give(struct bt_dir *dir, size_t index)
{
	dir->next = index + 1;
	return &last_step(dir)->page->entries[index];
}

int bt_dir_next(struct bt_dir *dir, const struct bt_entry **ret_entry, struct bt_error *error)
{
	for (;;) {
		const struct step *step = last_step(dir);
		bool ended = is_ended(dir, step);
		int r = 0;

		if (has_entries(step) && !ended) {
			*ret_entry = give(dir, dir->next);
			return 0;
		}
		if (ended && dir->depth == 1) {
			*ret_entry = NULL;
			return 0;
		}
		if (ended)
			leave_child(dir);
		else
			r = enter_or_pass(dir, error);
		if (r)
			return r;
	}
}

/* The page that is to be read next; NULL if there are entries of the last one before it, or nothing is left. */
static const struct bt_leaf *next_page(struct bt_dir *dir)
{
	while (is_ended(dir, last_step(dir)) && dir->depth > 1)
		leave_child(dir);
	const struct step *step = last_step(dir);
	return has_entries(step) || is_ended(dir, step) ? NULL : &step->page->leaves[step->child];
}

void bt_dir_skip_common(struct bt_dir *a, struct bt_dir *b)
{
	for (;;) {
		const struct bt_leaf *pages[2] = {next_page(a), next_page(b)};

		if (!pages[0] || !pages[1])
			return;
		if (bt_digest_equal(&pages[0]->id, &pages[1]->id)) {
			pass_child(last_step(a));
			pass_child(last_step(b));
			continue;
		}
		/* the larger one may have the other one in it; both begin alike, or nothing is common here */
		if (bt_name_compare(pages[0]->name, pages[0]->name_length, pages[1]->name, pages[1]->name_length))
			return;
		bool both = pages[0]->entries == pages[1]->entries, first = pages[0]->entries > pages[1]->entries;
		if (((both || first) && enter_child(a, NULL)) || ((both || !first) && enter_child(b, NULL)))
			return;
	}
}

bool bt_dir_skip(struct bt_dir *dir)
{
	struct step *step = last_step(dir);

	if (has_entries(step) || step->child >= step->page->count)
		return false;
	pass_child(step);
	return true;
}

/* Makes this child the next one on the way. */
static int go_to_child(struct bt_dir *dir, size_t depth, size_t child, struct bt_error *error)
{
	struct step *step = &dir->way[depth];

	if (child == step->child && dir->depth > depth + 1)
		return 0;
	cut_way(dir, depth + 1);
	dir->reader.ahead.known &= child == step->child + 1;
	if (child < step->child)
		step->child = step->before = 0;
	while (step->child < child)
		pass_child(step);
	return enter_child(dir, error);
}

/* The last child that begins with this name or one before it. */
static size_t child_of(const struct bt_page *page, const char *name, size_t length)
{
	size_t lo = 0, hi = page->count;

	while (hi - lo > 1) {
		size_t middle = lo + (hi - lo) / 2;
		const struct bt_leaf *leaf = &page->leaves[middle];

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
	size_t depth = 0;

	for (; !has_entries(&dir->way[depth]); depth++) {
		int r = go_to_child(dir, depth, child_of(dir->way[depth].page, name, length), error);

		if (r)
			return r;
	}
	const struct bt_page *page = dir->way[depth].page;
	for (size_t lo = 0, hi = page->count; lo < hi;) {
		size_t middle = lo + (hi - lo) / 2;
		int order = compare_entry(&page->entries[middle], name, length);

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

/* The child of an index page with this entry of it, or its count if there is none. */
static size_t child_at(const struct step *step, uint64_t index)
{
	bool ahead = index >= step->before;
	size_t child = ahead ? step->child : 0;
	uint64_t left = index - (ahead ? step->before : 0);

	while (child < step->page->count && left >= step->page->leaves[child].entries)
		left -= step->page->leaves[child++].entries;
	return child;
}

int bt_dir_at(struct bt_dir *dir, uint64_t index, const struct bt_entry **ret_entry, struct bt_error *error)
{
	const struct step *last = last_step(dir);
	bool there = has_entries(last) && index >= last->base && index - last->base < last->page->count;

	for (size_t depth = 0; !there && !has_entries(&dir->way[depth]); depth++) {
		const struct step *step = &dir->way[depth];
		size_t child = child_at(step, index - step->base);
		int r = child < step->page->count ? go_to_child(dir, depth, child, error) : BT_E_NOT_FOUND;

		if (r)
			return r;
	}
	last = last_step(dir);
	if (index - last->base >= last->page->count)
		return BT_E_NOT_FOUND;
	*ret_entry = give(dir, (size_t)(index - last->base));
	return 0;
}

uint64_t bt_dir_count(const struct bt_dir *dir)
{
	return count_entries(dir->way[0].page);
}

struct bt_dir_place bt_dir_here(const struct bt_dir *dir)
{
	const struct step *step = &dir->way[dir->depth - 1];
	const struct bt_digest *id = dir->depth > 1 ? &step[-1].page->leaves[step[-1].child].id : &dir->tree;

	return (struct bt_dir_place){step->page, id, step->base, dir->next - 1};
}

int bt_dir_lookup(struct bt_store *store, const struct bt_digest *tree, const char *name, size_t name_length,
		  const struct bt_page **ret_page, const struct bt_entry **ret_entry, struct bt_error *error)
{
	struct bt_dir *dir;
	int r = bt_dir_new(store, tree, &dir, error);

	if (r)
		return r;
	r = bt_dir_find(dir, name, name_length, ret_entry, error);
	if (!r) /* its pin goes to the caller */
		*ret_page = dir->way[--dir->depth].page;
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
