/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "base/fail.h"
#include "base/sized.h"
#include "base/vec.h"
#include "compare/run.h"
#include "view/dir.h"
#include <stdlib.h>
#include <string.h>

int bt_compare_cancelled(const struct bt_compare_run *run)
{
	return bt_cancelled(run->call->observer) ? BT_E_CANCELLED : 0;
}

void bt_compare_progress(struct bt_compare_run *run, uint64_t files, uint64_t bytes)
{
	const struct bt_observer *observer = run->call->observer;

	run->progress.files += files;
	run->progress.bytes += bytes;
	if (!bt_pace_due(&run->pace, observer))
		return;
	run->progress.path = bt_compare_path(run);
	observer->progress(observer->arg, &run->progress);
}

const char *bt_compare_path(struct bt_compare_run *run)
{
	if (bt_buf_append(&run->path, "", 1))
		return NULL;
	run->path.length--;
	return (const char *)run->path.data;
}

int bt_compare_problem(struct bt_compare_run *run, const struct bt_error *error)
{
	const struct bt_observer *observer = run->call->observer;
	const char *path = bt_compare_path(run);

	if (!path || error->code == BT_E_NOMEM)
		return BT_E_NOMEM;
	run->result.errors++;
	if (observer && observer->problem)
		observer->problem(observer->arg, path, error);
	return 0;
}

static uint64_t file_size(const struct bt_entry *entry)
{
	return entry && entry->type == BT_FILE ? entry->size : 0;
}

static int tell_one(struct bt_compare_run *run, enum bt_change_kind kind, const struct bt_entry *before,
		    const struct bt_entry *after)
{
	struct bt_change change = {kind, bt_compare_path(run), before, after};
	uint64_t old = file_size(before), new = file_size(after);

	if (!change.path)
		return BT_E_NOMEM;
	run->result.counts[kind]++;
	if (new > old)
		run->result.added_bytes += new - old;
	else
		run->result.removed_bytes += old - new;
	run->call->found(run->call->arg, &change);
	return 0;
}

/* The directories on the way that lead to something after all. */
static int tell_way(struct bt_compare_run *run)
{
	size_t length = run->path.length;
	int r = 0;

	for (size_t i = 1; !r && i < run->count; i++) {
		struct bt_compare_level *level = &run->levels[i];

		if (!level->untold)
			continue;
		level->untold = false;
		unsigned char next = run->path.data[level->path];
		run->path.length = level->path;
		r = tell_one(run, BT_CHANGE_ADDED, NULL, run->levels[i - 1].after.entry);
		run->path.data[level->path] = next;
		run->path.length = length;
	}
	return r;
}

static int tell(struct bt_compare_run *run, enum bt_change_kind kind, const struct bt_entry *before,
		const struct bt_entry *after)
{
	int r = tell_way(run);

	return r ? r : tell_one(run, kind, before, after);
}

static void list_end(struct bt_compare_run *run, struct bt_compare_list *list)
{
	if (list->live)
		bt_scan_done(run->scan, list->live);
	bt_dir_free(list->dir);
	bt_arena_free(&list->arena);
	*list = (struct bt_compare_list){0};
}

/* One side of the directory cannot be read: so what differs in it is unknown. */
static int give_up(struct bt_compare_run *run, struct bt_compare_level *level, const struct bt_error *error)
{
	int r = bt_compare_problem(run, error);

	list_end(run, &level->before);
	list_end(run, &level->after);
	return r;
}

/* The present path is that of the directory. */
static int advance(struct bt_compare_run *run, struct bt_compare_level *level, struct bt_compare_list *list)
{
	struct bt_error error = {0};

	list->entry = NULL;
	run->path.length = level->path;
	if (list->live)
		return bt_live_next(run, list);
	if (!list->dir)
		return 0;
	int r = bt_dir_next(list->dir, &list->entry, &error);
	return r ? give_up(run, level, &error) : 0;
}

/* Enters a directory on both sides; either may be NULL. Takes over the scan's directory. */
struct pair {
	const struct bt_entry *before, *after;
	struct bt_scan_dir *live;
	bool untold; /* see the level */
};

static int start_list(struct bt_store *store, const struct bt_entry *entry, struct bt_compare_list *list,
		      struct bt_error *error)
{
	if (!entry || entry->type != BT_DIR || !entry->has_digest)
		return 0;
	return bt_dir_new(store, &entry->digest, &list->dir, error);
}

static int bad_rules(struct bt_compare_run *run, const struct bt_scan_dir *live)
{
	struct bt_error error = {0};

	bt_fail_sys(&error, live->rules_error, live->rules_name, "use the patterns of the file");
	return bt_compare_problem(run, &error);
}

static int start_live(struct bt_compare_run *run, struct bt_scan_dir *live, struct bt_compare_list *list,
		      struct bt_error *error)
{
	list->live = live;
	int r = live ? bt_scan_list(run->scan, live, error) : 0;
	if (!r && live && live->rules_error)
		r = bad_rules(run, live);
	return !r && live && live->error ? bt_fail_sys(error, live->error, NULL, "list") : r;
}

static int enter(struct bt_compare_run *run, const struct pair *pair)
{
	struct bt_compare_level level = {.path = run->path.length, .untold = pair->untold}, *top;
	struct bt_error error = {0};

	if (bt_vec_room(run->levels, run->count, run->room)) {
		if (pair->live)
			bt_scan_done(run->scan, pair->live);
		return BT_E_NOMEM;
	}
	top = &run->levels[run->count++];
	*top = level;
	int r = start_live(run, pair->live, &top->after, &error);
	if (!r)
		r = start_list(run->store_before, pair->before, &top->before, &error);
	if (!r && run->store_after)
		r = start_list(run->store_after, pair->after, &top->after, &error);
	if (r)
		return give_up(run, top, &error);
	top->pass_before = top->pass_after = true;
	return 0;
}

static int add_name(struct bt_compare_run *run, const struct bt_entry *entry)
{
	if ((run->path.length && bt_buf_append(&run->path, "/", 1)) ||
	    bt_buf_append(&run->path, entry->name, entry->name_length))
		return BT_E_NOMEM;
	return 0;
}

static bool equal_below(const struct pair *pair)
{
	return !pair->live && pair->before->has_digest && pair->after->has_digest &&
	       bt_digest_equal(&pair->before->digest, &pair->after->digest);
}

static enum bt_change_kind kind_of(const struct bt_entry *before, const struct bt_entry *after)
{
	if (!bt_same_content(before, after))
		return BT_CHANGE_CONTENT;
	return bt_same_metadata(before, after) && bt_same_xattrs(before, after) ? BT_CHANGE_KINDS : BT_CHANGE_METADATA;
}

static bool is_dir(const struct bt_entry *entry)
{
	return entry && entry->type == BT_DIR;
}

/* Whether another file system begins there, whose contents a snapshot does not have. */
static bool is_boundary(const struct bt_entry *entry)
{
	return entry->extra && entry->extra->boundary;
}

static bool unread(const struct bt_entry *entry)
{
	return entry->extra && entry->extra->error;
}

/* An entry that could be read on one side only may or may not differ, and may have lost entries. */
static int tell_unread(struct bt_compare_run *run)
{
	struct bt_error error = {0};

	bt_fail(&error, BT_E_INCOMPLETE, NULL, "it could not be read when the snapshot was taken");
	return bt_compare_problem(run, &error);
}

/* Compares the entries of one name, with all below. level NULL: the roots. */
static int see(struct bt_compare_run *run, struct bt_compare_level *level, const struct pair *pair)
{
	const struct bt_entry *before = pair->before, *after = pair->after;
	enum bt_change_kind kind = !before			 ? BT_CHANGE_ADDED
				   : !after			 ? BT_CHANGE_REMOVED
				   : before->type != after->type ? BT_CHANGE_TYPE
								 : BT_CHANGE_KINDS;
	int r = 0;
	bool beyond = kind == BT_CHANGE_KINDS && (is_boundary(before) || is_boundary(after));
	bool known = kind != BT_CHANGE_KINDS || beyond || unread(before) == unread(after);
	bool enters = known && !beyond && (is_dir(before) || is_dir(after));

	if (!known)
		r = tell_unread(run);
	else if (beyond)
		kind = BT_CHANGE_KINDS;
	else if (kind == BT_CHANGE_KINDS && level && level->after.found)
		r = bt_live_compare(run, before, level, &kind);
	else if (kind == BT_CHANGE_KINDS)
		kind = kind_of(before, after);
	bt_compare_progress(run, !enters, 0);
	if (!r && kind != BT_CHANGE_KINDS && !pair->untold)
		r = tell(run, kind, before, after);
	if (!r && enters && !(is_dir(before) && is_dir(after) && equal_below(pair)))
		return enter(run, pair);
	if (pair->live)
		bt_scan_done(run->scan, pair->live);
	return r;
}

/* Finds the lists that have the next name. */
static int order(const struct bt_compare_level *level)
{
	const struct bt_entry *a = level->before.entry, *b = level->after.entry;

	if (!a || !b)
		return a ? -1 : 1;
	return bt_name_compare(a->name, a->name_length, b->name, b->name_length);
}

static void leave(struct bt_compare_run *run)
{
	struct bt_compare_level *level = &run->levels[--run->count];

	list_end(run, &level->before);
	list_end(run, &level->after);
}

/* A directory on another file system that is not entered exists, but its contents are unknown. */
static bool hidden(const struct bt_compare_list *list)
{
	return list->live && list->entry && list->hidden;
}

static int advance_both(struct bt_compare_run *run, struct bt_compare_level *level)
{
	if (level->pass_before && level->pass_after && level->before.dir && level->after.dir)
		bt_dir_skip_common(level->before.dir, level->after.dir);
	int r = level->pass_before ? advance(run, level, &level->before) : 0;
	if (!r && level->pass_after)
		r = advance(run, level, &level->after);
	level->pass_before = level->pass_after = false;
	return r;
}

/* Ends the list if there is more than a snapshot can have: a report of the rest would never end. */
static int give_up_all(struct bt_compare_run *run)
{
	while (run->count)
		leave(run);
	return 0;
}

static int take(struct bt_compare_run *run, struct bt_bounds *bounds, bool *ret_beyond)
{
	struct bt_error error = {0};

	*ret_beyond = bt_bounds_take(bounds, run->path.length, &error) != 0;
	if (!*ret_beyond)
		return 0;
	run->path.length = 0;
	return bt_compare_problem(run, &error);
}

/* Counts the entries found on either side. */
static int take_pair(struct bt_compare_run *run, const struct bt_compare_level *level, const struct pair *pair,
		     bool *ret_beyond)
{
	int r = pair->before ? take(run, &run->before, ret_beyond) : 0;

	if (!r && !*ret_beyond && pair->after && !level->after.live)
		r = take(run, &run->after, ret_beyond);
	return r;
}

static int step(struct bt_compare_run *run)
{
	struct bt_compare_level *level = &run->levels[run->count - 1];
	int r = advance_both(run, level);

	if (r)
		return r;
	if (!level->before.entry && !level->after.entry) {
		leave(run);
		return 0;
	}
	int side = order(level);
	struct pair pair = {.before = side <= 0 ? level->before.entry : NULL,
			    .after = side >= 0 ? level->after.entry : NULL};
	level->pass_before = pair.before;
	level->pass_after = pair.after;
	if (pair.after && level->after.live) {
		pair.live = level->after.found->child;
		pair.untold = !pair.before && pair.live && level->after.found->way;
	}
	run->path.length = level->path;
	bool beyond = false;
	r = add_name(run, pair.before ? pair.before : pair.after);
	if (!r)
		r = take_pair(run, level, &pair, &beyond);
	if (beyond && pair.live)
		bt_scan_done(run->scan, pair.live);
	if (beyond)
		return r ? r : give_up_all(run);
	if (r || (pair.after && hidden(&level->after)))
		return r;
	if (!pair.before && run->exclusion.exclusion.known_only) {
		if (pair.live)
			bt_scan_done(run->scan, pair.live);
		return 0;
	}
	return see(run, level, &pair);
}

/* top: the list of the roots, if one of them is live. */
static int walk(struct bt_compare_run *run, struct bt_compare_level *top, const struct pair *roots)
{
	int r = see(run, top, roots);

	while (!r && run->count) {
		r = bt_compare_cancelled(run);
		if (!r)
			r = step(run);
	}
	return r;
}

static int finish(struct bt_compare_run *run, int r, struct bt_compare_result *ret_result, struct bt_error *error)
{
	while (run->count)
		leave(run);
	bt_live_close(run);
	free(run->levels);
	bt_buf_free(&run->path);
	bt_sized_give(ret_result, &run->result, sizeof(run->result));
	if (!r && run->result.errors)
		r = BT_E_INCOMPLETE;
	return r ? bt_fail(error, (enum bt_code)r, NULL, "compare the trees") : 0;
}

int bt_compare(const struct bt_side *before, const struct bt_side *after, const struct bt_compare_call *call,
	       struct bt_compare_result *ret_result, struct bt_error *error)
{
	struct bt_compare_run run = {.call = call,
				     .store_before = before->store,
				     .store_after = after->store,
				     .before = bt_bounds_of(before->store, before->info),
				     .after = bt_bounds_of(after->store, after->info)};
	struct pair roots = {.before = before->entry, .after = after->entry};

	if (bt_sized_check(ret_result, error))
		return BT_E_INVALID;
	return finish(&run, walk(&run, NULL, &roots), ret_result, error);
}

int bt_compare_live(const struct bt_side *before, const struct bt_live *after, const struct bt_compare_call *call,
		    struct bt_compare_result *ret_result, struct bt_error *error)
{
	struct bt_compare_run run = {
		.call = call, .store_before = before->store, .before = bt_bounds_of(before->store, before->info)};
	struct bt_compare_level top = {0};
	struct pair roots = {.before = before->entry};
	struct bt_live live;

	if (bt_sized_take(&live, sizeof(live), after, error) || bt_sized_check(ret_result, error))
		return BT_E_INVALID;
	int r = bt_live_open(&run, before, &live, &top.after, error);
	if (!r) {
		roots.after = top.after.entry;
		roots.live = run.scan ? bt_scan_root(run.scan) : NULL;
		r = walk(&run, &top, &roots);
	}
	bt_arena_free(&top.after.arena);
	return finish(&run, r, ret_result, error);
}
