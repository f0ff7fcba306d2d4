/* SPDX-License-Identifier: MIT */
/* Fingerprints given to entries, copies and comparison. Pure but for memory. */
#ifndef BT_SNAPSHOT_ENTRY_H
#define BT_SNAPSHOT_ENTRY_H

#include "base/arena.h"
#include "base/buf.h"
#include "scan/describe.h"

/* Gives the entry its fingerprint unless a later change might leave it the same: a change within the clock's tick of
 * the file system leaves the times as they are, so they must be older than that when it was read. */
void bt_snap_stamp(struct bt_entry *entry, const struct bt_found *seen, const struct bt_time *read_at);
void bt_snap_now(struct bt_time *ret_time);

/* A copy with all it points to. 0 or BT_E_NOMEM. */
int bt_snap_entry_copy(struct bt_arena *arena, const struct bt_entry *entry, struct bt_entry *ret_copy);
/* What a file or link holds, without name, metadata and fingerprint, from one entry into another: the parent's of an
 * unchanged entry. The links of to stay. */
int bt_snap_take_over(struct bt_arena *arena, const struct bt_entry *from, struct bt_entry *to);
/* Whether both would be written the same but for name and fingerprint (and a directory's page). a and b are scratch.
 * BT_E_NOMEM or 0. */
int bt_snap_entry_same(struct bt_buf *a, struct bt_buf *b, const struct bt_entry *one, const struct bt_entry *other,
		       bool *ret_same);

#endif
