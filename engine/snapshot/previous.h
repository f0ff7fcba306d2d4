/* SPDX-License-Identifier: MIT */
/* The parent's entries, side by side with what the walk finds, and counts of those that were looked at: the rest of the
 * parent is taken over as it is. */
#ifndef BT_SNAPSHOT_PREVIOUS_H
#define BT_SNAPSHOT_PREVIOUS_H

#include "snapshot/node.h"
#include "snapshot/plan.h"
#include "view/bounds.h"

struct bt_snap_previous {
	const struct bt_snap_plan *plan;
	uint64_t unmatched; /* entries that nothing was found for, and one for each directory that cannot be read */
	bool damaged;	    /* something could not be counted */
	uint64_t removed;   /* entries that are not there any more, with all below them */
	struct bt_bounds bounds; /* what the parent can have */
	uint64_t files, directories, others, directory_size, errors, torn, boundaries;
};

void bt_snap_previous_begin(struct bt_snap_previous *previous, const struct bt_snap_plan *plan);

/* The parent's entries of the node's directory. If it cannot be read to its end, its other entries are taken for new.
 */
int bt_snap_previous_open(struct bt_snap_previous *previous, struct bt_snap_node *node, const struct bt_entry *old);
/* The parent's entry of this name, or NULL; asked in the order of names. It lives until the next call. */
const struct bt_entry *bt_snap_previous_match(struct bt_snap_previous *previous, struct bt_snap_node *node,
					      const struct bt_found *found);
void bt_snap_previous_close(struct bt_snap_previous *previous, struct bt_snap_node *node);
/* All entries below one that is a directory, where they are to be counted. removed: they are gone. 0 or BT_E_NOMEM. */
int bt_snap_previous_tree(struct bt_snap_previous *previous, const struct bt_entry *old, bool removed);
/* Adds what was not looked at to the totals. False: the parent is not what it says. */
bool bt_snap_previous_rest(const struct bt_snap_previous *previous, struct bt_snap_totals *totals);

#endif
