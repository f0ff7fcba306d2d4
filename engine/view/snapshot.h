/* SPDX-License-Identifier: MIT */
/* Opening snapshots when a store is repaired (bt_snapshot_open is public). */
#ifndef BT_VIEW_SNAPSHOT_H
#define BT_VIEW_SNAPSHOT_H

#include <internal/view.h>

/* BT_E_DAMAGED (BT_R_BAD_NAME) when the file's name states another second than its header. */
int bt_snapshot_check_name(const struct bt_snapshot_info *info, struct bt_error *error);
/* Like bt_snapshot_open, but does not check the time in the name. */
int bt_snapshot_open_misnamed(struct bt_store *store, const char *name, struct bt_snapshot **ret_snapshot,
			      struct bt_error *error);

#endif
