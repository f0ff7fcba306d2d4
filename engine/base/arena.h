/* SPDX-License-Identifier: MIT */
/* Memory that is freed all at once. Zero-initialised is empty. */
#ifndef BT_BASE_ARENA_H
#define BT_BASE_ARENA_H

#include <stddef.h>

struct bt_arena {
	struct bt_arena_block *blocks;
	size_t used;  /* bytes in all blocks */
	size_t first; /* how large to make the first block; 0: as usual */
};

void *bt_arena_alloc(struct bt_arena *arena, size_t size); /* aligned for any type, not zeroed; NULL: out of memory */
void *bt_arena_text(struct bt_arena *arena, const char *text, size_t length); /* the same, for bytes, not aligned */
void *bt_arena_copy(struct bt_arena *arena, const void *data, size_t size);   /* a NUL is added after the data */
void bt_arena_free(struct bt_arena *arena);

#endif
