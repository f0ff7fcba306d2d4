/* SPDX-License-Identifier: MIT */
/* Copies entries and compares them. Pure functions, except that they allocate. */
#ifndef BT_SNAPSHOT_ENTRY_H
#define BT_SNAPSHOT_ENTRY_H

#include "base/arena.h"
#include "base/buf.h"
#include "source/describe.h"

/* Copies an entry with everything that it points to. 0 or BT_E_NOMEM. */
int bt_snap_entry_copy(struct bt_arena *arena, const struct bt_entry *entry, struct bt_entry *ret_copy);
/* Copies the contents of a file or link, without name, metadata and fingerprint, from one entry to another: from the
 * parent's if the entry is unchanged. The number of links in to stays, and so does its birth time. */
int bt_snap_take_over(struct bt_arena *arena, const struct bt_entry *from, struct bt_entry *to);
/* Whether both entries would be written the same, apart from name, birth time and fingerprint (and the page of a
 * directory). a and b are scratch. 0 or BT_E_NOMEM. */
int bt_snap_entry_same(struct bt_buf *a, struct bt_buf *b, const struct bt_entry *one, const struct bt_entry *other,
		       bool *ret_same);

#endif
