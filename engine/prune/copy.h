/* SPDX-License-Identifier: MIT */
/*
 * A new volume made of what is needed in old ones. A block of which little is dead is copied as text, without
 * compressing it again; of others the living contents are packed into new blocks, or a few bytes would keep a megabyte.
 */
#ifndef BT_PRUNE_COPY_H
#define BT_PRUNE_COPY_H

#include "pack/pack.h"
#include "prune/run.h"

struct bt_prune_copy {
	struct bt_prune_run *run;
	struct bt_pack *pack;
	struct bt_voice voice;
	struct bt_buffers buffers;
	struct bt_file *file; /* being copied */
	struct bt_buf text;   /* scratch */
	struct bt_buf held;   /* struct bt_held: all contents of the block being visited */
	struct bt_digest_sets
		copied; /* of this file: it may have something twice, and nobody looked which one is right */
	struct bt_block block;
	unsigned percent; /* of a block that is copied as text, at most so much is dead */
	struct bt_error *error;
};

/* small: what the new volume will be. */
int bt_prune_copy_begin(struct bt_prune_copy *copy, struct bt_prune_run *run, bool small, struct bt_error *error);
/* What is needed of this file is held by the new volume from now on. */
int bt_prune_copy_file(struct bt_prune_copy *copy, uint32_t ordinal);
/* Makes the volume durable and known to the store. */
int bt_prune_copy_seal(struct bt_prune_copy *copy);
void bt_prune_copy_end(struct bt_prune_copy *copy);

#endif
