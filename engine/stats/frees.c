/* SPDX-License-Identifier: MIT */
/* What removing one snapshot alone would free. */
#include "base/fail.h"
#include "base/io.h"
#include "store/store.h"
#include "view/mark.h"
#include <backuptool/stats.h>

struct frees {
	struct bt_store *store;
	const struct bt_observer *observer;
	const struct bt_filter *filter;
	struct bt_mark seen;   /* what the snapshots so far need */
	struct bt_mark shared; /* what at least two of them need */
	struct bt_mark one;    /* what a single one needs besides seen, or besides shared */
	int failed;	       /* while shared was marked; the first */
	struct bt_error why;
	uint64_t own;
	void (*snapshot)(void *arg, const char *name, uint64_t frees);
	void *arg;
};

static void note_shared(void *arg, const struct bt_digest *digest, bool page)
{
	struct frees *frees = arg;
	int r;

	if (frees->failed)
		return;
	r = page ? bt_mark_page(&frees->shared, digest, &frees->why)
		 : bt_digest_set_add(&frees->shared.contents, digest);
	frees->failed = r < 0 ? r : 0;
}

static void count_own(void *arg, const struct bt_chunk *content)
{
	((struct frees *)arg)->own += content->size;
}

/* What cannot be read does not end it: what only that needs seems to be needed by fewer. */
static bool is_passed_over(int r)
{
	return r == BT_E_DAMAGED || r == BT_E_SYSTEM || r == BT_E_NOT_FOUND;
}

static void forget_one(struct frees *frees)
{
	frees->one.depth = 0;
	bt_digest_set_free(&frees->one.pages);
	bt_digest_set_free(&frees->one.contents);
}

static int mark_one(struct frees *frees, const char *name, struct bt_error *error)
{
	struct bt_error found = {0};
	int r = bt_mark_snapshot(&frees->one, name, &found);

	frees->one.progress.files++;
	if (r && !is_passed_over(r))
		return bt_error_pass(error, &found, r);
	return frees->failed && !is_passed_over(frees->failed) ? bt_error_pass(error, &frees->why, frees->failed) : 0;
}

/* A page that was seen before is shared with all below it. So each page is read at most twice, here and below. */
static int find_shared(struct frees *frees, const char *name, struct bt_error *error)
{
	int r = mark_one(frees, name, error);

	if (!r && (bt_digest_set_join(&frees->seen.pages, &frees->one.pages) ||
		   bt_digest_set_join(&frees->seen.contents, &frees->one.contents)))
		r = bt_fail(error, BT_E_NOMEM, NULL, NULL);
	frees->failed = 0;
	forget_one(frees);
	return r;
}

static bool is_selected(const struct frees *frees, const char *name)
{
	struct bt_snapshot *snapshot;
	struct bt_error unused = {0};

	if (bt_snapshot_open(frees->store, name, &snapshot, &unused))
		return false;
	bool selected = bt_filter_selects(frees->filter, bt_snapshot_info(snapshot));
	bt_snapshot_close(snapshot);
	return selected;
}

static int count_one(struct frees *frees, const char *name, struct bt_error *error)
{
	int r;

	if (!is_selected(frees, name))
		return 0;
	frees->own = 0;
	r = mark_one(frees, name, error);
	forget_one(frees);
	if (!r)
		frees->snapshot(frees->arg, name, frees->own);
	return r;
}

static int each(struct frees *frees, int (*visit)(struct frees *frees, const char *name, struct bt_error *error),
		struct bt_error *error)
{
	size_t count = bt_store_snapshot_count(frees->store);
	int r = 0;

	for (size_t i = 0; i < count && !r; i++)
		r = visit(frees, bt_store_snapshot_name(frees->store, i), error);
	return r;
}

static int gather(struct frees *frees, struct bt_error *error)
{
	struct bt_mark *one = &frees->one;

	one->progress.total_files = 2 * bt_store_snapshot_count(frees->store);
	one->before = &frees->seen;
	one->known = note_shared;
	one->arg = frees;
	int r = each(frees, find_shared, error);
	one->before = &frees->shared;
	one->known = NULL;
	one->added = count_own;
	return r ? r : each(frees, count_one, error);
}

int bt_frees_gather(struct bt_store *store, const struct bt_filter *filter,
		    void (*snapshot)(void *arg, const char *name, uint64_t frees), void *arg,
		    const struct bt_observer *observer, struct bt_error *error)
{
	struct frees frees = {.store = store,
			      .observer = observer,
			      .filter = filter,
			      .seen = {.store = store, .observer = observer},
			      .shared = {.store = store, .observer = observer},
			      .one = {.store = store, .observer = observer},
			      .snapshot = snapshot,
			      .arg = arg};
	int fd = -1, r = bt_store_lock_for_reading(store, observer, &fd, error);

	if (!r)
		r = gather(&frees, error);
	bt_mark_free(&frees.seen);
	bt_mark_free(&frees.shared);
	bt_mark_free(&frees.one);
	bt_close(&fd);
	return r;
}
