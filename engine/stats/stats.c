/* SPDX-License-Identifier: MIT */
#include "base/fail.h"
#include "base/io.h"
#include "base/sized.h"
#include "base/voice.h"
#include "store/store.h"
#include "view/mark.h"
#include <backuptool/stats.h>
#include <stdlib.h>
#include <string.h>

struct run {
	struct bt_store *store;
	const struct bt_observer *observer;
	const struct bt_filter *filter;
	struct bt_mark mark, others; /* what selected snapshots need, and what the others do */
	struct bt_digest_set held;   /* contents that a file looked at before has */
	struct bt_digest_set held_pages;
	uint64_t fresh;
	struct bt_file *file; /* being looked at */
	bool *told;	      /* of each ordinal: that the file cannot be read */
	struct bt_stats stats;
};

struct told {
	void (*snapshot)(void *arg, const struct bt_stats_snapshot *snapshot);
	void *arg;
};

static void count_fresh(void *arg, const struct bt_chunk *content)
{
	struct run *run = arg;

	run->fresh += content->size;
	run->stats.contents++;
	run->stats.unique += content->size;
}

/* What cannot be read does not end it; anything else does. */
static int pass_over(struct run *run, const char *path, int result, const struct bt_error *found,
		     struct bt_error *error)
{
	if (result != BT_E_DAMAGED && result != BT_E_SYSTEM)
		return bt_error_pass(error, found, result);
	run->stats.unread++;
	bt_tell(run->observer, path, found);
	return 0;
}

static int mark_snapshot(struct run *run, struct bt_mark *mark, const char *name, struct bt_error *error)
{
	mark->progress = run->mark.progress;
	int r = bt_mark_snapshot(mark, name, error);
	mark->depth = 0; /* the rest of one that is damaged */
	run->mark.progress.files++;
	return r;
}

/* A snapshot that is selected, and told of. */
static int count_snapshot(struct run *run, const struct bt_snapshot_info *info, struct told *told,
			  struct bt_error *error)
{
	struct bt_stats_snapshot seen = {info->name, info->time, info->files, info->directory_size,
					 0,	     info->host, info->target};

	run->fresh = 0;
	run->stats.snapshots++;
	run->stats.files += seen.files;
	run->stats.logical += seen.size;
	int r = mark_snapshot(run, &run->mark, info->name, error);
	seen.fresh = run->fresh;
	if (!r && told->snapshot)
		told->snapshot(told->arg, &seen);
	return r;
}

static int see_snapshot(struct run *run, const char *name, struct told *told, struct bt_error *error)
{
	struct bt_snapshot *snapshot;
	int r = bt_snapshot_open(run->store, name, &snapshot, error);

	if (r)
		return r;
	const struct bt_snapshot_info *info = bt_snapshot_info(snapshot);
	if (bt_filter_selects(run->filter, info))
		r = count_snapshot(run, info, told, error);
	else
		r = mark_snapshot(run, &run->others, name, error);
	bt_snapshot_close(snapshot);
	return r;
}

static int see_content(void *arg, const struct bt_block *block, const struct bt_digest *digest, uint32_t offset,
		       uint32_t size)
{
	struct run *run = arg;
	uint64_t text = ((uint64_t)block->length * size + block->size - 1) / block->size;

	text = bt_file_stored(run->file, text);
	bool selected = bt_digest_set_has(&run->mark.contents, digest);
	bool needed = selected || bt_digest_set_has(&run->others.contents, digest);
	int added = needed ? bt_digest_set_add(&run->held, digest) : 0;

	if (added < 0)
		return added;
	*(!added ? &run->stats.dead : selected ? &run->stats.stored : &run->stats.others) += text;
	return 0;
}

static int see_page(void *arg, const struct bt_digest *id, uint64_t at, uint32_t length)
{
	struct run *run = arg;
	bool needed = bt_digest_set_has(&run->mark.pages, id) || bt_digest_set_has(&run->others.pages, id);
	int added = needed ? bt_digest_set_add(&run->held_pages, id) : 0;

	if (added < 0)
		return added;
	run->stats.dead += added ? 0 : bt_file_stored(run->file, length);
	return 0;
}

static int see_file(struct run *run, const struct bt_file_id *id, struct bt_error *error)
{
	struct bt_index_visitor visitor = {run, see_content, see_page};
	struct bt_error found = {0};

	run->stats.store_files++;
	run->stats.store_bytes += id->size;
	run->stats.at_rest_files += id->at_rest;
	int r = bt_store_file(run->store, id->ordinal, &run->file, &found);
	if (!r)
		r = bt_file_visit(run->file, &visitor, &found);
	if (!r || (run->told[id->ordinal] && (r == BT_E_DAMAGED || r == BT_E_SYSTEM)))
		return 0;
	return pass_over(run, *found.file ? found.file : id->name, r, &found, error);
}

/* Whether what was told is about the file itself, which is read once more. */
static void note_told(struct run *run, uint32_t ordinal, const struct bt_error *found)
{
	const struct bt_file_id *id = bt_store_file_id(run->store, ordinal);

	run->told[ordinal] = !strcmp(found->file, id->path) || !strcmp(found->file, id->name);
}

static int see_snapshots(struct run *run, struct told *told, struct bt_error *error)
{
	int r = 0;

	run->mark.progress.total_files = bt_store_snapshot_count(run->store);
	for (size_t i = 0; i < bt_store_snapshot_count(run->store) && !r; i++) {
		const char *name = bt_store_snapshot_name(run->store, i);
		struct bt_error found = {0};

		r = see_snapshot(run, name, told, &found);
		if (r)
			note_told(run, bt_store_snapshot_number(run->store, i), &found);
		if (r)
			r = pass_over(run, name, r, &found, error);
	}
	return r;
}

/* Snapshots first: what they bring themselves is not dead because a volume has it, too. */
static int see_files(struct run *run, bool snapshots, struct bt_error *error)
{
	int r = 0;

	for (uint32_t i = 0; i < bt_store_file_count(run->store) && !r; i++) {
		const struct bt_file_id *id = bt_store_file_id(run->store, i);

		if (bt_cancelled(run->observer))
			return bt_fail(error, BT_E_CANCELLED, NULL, NULL);
		if (!id->gone && id->snapshot == snapshots)
			r = see_file(run, id, error);
	}
	return r;
}

int bt_stats_gather(struct bt_store *store, const struct bt_filter *filter,
		    void (*snapshot)(void *arg, const struct bt_stats_snapshot *snapshot), void *arg,
		    const struct bt_observer *observer, struct bt_stats *ret_stats, struct bt_error *error)
{
	struct run run = {.store = store, .filter = filter, .observer = observer};
	struct told told = {snapshot, arg};
	int fd = -1, r = bt_sized_check(ret_stats, error);

	if (r)
		return r;
	r = bt_store_lock_for_reading(store, observer, &fd, error);
	run.mark = (struct bt_mark){.store = store, .observer = observer, .added = count_fresh, .arg = &run};
	run.others = (struct bt_mark){.store = store, .observer = observer};
	run.told = calloc(bt_store_file_count(store) + 1, sizeof(*run.told));
	if (!r && !run.told)
		r = bt_fail(error, BT_E_NOMEM, NULL, NULL);
	if (!r)
		r = see_snapshots(&run, &told, error);
	if (!r)
		r = see_files(&run, true, error);
	if (!r)
		r = see_files(&run, false, error);
	bt_close(&fd);
	bt_mark_free(&run.mark);
	bt_mark_free(&run.others);
	free(run.told);
	bt_digest_set_free(&run.held);
	bt_digest_set_free(&run.held_pages);
	if (!r)
		bt_sized_give(ret_stats, &run.stats, sizeof(run.stats));
	return r ? r : run.stats.unread ? bt_fail(error, BT_E_INCOMPLETE, NULL, NULL) : 0;
}
