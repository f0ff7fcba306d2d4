/* SPDX-License-Identifier: MIT */
/* New volumes: files in contents/ that hold what no snapshot's own file does. */
#ifndef BT_MODEL_VOLUME_H
#define BT_MODEL_VOLUME_H

#include "store/store.h"

int bt_volume_begin(struct bt_store *store, struct bt_writer **ret_writer, struct bt_error *error);
/* Makes it durable under a new name and known to the store. */
int bt_volume_seal(struct bt_store *store, struct bt_writer *writer, struct bt_error *error);

#endif
