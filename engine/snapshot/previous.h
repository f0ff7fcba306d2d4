/* SPDX-License-Identifier: MIT */
/* The parent's entries, matched with those that the walk finds, and counts of those that were looked at: the rest of
 * the parent is taken over unseen. */
#ifndef BT_SNAPSHOT_PREVIOUS_H
#define BT_SNAPSHOT_PREVIOUS_H

#include "snapshot/node.h"
#include "snapshot/plan.h"
#include "view/bounds.h"

struct bt_snap_previous {
	const struct bt_snap_plan *plan;
	uint64_t unmatched;	 /* entries without a match, and one for each directory that cannot be read */
	bool damaged;		 /* something could not be counted */
	uint64_t removed;	 /* entries that do not exist any more, with everything below them */
	uint64_t removed_bytes;	 /* sizes of the files among them */
	struct bt_bounds bounds; /* limits of what the parent can contain */
	uint64_t files, directories, others, directory_size, errors, torn, boundaries;
};

void bt_snap_previous_begin(struct bt_snap_previous *self, const struct bt_snap_plan *plan);

/* Opens the parent's entries of the node's directory. If they cannot be read to the end, entries without a match count
 * as new. */
int bt_snap_previous_open(struct bt_snap_previous *self, struct bt_snap_node *node, const struct bt_entry *previous);
/* The parent's entry of this name, or NULL. Call it in the order of names. The entry lives until the next call. */
const struct bt_entry *bt_snap_previous_match(struct bt_snap_previous *self, struct bt_snap_node *node,
					      const struct bt_found *found);
/* Whether the parent's directory has entries after those that were matched so far. */
bool bt_snap_previous_has_more(struct bt_snap_previous *self, struct bt_snap_node *node);
void bt_snap_previous_close(struct bt_snap_previous *self, struct bt_snap_node *node);
/* After close: the directory itself is not taken, so that its entry in the parent has no match. */
void bt_snap_previous_drop(struct bt_snap_previous *self, const struct bt_snap_node *node);
/* Counts all entries below a directory of the parent, if they have to be counted. removed: they do not exist any more.
 * 0 or BT_E_NOMEM. */
int bt_snap_previous_tree(struct bt_snap_previous *self, const struct bt_entry *previous, bool removed);
/* Adds the entries that were not looked at to the totals. False: the counts that the parent declares are wrong. */
bool bt_snap_previous_rest(const struct bt_snap_previous *self, struct bt_snap_totals *totals);

#endif
