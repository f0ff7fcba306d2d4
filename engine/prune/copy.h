/* SPDX-License-Identifier: MIT */
/* Makes a new volume of what is needed in old ones. */
#ifndef BT_PRUNE_COPY_H
#define BT_PRUNE_COPY_H

#include "pack/transfer.h"
#include "prune/run.h"

struct bt_prune_copy {
	struct bt_prune_run *run;
	struct bt_pack *pack;
	struct bt_transfer *transfer;
	struct bt_voice voice;
	struct bt_buffers buffers;
	struct bt_error *error;
};

/* small: whether the new volume will be small. */
int bt_prune_copy_begin(struct bt_prune_copy *copy, struct bt_prune_run *run, bool small, struct bt_error *error);
/* Copies what is needed of the file, and holds it from now on. */
int bt_prune_copy_file(struct bt_prune_copy *copy, uint32_t ordinal);
/* Makes the volume durable and known to the store. */
int bt_prune_copy_seal(struct bt_prune_copy *copy);
void bt_prune_copy_end(struct bt_prune_copy *copy);

#endif
