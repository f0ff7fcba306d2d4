/* SPDX-License-Identifier: MIT */
/* New volumes: files in contents/ that hold data beside the files of snapshots. */
#ifndef BT_PACK_VOLUME_H
#define BT_PACK_VOLUME_H

#include "store/store.h"

/* time is for its header; NULL: now. */
int bt_volume_begin(struct bt_store *store, const struct bt_time *time, struct bt_writer **ret_writer,
		    struct bt_error *error);
/* Makes the volume durable under this name (NULL: under a new one) and known to the store. BT_E_EXISTS: the name is
 * taken; call again with another one. */
int bt_volume_seal(struct bt_store *store, struct bt_writer *writer, const char *name, struct bt_error *error);

#endif
