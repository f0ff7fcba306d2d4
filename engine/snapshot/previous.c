/* SPDX-License-Identifier: MIT */
#include "snapshot/previous.h"

#include "base/bytes.h"
#include "snapshot/entry.h"
#include "view/walk.h"
#include <stdlib.h>

static void count_entry(struct bt_snap_previous *self, const struct bt_entry *previous)
{
	self->files += previous->type == BT_FILE;
	self->directories += previous->type == BT_DIR;
	self->others += previous->type != BT_FILE && previous->type != BT_DIR;
	self->directory_size += previous->type == BT_FILE ? previous->size : 0;
	self->errors += previous->extra && (previous->extra->error || previous->extra->torn);
	self->torn += previous->extra && previous->extra->torn;
	self->boundaries += previous->extra && previous->extra->boundary;
}

void bt_snap_previous_begin(struct bt_snap_previous *self, const struct bt_snap_plan *plan)
{
	*self = (struct bt_snap_previous){.plan = plan};
	if (!plan->parent)
		return;
	self->bounds = bt_bounds_of(plan->store, plan->parent);
	count_entry(self, &plan->parent->root);
}

static uint64_t counted(const struct bt_snap_previous *self)
{
	return self->files + self->directories + self->others;
}

int bt_snap_previous_tree(struct bt_snap_previous *self, const struct bt_entry *previous, bool removed)
{
	const struct bt_walk_options options = {.bounds = &self->bounds, .pathless = true};
	struct bt_walk_step step = {0};
	struct bt_error damage = {0};
	struct bt_walk *walk;
	uint64_t before = counted(self), bytes = self->directory_size;

	if ((!self->plan->changes && !removed) || previous->type != BT_DIR)
		return 0;
	int r = bt_walk_begin(self->plan->store, &options, previous, &walk, &damage);
	if (r)
		return r;
	do {
		r = bt_walk_next(walk, &step, &damage);
		if (!r && step.entry)
			count_entry(self, step.entry);
	} while (!r && step.entry);
	bt_walk_free(walk);
	if (removed) {
		self->removed += counted(self) - before;
		self->removed_bytes += self->directory_size - bytes;
	}
	self->damaged |= r;
	return r == BT_E_NOMEM ? r : 0;
}

int bt_snap_previous_open(struct bt_snap_previous *self, struct bt_snap_node *node, const struct bt_entry *previous)
{
	struct bt_error damage = {0};

	if (!previous || previous->type != BT_DIR)
		return 0;
	if (bt_snap_entry_copy(&node->arena, previous, &node->previous))
		return BT_E_NOMEM;
	node->has_previous = true;
	if (previous->extra && previous->extra->error)
		return 0;
	if (bt_dir_new(self->plan->store, &node->previous.digest, &node->previous_dir, &damage) != 0) {
		self->unmatched++;
		self->damaged = true;
	}
	return 0;
}

/* Fetches the next entry of the parent's directory into the node, if there is one. */
static void fetch(struct bt_snap_previous *self, struct bt_snap_node *node)
{
	struct bt_error damage = {0};

	if (!node->previous_dir || node->previous_next)
		return;
	if (bt_dir_next(node->previous_dir, &node->previous_next, &damage) != 0) {
		node->previous_next = NULL;
		self->unmatched++;
		self->damaged = true;
	} else if (!node->previous_next) {
		node->previous_is_whole = true;
	}
	if (!node->previous_next) {
		bt_dir_free(node->previous_dir);
		node->previous_dir = NULL;
	} else {
		count_entry(self, node->previous_next);
	}
}

static void tell_removed(const struct bt_snap_previous *self, const struct bt_snap_node *node,
			 const struct bt_entry *previous, uint64_t bytes)
{
	char *path = bt_snap_wants_entries(self->plan->observer) ? bt_scan_path(node->dir, previous->name) : NULL;

	if (path)
		bt_snap_told(self->plan->observer, BT_EVENT_REMOVED, path,
			     previous->type == BT_FILE || previous->type == BT_DIR ? bytes : BT_SIZE_UNKNOWN);
	free(path);
}

static void leave_unmatched(struct bt_snap_previous *self, struct bt_snap_node *node, const struct bt_entry *previous)
{
	uint64_t before = self->removed_bytes;

	self->unmatched++;
	if (!node->unknown) {
		self->removed++;
		self->removed_bytes += previous->type == BT_FILE ? previous->size : 0;
	}
	if (bt_snap_previous_tree(self, previous, !node->unknown))
		self->damaged = true;
	if (!node->unknown)
		tell_removed(self, node, previous, self->removed_bytes - before);
}

const struct bt_entry *bt_snap_previous_match(struct bt_snap_previous *self, struct bt_snap_node *node,
					      const struct bt_found *found)
{
	for (;;) {
		fetch(self, node);
		const struct bt_entry *previous = node->previous_next;
		if (!previous)
			return NULL;
		int order = bt_name_compare(previous->name, previous->name_length, found->name, found->name_length);
		if (order > 0)
			return NULL;
		node->previous_next = NULL;
		if (order == 0)
			return previous;
		leave_unmatched(self, node, previous);
	}
}

bool bt_snap_previous_has_more(struct bt_snap_previous *self, struct bt_snap_node *node)
{
	fetch(self, node);
	return node->previous_next;
}

void bt_snap_previous_close(struct bt_snap_previous *self, struct bt_snap_node *node)
{
	for (fetch(self, node); node->previous_next; fetch(self, node)) {
		leave_unmatched(self, node, node->previous_next);
		node->previous_next = NULL;
	}
}

void bt_snap_previous_drop(struct bt_snap_previous *self, const struct bt_snap_node *node)
{
	char *path = node->has_previous && bt_snap_wants_entries(self->plan->observer) ? bt_scan_path(node->dir, NULL)
										       : NULL;

	self->unmatched += node->has_previous;
	self->removed += node->has_previous;
	if (path)
		bt_snap_told(self->plan->observer, BT_EVENT_REMOVED, path, 0);
	free(path);
}

static bool take_away(uint64_t *total, uint64_t part)
{
	bool fits = *total >= part;

	*total -= fits ? part : 0;
	return fits;
}

bool bt_snap_previous_rest(const struct bt_snap_previous *self, struct bt_snap_totals *totals)
{
	const struct bt_snapshot_info *parent = self->plan->parent;
	uint64_t files = parent->files, directories = parent->directories, others = parent->others,
		 size = parent->directory_size, errors = parent->errors, torn = parent->torn,
		 boundaries = parent->boundaries;

	if (self->damaged || !take_away(&files, self->files) || !take_away(&directories, self->directories) ||
	    !take_away(&others, self->others) || !take_away(&size, self->directory_size) ||
	    !take_away(&errors, self->errors) || !take_away(&boundaries, self->boundaries))
		return false;
	totals->files += files;
	totals->unchanged += files;
	totals->directories += directories;
	totals->others += others;
	totals->directory_size += size;
	totals->errors += errors;
	/* Older versions did not count this, and wrote 0. */
	if (take_away(&torn, self->torn))
		totals->torn += torn;
	totals->boundaries += boundaries;
	totals->xattrs |= parent->xattrs;
	return true;
}
