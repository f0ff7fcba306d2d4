/* SPDX-License-Identifier: MIT */
/* Copies of entries, and comparison. Pure but for memory. */
#ifndef BT_SNAPSHOT_ENTRY_H
#define BT_SNAPSHOT_ENTRY_H

#include "base/arena.h"
#include "base/buf.h"
#include "source/describe.h"

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
