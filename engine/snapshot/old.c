/* SPDX-License-Identifier: MIT */
#include "snapshot/tree.h"

#include "base/bytes.h"
#include "snapshot/entry.h"
#include <stdlib.h>

int bt_snap_old_open(struct bt_snap_node *node, const struct bt_entry *old, struct bt_snap_past *past)
{
	struct bt_error damage = {0};

	if (!old || old->type != BT_DIR)
		return 0;
	if (bt_snap_entry_copy(&node->arena, old, &node->old) != 0)
		return BT_E_NOMEM;
	node->has_old = true;
	if (old->extra && old->extra->error)
		return 0;
	if (bt_dir_new(past->store, &node->old.digest, &node->old_dir, &damage) != 0) {
		past->gone++;
		past->damaged = true;
	}
	return 0;
}

/* Makes node->old_next the next one, if there is one. */
static void fetch(struct bt_snap_node *node, struct bt_snap_past *past)
{
	struct bt_error damage = {0};

	if (!node->old_dir || node->old_next)
		return;
	if (bt_dir_next(node->old_dir, &node->old_next, &damage) != 0) {
		node->old_next = NULL;
		past->gone++;
		past->damaged = true;
	} else if (!node->old_next) {
		node->old_whole = true;
	}
	if (!node->old_next) {
		bt_dir_free(node->old_dir);
		node->old_dir = NULL;
	} else {
		bt_snap_past_count(past, node->old_next);
	}
}

static void tell_removed(const struct bt_snap_node *node, const struct bt_entry *old, struct bt_snap_past *past)
{
	char *path = bt_snap_wants_entries(past->watch) ? bt_scan_path(node->dir, old->name) : NULL;

	if (path)
		bt_snap_told(past->watch, BT_EVENT_REMOVED, path);
	free(path);
}

static void lose(struct bt_snap_node *node, const struct bt_entry *old, struct bt_snap_past *past)
{
	past->gone++;
	past->removed += !node->unknown;
	if (!node->unknown)
		tell_removed(node, old, past);
	if (bt_snap_past_tree(past, old, !node->unknown) != 0)
		past->damaged = true;
}

const struct bt_entry *bt_snap_old_match(struct bt_snap_node *node, const struct bt_found *found,
					 struct bt_snap_past *past)
{
	for (;;) {
		fetch(node, past);
		const struct bt_entry *old = node->old_next;
		if (!old)
			return NULL;
		int order = bt_name_compare(old->name, old->name_length, found->name, found->name_length);
		if (order > 0)
			return NULL;
		node->old_next = NULL;
		if (order == 0)
			return old;
		lose(node, old, past);
	}
}

void bt_snap_old_rest(struct bt_snap_node *node, struct bt_snap_past *past)
{
	for (fetch(node, past); node->old_next; fetch(node, past)) {
		lose(node, node->old_next, past);
		node->old_next = NULL;
	}
}
