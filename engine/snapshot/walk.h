/* SPDX-License-Identifier: MIT */
/* The walk through the target, from the root's listing to the root's entry. */
#ifndef BT_SNAPSHOT_WALK_H
#define BT_SNAPSHOT_WALK_H

#include "snapshot/run.h"

int bt_snap_walk_new(struct bt_snap_run *run);	   /* run->walk, also on failure */
void bt_snap_walk_free(struct bt_snap_walk *walk); /* after the pools; NULL is fine */
int bt_snap_walk(struct bt_snap_run *run,
		 struct bt_error *error);			 /* ends with all pools empty and all blocks written */
uint64_t bt_snap_walk_excluded(const struct bt_snap_walk *walk); /* entries left out by rules */

#endif
