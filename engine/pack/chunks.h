/* SPDX-License-Identifier: MIT */
/* The chunks of a file as they become known, in memory that is bounded whatever the file's size, but for the list of
 * its chunk pages. Zero-initialised is empty. */
#ifndef BT_PACK_CHUNKS_H
#define BT_PACK_CHUNKS_H

#include "base/arena.h"
#include "pack/pack.h"

struct bt_chunk_list {
	struct bt_chunk *chunks; /* not in a page yet */
	struct bt_chunk *pages;
	size_t count, room, page_count, page_room;
};

int bt_chunk_list_add(struct bt_pack *pack, struct bt_chunk_list *list, const struct bt_held *chunk,
		      struct bt_error *error);
/* What came so far does not count: the file changed. */
void bt_chunk_list_restart(struct bt_chunk_list *list);
/* What the file's entry says about its chunks; entry has its size, holes, and digest unless it is one chunk. */
int bt_chunk_list_finish(struct bt_pack *pack, struct bt_chunk_list *list, struct bt_arena *arena,
			 struct bt_entry *entry, struct bt_error *error);
void bt_chunk_list_free(struct bt_chunk_list *list);

#endif
