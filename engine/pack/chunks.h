/* SPDX-License-Identifier: MIT */
/* Collects the chunks of a file as they become known. The memory is bounded whatever the size of the file, except for
 * the list of its chunk pages. A list that is all zero is empty. */
#ifndef BT_PACK_CHUNKS_H
#define BT_PACK_CHUNKS_H

#include "base/arena.h"
#include "pack/pack.h"

struct bt_chunk_list {
	struct bt_chunk *chunks; /* those that are not in a page yet */
	struct bt_chunk *pages;
	size_t count, room, page_count, page_room;
};

int bt_chunk_list_add(struct bt_pack *pack, struct bt_chunk_list *list, const struct bt_held *chunk,
		      struct bt_error *error);
/* Drops the chunks added so far, because the file changed. */
void bt_chunk_list_restart(struct bt_chunk_list *list);
/* Fills the chunk members of the file's entry, which must have its size and holes, and its digest unless the file is
 * one chunk. */
int bt_chunk_list_finish(struct bt_pack *pack, struct bt_chunk_list *list, struct bt_arena *arena,
			 struct bt_entry *entry, struct bt_error *error);
void bt_chunk_list_free(struct bt_chunk_list *list);

#endif
