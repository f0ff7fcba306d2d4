/* SPDX-License-Identifier: MIT */
/* Contents that this run has taken on and that the store's index does not know yet. Thread-safe. */
#ifndef BT_SNAPSHOT_DEDUP_H
#define BT_SNAPSHOT_DEDUP_H

#include <backuptool/types.h>
#include <stdbool.h>

struct bt_snap_dedup;

struct bt_snap_dedup *bt_snap_dedup_new(void); /* NULL: out of memory */
void bt_snap_dedup_free(struct bt_snap_dedup *dedup);
bool bt_snap_dedup_has(struct bt_snap_dedup *dedup, const struct bt_digest *digest);
int bt_snap_dedup_add(struct bt_snap_dedup *dedup, const struct bt_digest *digest); /* 0 or BT_E_NOMEM */
void bt_snap_dedup_remove(struct bt_snap_dedup *dedup, const struct bt_digest *digest);

#endif
