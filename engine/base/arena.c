/* SPDX-License-Identifier: MIT */
#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = _Alignof(max_align_t), SMALLEST = 1024, LARGEST = 256 << 10 };

struct bt_arena_block {
	struct bt_arena_block *next;
	size_t size, fill; /* of data */
	_Alignas(max_align_t) unsigned char data[];
};

static size_t next_block_size(const struct bt_arena *arena)
{
	if (arena->used < SMALLEST)
		return SMALLEST;
	return arena->used < LARGEST ? arena->used : LARGEST;
}

/* A piece that would waste much of a block gets a block of its own; the present one goes on being filled. */
static struct bt_arena_block *add_block(struct bt_arena *arena, size_t size)
{
	size_t usual = next_block_size(arena);
	bool own = size > usual / 4;
	size_t room = own ? size : usual;

	if (room > SIZE_MAX / 2)
		return NULL;
	struct bt_arena_block *block = malloc(sizeof(*block) + room);
	if (!block)
		return NULL;
	block->size = room;
	block->fill = 0;
	if (own && arena->blocks) {
		block->next = arena->blocks->next;
		arena->blocks->next = block;
	} else {
		block->next = arena->blocks;
		arena->blocks = block;
	}
	arena->used += sizeof(*block) + room;
	return block;
}

void *bt_arena_alloc(struct bt_arena *arena, size_t size)
{
	struct bt_arena_block *block = arena->blocks;

	if (size > SIZE_MAX / 4)
		return NULL;
	size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (!block || block->size - block->fill < size)
		block = add_block(arena, size);
	if (!block)
		return NULL;
	void *piece = block->data + block->fill;
	block->fill += size;
	return piece;
}

void *bt_arena_copy(struct bt_arena *arena, const void *data, size_t size)
{
	unsigned char *copy = size < SIZE_MAX / 4 ? bt_arena_alloc(arena, size + 1) : NULL;

	if (!copy)
		return NULL;
	if (size > 0)
		memcpy(copy, data, size);
	copy[size] = 0;
	return copy;
}

void bt_arena_free(struct bt_arena *arena)
{
	for (struct bt_arena_block *block = arena->blocks, *next; block; block = next) {
		next = block->next;
		free(block);
	}
	*arena = (struct bt_arena){0};
}
