/* SPDX-License-Identifier: MIT */
#include "snapshot/finish.h"

#include "base/fail.h"
#include "snapshot/entry.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char *path_of(const struct bt_snap_item *item)
{
	return bt_scan_path(item->node->dir, item->kind == BT_SNAP_DIRECTORY ? NULL : item->found->name);
}

static int tell_problem(struct bt_snap_finish *finish, const struct bt_snap_item *item, enum bt_code code, int sys,
			const char *what)
{
	struct bt_error problem = {0};
	char *path = path_of(item);

	if (!path)
		return BT_E_NOMEM;
	if (sys != 0)
		bt_fail_sys(&problem, sys, path, what);
	else
		bt_fail(&problem, code, path, what);
	finish->totals.problems++;
	bt_voice_tell(&finish->plan->observer->voice, path, &problem);
	free(path);
	return 0;
}

/* Makes an entry from stat(2) alone. Devices and the like have nothing else anyway. */
static int make_failed(struct bt_snap_finish *finish, struct bt_snap_item *item, struct bt_arena *arena)
{
	if (bt_found_describe(arena, &item->outcome.seen, finish->plan->source.root_dev, &item->entry))
		return BT_E_NOMEM;
	if (item->entry.type == 0)
		item->entry.type = BT_FILE;
	if (item->entry.type <= BT_SYMLINK) {
		struct bt_extra *extra = bt_found_extra(arena, &item->entry);

		if (!extra)
			return BT_E_NOMEM;
		extra->error = bt_errno_name(item->outcome.sys);
	}
	return tell_problem(finish, item, BT_E_SYSTEM, item->outcome.sys, "read");
}

static int make_torn(struct bt_snap_finish *finish, struct bt_snap_item *item, struct bt_arena *arena)
{
	struct bt_extra *extra = bt_found_extra(arena, &item->entry);

	if (!extra)
		return BT_E_NOMEM;
	extra->torn = true;
	item->entry.has_stat = false;
	return tell_problem(finish, item, BT_E_INCOMPLETE, 0,
			    item->outcome.too_short ? "gave fewer bytes than its size" : "changed while it was read");
}

/* Notes failures of reading in the entry. */
static int mark(struct bt_snap_finish *finish, struct bt_snap_item *item, struct bt_arena *arena)
{
	int r = 0;

	if (item->outcome.state == BT_SOURCE_FAILED)
		return make_failed(finish, item, arena);
	if (item->outcome.torn)
		r = make_torn(finish, item, arena);
	if (!r && item->outcome.xattr_sys != 0) {
		item->entry.has_stat = false;
		r = tell_problem(finish, item, BT_E_SYSTEM, item->outcome.xattr_sys, "read extended attributes");
	}
	return r;
}

static int compare(struct bt_snap_finish *finish, const struct bt_snap_item *item, bool *ret_same)
{
	struct bt_buf *scratch = bt_snap_trees_scratch(finish->trees);

	*ret_same = item->kind == BT_SNAP_KEEP;
	if (*ret_same || !item->has_previous)
		return 0;
	return bt_snap_entry_same(&scratch[0], &scratch[1], &item->entry, &item->previous, ret_same);
}

static int count_file(struct bt_snap_finish *finish, const struct bt_snap_item *item, bool same)
{
	struct bt_snap_totals *totals = &finish->totals;
	enum bt_event event = BT_EVENT_CHANGED;

	if (same)
		event = BT_EVENT_UNCHANGED;
	else if (!item->has_previous || item->previous.type != BT_FILE)
		event = BT_EVENT_NEW;
	totals->unchanged += event == BT_EVENT_UNCHANGED;
	totals->changed += event == BT_EVENT_CHANGED;
	totals->created += event == BT_EVENT_NEW;
	totals->files++;
	totals->directory_size += item->entry.size;
	if (same && item->kind != BT_SNAP_KEEP && !finish->plan->made)
		totals->reread_bytes += item->entry.size;
	bool due = bt_pace_due(&finish->pace, finish->plan->observer->voice.observer);
	if (!due && !bt_snap_wants_entries(finish->plan->observer))
		return 0;
	char *path = path_of(item);
	if (!path)
		return BT_E_NOMEM;
	if (due)
		bt_snap_progress(
			finish->plan->observer,
			&(struct bt_progress){.files = totals->files, .bytes = totals->directory_size, .path = path});
	bt_snap_told(finish->plan->observer, event, path, item->entry.size);
	free(path);
	return 0;
}

/* Keeps the path of the first one if there is room for it. */
static int count_boundary(struct bt_snap_finish *finish, const struct bt_snap_item *item)
{
	struct bt_snap_totals *totals = &finish->totals;
	char *path;

	if (totals->boundaries++ > 0 && !bt_snap_wants_entries(finish->plan->observer))
		return 0;
	path = path_of(item);
	if (!path)
		return BT_E_NOMEM;
	if (!totals->boundary[0] && strlen(path) < sizeof(totals->boundary)) {
		memccpy(totals->boundary, path, 0, sizeof(totals->boundary));
		memccpy(totals->boundary_type, item->entry.extra->boundary, 0, sizeof(totals->boundary_type) - 1);
	}
	bt_snap_told(finish->plan->observer, BT_EVENT_BOUNDARY, path, BT_SIZE_UNKNOWN);
	free(path);
	return 0;
}

static int count(struct bt_snap_finish *finish, const struct bt_snap_item *item)
{
	const struct bt_extra *extra = item->entry.extra;
	struct bt_snap_totals *totals = &finish->totals;
	bool same;
	int r = compare(finish, item, &same);

	if (r)
		return r;
	totals->differences += !same;
	totals->errors += extra && (extra->error || extra->torn);
	totals->torn += extra && extra->torn;
	totals->xattrs |= extra && extra->xattr_count > 0;
	if (item->entry.type == BT_FILE)
		return count_file(finish, item, same);
	if (extra && extra->boundary)
		r = count_boundary(finish, item);
	if (item->entry.type == BT_DIR)
		totals->directories++;
	else
		totals->others++;
	return r;
}

/* Gives the contents of this name to the other names of the file. */
static int share(struct bt_snap_item *item)
{
	struct bt_snap_link *link = item->link;

	if (!link || item->kind == BT_SNAP_LINK || item->outcome.state != BT_SOURCE_READ)
		return 0;
	if (item->outcome.seen.inode != link->key.b || item->outcome.seen.dev != link->key.a)
		return 0;
	link->ready = true;
	return bt_snap_entry_copy(&link->arena, &item->entry, &link->entry);
}

/* Whether a later change of the entry may go unseen: through other names of the file, or because it may not show in the
 * fingerprint. */
static bool look_again(const struct bt_entry *entry)
{
	const struct bt_extra *extra = entry->extra;

	return !entry->has_stat || (extra && (extra->error || extra->torn || extra->links > 1));
}

static int tell_next(struct bt_snap_finish *finish, struct bt_snap_node *node, const struct bt_entry *entry)
{
	if (!finish->plan->options->changes || node->again || !look_again(entry))
		return 0;
	char *path = bt_scan_path(node->dir, NULL);
	int r = path ? bt_changes_add(finish->plan->options->changes->again, path, false) : BT_E_NOMEM;

	node->again = !r;
	free(path);
	return r;
}

static int add(struct bt_snap_finish *finish, struct bt_snap_item *item, struct bt_error *error)
{
	struct bt_snap_node *node = bt_snap_containing(item);
	int r = bt_snap_owners_add(&finish->owners, &item->entry);

	if (r)
		return r;
	if (!node)
		return bt_snap_entry_copy(&finish->root_arena, &item->entry, &finish->root);
	r = tell_next(finish, node, &item->entry);
	return r ? r : bt_snap_node_add(finish, node, &item->entry, error);
}

static int vanish(struct bt_snap_finish *finish, const struct bt_snap_item *item)
{
	finish->totals.vanished++;
	finish->totals.differences += item->has_previous;
	if (item->has_previous) {
		finish->totals.removed++;
		finish->totals.removed_bytes += item->previous.type == BT_FILE ? item->previous.size : 0;
	}
	if (!bt_snap_wants_entries(finish->plan->observer))
		return 0;
	char *path = path_of(item);
	if (!path)
		return BT_E_NOMEM;
	bt_snap_told(finish->plan->observer, BT_EVENT_VANISHED, path, BT_SIZE_UNKNOWN);
	free(path);
	return 0;
}

int bt_snap_record(struct bt_snap_finish *finish, struct bt_snap_item *item, struct bt_arena *arena,
		   struct bt_error *error)
{
	if (item->outcome.state == BT_SOURCE_GONE)
		return vanish(finish, item);
	int r = mark(finish, item, arena);
	if (!r)
		r = share(item);
	if (!r)
		r = count(finish, item);
	return r ? r : add(finish, item, error);
}
