/* SPDX-License-Identifier: MIT */
/* The walk through the target, from the root's listing to the root's item. */
#ifndef BT_SNAPSHOT_WALK_H
#define BT_SNAPSHOT_WALK_H

#include "snapshot/readers.h"

struct bt_snap_walk;

int bt_snap_walk_new(struct bt_snap_readers *readers, struct bt_snap_walk **ret_walk); /* 0 or BT_E_NOMEM */
void bt_snap_walk_free(struct bt_snap_walk *walk); /* waits for the readers; NULL is fine */
/* Walks the target, and gives all items to the readers. BT_E_CANCELLED with a doubt set: the changes are incomplete.
 * Another course than BT_COURSE_ON: the walk stopped on its way because of that, and goes on with the next call. */
int bt_snap_walk_run(struct bt_snap_walk *walk, enum bt_course *ret_course, struct bt_error *error);
struct bt_snap_node *bt_snap_walk_open(const struct bt_snap_walk *walk); /* the deepest directory on the way */
bool bt_snap_walk_is_behind(struct bt_snap_walk *walk); /* the parent has entries that it has not reached yet */
/* Adds the counts of the walk to the totals, after the readers are done. Fails as above. */
int bt_snap_walk_count(struct bt_snap_walk *walk, struct bt_snap_totals *totals);
enum bt_doubt bt_snap_walk_doubt(const struct bt_snap_walk *walk); /* set if the run found out that the changes are
								      incomplete, so that its result is useless */
uint64_t bt_snap_walk_excluded(const struct bt_snap_walk *walk);   /* entries left out by rules */
/* Of these: files that are too large. */
void bt_snap_walk_large(const struct bt_snap_walk *walk, uint64_t *ret_count, uint64_t *ret_bytes);

#endif
