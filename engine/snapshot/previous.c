/* SPDX-License-Identifier: MIT */
#include "snapshot/previous.h"

#include "base/bytes.h"
#include "snapshot/entry.h"
#include "view/walk.h"
#include <stdlib.h>

static void count_entry(struct bt_snap_previous *previous, const struct bt_entry *old)
{
	previous->files += old->type == BT_FILE;
	previous->directories += old->type == BT_DIR;
	previous->others += old->type != BT_FILE && old->type != BT_DIR;
	previous->directory_size += old->type == BT_FILE ? old->size : 0;
	previous->errors += old->extra && (old->extra->error || old->extra->torn);
	previous->torn += old->extra && old->extra->torn;
	previous->boundaries += old->extra && old->extra->boundary;
}

void bt_snap_previous_begin(struct bt_snap_previous *previous, const struct bt_snap_plan *plan)
{
	*previous = (struct bt_snap_previous){.plan = plan};
	if (!plan->parent)
		return;
	previous->bounds = bt_bounds_of(plan->store, plan->parent);
	count_entry(previous, &plan->parent->root);
}

static uint64_t counted(const struct bt_snap_previous *previous)
{
	return previous->files + previous->directories + previous->others;
}

int bt_snap_previous_tree(struct bt_snap_previous *previous, const struct bt_entry *old, bool removed)
{
	const struct bt_walk_options options = {.bounds = &previous->bounds, .pathless = true};
	struct bt_walk_step step = {0};
	struct bt_error damage = {0};
	struct bt_walk *walk;
	uint64_t before = counted(previous);

	if ((!previous->plan->changes && !removed) || old->type != BT_DIR)
		return 0;
	int r = bt_walk_begin(previous->plan->store, &options, old, &walk, &damage);
	if (r)
		return r;
	do {
		r = bt_walk_next(walk, &step, &damage);
		if (!r && step.entry)
			count_entry(previous, step.entry);
	} while (!r && step.entry);
	bt_walk_free(walk);
	previous->removed += removed ? counted(previous) - before : 0;
	previous->damaged |= r;
	return r == BT_E_NOMEM ? r : 0;
}

int bt_snap_previous_open(struct bt_snap_previous *previous, struct bt_snap_node *node, const struct bt_entry *old)
{
	struct bt_error damage = {0};

	if (!old || old->type != BT_DIR)
		return 0;
	if (bt_snap_entry_copy(&node->arena, old, &node->old))
		return BT_E_NOMEM;
	node->has_old = true;
	if (old->extra && old->extra->error)
		return 0;
	if (bt_dir_new(previous->plan->store, &node->old.digest, &node->old_dir, &damage) != 0) {
		previous->unmatched++;
		previous->damaged = true;
	}
	return 0;
}

/* Fetches the next entry of the parent's directory into the node, if there is one. */
static void fetch(struct bt_snap_previous *previous, struct bt_snap_node *node)
{
	struct bt_error damage = {0};

	if (!node->old_dir || node->old_next)
		return;
	if (bt_dir_next(node->old_dir, &node->old_next, &damage) != 0) {
		node->old_next = NULL;
		previous->unmatched++;
		previous->damaged = true;
	} else if (!node->old_next) {
		node->old_whole = true;
	}
	if (!node->old_next) {
		bt_dir_free(node->old_dir);
		node->old_dir = NULL;
	} else {
		count_entry(previous, node->old_next);
	}
}

static void tell_removed(const struct bt_snap_previous *previous, const struct bt_snap_node *node,
			 const struct bt_entry *old)
{
	char *path = bt_snap_wants_entries(previous->plan->observer) ? bt_scan_path(node->dir, old->name) : NULL;

	if (path)
		bt_snap_told(previous->plan->observer, BT_EVENT_REMOVED, path);
	free(path);
}

static void leave_unmatched(struct bt_snap_previous *previous, struct bt_snap_node *node, const struct bt_entry *old)
{
	previous->unmatched++;
	previous->removed += !node->unknown;
	if (!node->unknown)
		tell_removed(previous, node, old);
	if (bt_snap_previous_tree(previous, old, !node->unknown))
		previous->damaged = true;
}

const struct bt_entry *bt_snap_previous_match(struct bt_snap_previous *previous, struct bt_snap_node *node,
					      const struct bt_found *found)
{
	for (;;) {
		fetch(previous, node);
		const struct bt_entry *old = node->old_next;
		if (!old)
			return NULL;
		int order = bt_name_compare(old->name, old->name_length, found->name, found->name_length);
		if (order > 0)
			return NULL;
		node->old_next = NULL;
		if (order == 0)
			return old;
		leave_unmatched(previous, node, old);
	}
}

void bt_snap_previous_close(struct bt_snap_previous *previous, struct bt_snap_node *node)
{
	for (fetch(previous, node); node->old_next; fetch(previous, node)) {
		leave_unmatched(previous, node, node->old_next);
		node->old_next = NULL;
	}
}

static bool take_away(uint64_t *total, uint64_t part)
{
	bool fits = *total >= part;

	*total -= fits ? part : 0;
	return fits;
}

bool bt_snap_previous_rest(const struct bt_snap_previous *previous, struct bt_snap_totals *totals)
{
	const struct bt_snapshot_info *parent = previous->plan->parent;
	uint64_t files = parent->files, directories = parent->directories, others = parent->others,
		 size = parent->directory_size, errors = parent->errors, torn = parent->torn,
		 boundaries = parent->boundaries;

	if (previous->damaged || !take_away(&files, previous->files) ||
	    !take_away(&directories, previous->directories) || !take_away(&others, previous->others) ||
	    !take_away(&size, previous->directory_size) || !take_away(&errors, previous->errors) ||
	    !take_away(&boundaries, previous->boundaries))
		return false;
	totals->files += files;
	totals->unchanged += files;
	totals->directories += directories;
	totals->others += others;
	totals->directory_size += size;
	totals->errors += errors;
	/* Older versions did not count this, and wrote 0. */
	if (take_away(&torn, previous->torn))
		totals->torn += torn;
	totals->boundaries += boundaries;
	totals->xattrs |= parent->xattrs;
	return true;
}
