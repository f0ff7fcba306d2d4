/* SPDX-License-Identifier: MIT */
/* The snapshot that a run compares with. */
#ifndef BT_SNAPSHOT_PARENT_H
#define BT_SNAPSHOT_PARENT_H

#include "snapshot/plan.h"

/* Finds the newest usable snapshot of the same host and target that is not later than the run, or the newest one if all
 * are later; of partial ones only if there is no complete one. NULL: there is no such snapshot. partials gets the
 * ordinals of the partial ones that it met, without those that are pinned or have tags. 0 or BT_E_NOMEM. */
int bt_snap_parent_find(const struct bt_snap_plan *plan, const char *host, const char *target,
			struct bt_snapshot **ret_parent, struct bt_buf *partials);
/* Whether all contents of a file of the parent can be found. */
bool bt_snap_contents_there(struct bt_store *store, const struct bt_entry *file);

#endif
