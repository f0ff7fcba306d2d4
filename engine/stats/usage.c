/* SPDX-License-Identifier: MIT */
#include "base/fail.h"
#include "base/io.h"
#include "store/store.h"
#include "view/mark.h"
#include "view/walk.h"
#include <backuptool/stats.h>
#include <string.h>

struct sums {
	uint64_t size, files, own;
};

struct usage {
	struct bt_store *store;
	const struct bt_snapshot_info *info;
	const struct bt_observer *observer;
	struct bt_mark others, mine; /* what other snapshots need; what was seen of this one */
	struct sums *sums;	     /* of the directory that is gone through */
	void (*directory)(void *arg, const struct bt_usage *usage);
	void *arg;
	uint64_t unread;
};

static void count_own(void *arg, const struct bt_chunk *content)
{
	struct usage *usage = arg;

	if (!bt_digest_set_has(&usage->others.contents, &content->digest))
		usage->sums->own += content->size;
}

/* What cannot be read does not end it. */
static int pass_over(struct usage *usage, const char *path, int r, const struct bt_error *found, struct bt_error *error)
{
	if (r != BT_E_DAMAGED && r != BT_E_SYSTEM)
		return bt_error_pass(error, found, r);
	usage->unread++;
	bt_tell(usage->observer, path, found);
	return 0;
}

/* Contents of snapshots that cannot be read seem to be this one's own. */
static int mark_others(struct usage *usage, struct bt_error *error)
{
	size_t count = bt_store_snapshot_count(usage->store);
	int r = 0;

	usage->others.progress.total_files = count;
	for (size_t i = 0; i < count && !r; i++) {
		const char *name = bt_store_snapshot_name(usage->store, i);
		struct bt_error found = {0};

		usage->others.progress.files = i;
		if (!strcmp(name, usage->info->name))
			continue;
		r = bt_mark_snapshot(&usage->others, name, &found);
		usage->others.depth = 0; /* the rest of one that is damaged */
		if (r)
			r = pass_over(usage, name, r, &found, error);
	}
	return r;
}

static int see_file(struct usage *usage, const struct bt_walk_step *step, struct bt_error *error)
{
	struct bt_error found = {0};
	int r;

	usage->sums->files++;
	usage->sums->size += step->entry->size;
	r = bt_mark_entry(&usage->mine, step->entry, &found);
	return r ? pass_over(usage, step->path, r, &found, error) : 0;
}

static void end_directory(struct usage *usage, const struct bt_walk *walk, const struct bt_walk_step *step)
{
	struct sums *above = bt_walk_above(walk);
	const struct sums *sums = usage->sums;

	usage->directory(usage->arg,
			 &(struct bt_usage){step->path, step->depth - 1, sums->size, sums->files, sums->own});
	if (!above)
		return;
	above->size += sums->size;
	above->files += sums->files;
	above->own += sums->own;
}

static int walk_on(struct usage *usage, struct bt_walk *walk, bool *ret_more, struct bt_error *error)
{
	struct bt_error found = {0};
	struct bt_walk_step step;
	int r = bt_walk_next(walk, &step, &found);

	usage->sums = bt_walk_level(walk);
	*ret_more = usage->sums;
	if (bt_cancelled(usage->observer))
		return bt_fail(error, BT_E_CANCELLED, NULL, NULL);
	if (r)
		return pass_over(usage, step.path, r, &found, error);
	if (step.entry)
		return step.entry->type == BT_FILE ? see_file(usage, &step, error) : 0;
	if (usage->sums)
		end_directory(usage, walk, &step);
	return 0;
}

static int walk_all(struct usage *usage, const struct bt_entry *from, struct bt_error *error)
{
	const struct bt_walk_options options = {.info = usage->info, .level_size = sizeof(struct sums), .ends = true};
	struct bt_walk *walk;
	bool more = true;
	int r = bt_walk_begin(usage->store, &options, from, &walk, error);

	if (r)
		return r;
	while (!r && more)
		r = walk_on(usage, walk, &more, error);
	bt_walk_free(walk);
	return r;
}

int bt_usage_gather(struct bt_store *store, const struct bt_snapshot_info *info, const struct bt_entry *from,
		    void (*directory)(void *arg, const struct bt_usage *usage), void *arg,
		    const struct bt_observer *observer, struct bt_error *error)
{
	struct usage usage = {.store = store, .info = info, .observer = observer, .directory = directory, .arg = arg};
	int fd = -1, r = bt_store_lock_for_reading(store, observer, &fd, error);

	usage.others = (struct bt_mark){.store = store, .observer = observer};
	usage.mine = (struct bt_mark){.store = store, .observer = observer, .added = count_own, .arg = &usage};
	if (!r)
		r = mark_others(&usage, error);
	if (!r)
		r = walk_all(&usage, from, error);
	bt_mark_free(&usage.others);
	bt_mark_free(&usage.mine);
	bt_close(&fd);
	return r || !usage.unread ? r : bt_fail(error, BT_E_INCOMPLETE, NULL, "not everything could be read");
}
