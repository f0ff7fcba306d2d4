/* SPDX-License-Identifier: MIT */
/* New volumes: files in contents/ that hold what no snapshot's own file does. */
#ifndef BT_PACK_VOLUME_H
#define BT_PACK_VOLUME_H

#include "store/store.h"

/* time: what its header says; NULL: now. */
int bt_volume_begin(struct bt_store *store, const struct bt_time *time, struct bt_writer **ret_writer,
		    struct bt_error *error);
/* Makes it durable under this name and known to the store; NULL: under a new name. BT_E_EXISTS: the name is taken; call
 * again with another one. */
int bt_volume_seal(struct bt_store *store, struct bt_writer *writer, const char *name, struct bt_error *error);

#endif
