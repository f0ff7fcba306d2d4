/* SPDX-License-Identifier: MIT */
/*
 * Copying happens in steps, for each snapshot:
 *   want   marks what it needs, and notes what the other store lacks and which files have it (want.c)
 *   carry  copies that out of these files, and what they turned out not to have from elsewhere (carry.c)
 *   copy   publishes the snapshot (copy.c)
 * What was marked for one snapshot is not marked for the next one: it is in the other store by then. So a failure makes
 * the run forget all of it.
 */
#ifndef BT_COPY_RUN_H
#define BT_COPY_RUN_H

#include "base/buffers.h"
#include "pack/transfer.h"
#include "store/gate.h"
#include "view/mark.h"
#include <backuptool/copy.h>

struct bt_copy {
	struct bt_store *from, *to;
	struct bt_copy_options options;
	const struct bt_observer *observer;
	int lock;	     /* of the store that is read */
	struct bt_gate gate; /* of the other one; of a dry run only its fd */
	struct bt_buffers buffers;
	struct bt_voice voice;
	struct bt_mark mark;

	/* of the snapshot that is being copied */
	struct bt_digest_sets wanted, done;
	unsigned char *files; /* by ordinal: whether something that is wanted should be there */
	size_t file_count;
	struct bt_copy_result result;
	struct bt_progress progress;
	struct bt_pace pace;
	struct bt_error failure; /* of a call of the mark */
};

/* Fills wanted and files, and counts what they are. */
int bt_copy_want(struct bt_copy *copy, const char *name, struct bt_error *error);
/* Copies all that is wanted into the pack. */
int bt_copy_carry(struct bt_copy *copy, const char *name, struct bt_pack *pack, struct bt_error *error);
/* Nothing is wanted any more. */
void bt_copy_rest(struct bt_copy *copy);

#endif
