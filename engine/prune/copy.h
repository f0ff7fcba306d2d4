/* SPDX-License-Identifier: MIT */
/* Makes a new volume of what is needed in old ones. A block that is mostly live is copied as text, without compressing
 * it again. The live contents of other blocks are packed into new blocks, since a few bytes would keep a megabyte
 * otherwise. */
#ifndef BT_PRUNE_COPY_H
#define BT_PRUNE_COPY_H

#include "pack/pack.h"
#include "prune/run.h"

struct bt_prune_copy {
	struct bt_prune_run *run;
	struct bt_pack *pack;
	struct bt_voice voice;
	struct bt_buffers buffers;
	struct bt_file *file;	      /* the one being copied */
	struct bt_buf text;	      /* scratch */
	struct bt_buf held;	      /* struct bt_held: the contents of the block being visited */
	struct bt_digest_sets copied; /* contents and pages of this file that were copied: all copies of one, since
					 nobody verified which is right */
	struct bt_block block;
	unsigned percent; /* a block is copied as text if at most this part of it is dead */
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
