/* SPDX-License-Identifier: MIT */
/* The chunks of a file as they get known, in memory bounded whatever the file's size but for the list of its chunk
 * pages. Zero-initialised is empty. */
#ifndef BT_SNAPSHOT_LIST_H
#define BT_SNAPSHOT_LIST_H

#include "snapshot/run.h"

struct bt_snap_list {
	struct bt_chunk *chunks; /* not in a page yet */
	struct bt_chunk *pages;
	size_t count, room, page_count, page_room;
};

int bt_snap_list_add(struct bt_snap_run *run, struct bt_snap_list *list, const struct bt_digest *digest, uint64_t size,
		     struct bt_error *error);
void bt_snap_list_restart(struct bt_snap_list *list);
/* What the file's entry says about its chunks; entry has its size, holes, and digest unless it is one chunk. */
int bt_snap_list_finish(struct bt_snap_run *run, struct bt_snap_list *list, struct bt_arena *arena,
			struct bt_entry *entry, struct bt_error *error);
void bt_snap_list_free(struct bt_snap_list *list);

#endif
