/* SPDX-License-Identifier: MIT */
/* New contents into blocks, and blocks to the packers. All of it [finish]. On a dry run contents are only counted. */
#ifndef BT_SNAPSHOT_PACK_H
#define BT_SNAPSHOT_PACK_H

#include "snapshot/run.h"

/* Takes a content on unless the store or this run has it: then it is packed with its neighbours, or becomes a block
 * (with alone set, if it is large enough to be one). */
int bt_snap_keep(struct bt_snap_run *run, const struct bt_digest *digest, const unsigned char *data, size_t size,
		 bool alone, struct bt_error *error);
/* As with alone set; the buffer is taken over. */
int bt_snap_keep_buffer(struct bt_snap_run *run, const struct bt_digest *digest, struct bt_snap_buffer *buffer,
			size_t size, struct bt_error *error);
/* The block that is being filled goes to the packers. */
int bt_snap_pack_flush(struct bt_snap_run *run);
void bt_snap_pack_drop(struct bt_snap_run *run); /* after a failure */

/* The packers' pool, and what the options say of packing. */
int bt_snap_packers_new(struct bt_snap_run *run, struct bt_pool **ret_pool);

#endif
