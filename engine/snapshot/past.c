/* SPDX-License-Identifier: MIT */
#include "snapshot/tree.h"

#include "view/walk.h"

void bt_snap_past_count(struct bt_snap_past *past, const struct bt_entry *old)
{
	past->files += old->type == BT_FILE;
	past->directories += old->type == BT_DIR;
	past->others += old->type != BT_FILE && old->type != BT_DIR;
	past->directory_size += old->type == BT_FILE ? old->size : 0;
	past->errors += old->extra && (old->extra->error || old->extra->torn);
	past->torn += old->extra && old->extra->torn;
	past->boundaries += old->extra && old->extra->boundary;
}

static uint64_t entries(const struct bt_snap_past *past)
{
	return past->files + past->directories + past->others;
}

int bt_snap_past_tree(struct bt_snap_past *past, const struct bt_entry *old, bool removed)
{
	const struct bt_walk_options options = {.bounds = &past->bounds, .pathless = true};
	struct bt_walk_step step = {0};
	struct bt_error damage = {0};
	struct bt_walk *walk;
	uint64_t before = entries(past);

	if ((!past->trees && !removed) || old->type != BT_DIR)
		return 0;
	int result = bt_walk_begin(past->store, &options, old, &walk, &damage);
	if (result != 0)
		return result;
	while ((result = bt_walk_next(walk, &step, &damage)) == 0 && step.entry)
		bt_snap_past_count(past, step.entry);
	bt_walk_free(walk);
	past->removed += removed ? entries(past) - before : 0;
	past->damaged |= result != 0;
	return result == BT_E_NOMEM ? result : 0;
}

static bool take_away(uint64_t *total, uint64_t part)
{
	bool fits = *total >= part;

	*total -= fits ? part : 0;
	return fits;
}

bool bt_snap_past_rest(const struct bt_snap_past *past, const struct bt_snapshot_info *parent,
		       struct bt_snap_totals *totals)
{
	uint64_t files = parent->files, directories = parent->directories, others = parent->others,
		 size = parent->directory_size, errors = parent->errors, torn = parent->torn,
		 boundaries = parent->boundaries;

	if (past->damaged || !take_away(&files, past->files) || !take_away(&directories, past->directories) ||
	    !take_away(&others, past->others) || !take_away(&size, past->directory_size) ||
	    !take_away(&errors, past->errors) || !take_away(&boundaries, past->boundaries))
		return false;
	totals->files += files;
	totals->unchanged += files;
	totals->directories += directories;
	totals->others += others;
	totals->directory_size += size;
	totals->errors += errors;
	/* Snapshots of before this was counted have 0. */
	if (take_away(&torn, past->torn))
		totals->torn += torn;
	totals->boundaries += boundaries;
	totals->xattrs |= parent->xattrs;
	return true;
}
