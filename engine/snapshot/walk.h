/* SPDX-License-Identifier: MIT */
/* The walk through the target, from the root's listing to the root's item. */
#ifndef BT_SNAPSHOT_WALK_H
#define BT_SNAPSHOT_WALK_H

#include "snapshot/readers.h"

struct bt_snap_walk;

int bt_snap_walk_new(struct bt_snap_readers *readers, struct bt_snap_walk **ret_walk); /* 0 or BT_E_NOMEM */
void bt_snap_walk_free(struct bt_snap_walk *walk); /* waits for the readers; NULL is fine */
/* Gives everything to the readers. If the changes do not tell the whole story: BT_E_CANCELLED, and a doubt. */
int bt_snap_walk_run(struct bt_snap_walk *walk, struct bt_error *error);
/* Adds what only the walk knows to the totals, when the readers are done. As above. */
int bt_snap_walk_count(struct bt_snap_walk *walk, struct bt_snap_totals *totals);
enum bt_doubt bt_snap_walk_doubt(const struct bt_snap_walk *walk); /* found out on the way: the run is worth nothing */
uint64_t bt_snap_walk_excluded(const struct bt_snap_walk *walk);   /* entries left out by rules */

#endif
