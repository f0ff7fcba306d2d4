/* SPDX-License-Identifier: MIT */
#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
	ALIGNMENT = _Alignof(max_align_t),
	SMALLEST = 960,
	/* with its head, malloc is fast at it */ LARGEST = 256 << 10
};

struct bt_arena_block {
	struct bt_arena_block *next;
	size_t size, fill; /* of data */
	_Alignas(max_align_t) unsigned char data[];
};

static size_t next_block_size(const struct bt_arena *arena)
{
	if (!arena->used && arena->first)
		return arena->first;
	if (arena->used < SMALLEST)
		return SMALLEST;
	return arena->used < LARGEST ? arena->used : LARGEST;
}

/* A piece that would waste much of a block gets a block of its own; the present one goes on being filled. */
static struct bt_arena_block *add_block(struct bt_arena *arena, size_t size)
{
	size_t usual = next_block_size(arena);
	bool own = size > (usual < SMALLEST ? SMALLEST : usual) / 4;
	size_t room = own || size > usual ? size : usual;

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

/* A piece that begins at a multiple of the alignment. */
static void *alloc(struct bt_arena *arena, size_t size, size_t alignment)
{
	struct bt_arena_block *block = arena->blocks;
	size_t at = block ? (block->fill + alignment - 1) / alignment * alignment : 0;

	if (size > SIZE_MAX / 4)
		return NULL;
	if (!block || at > block->size || block->size - at < size) {
		block = add_block(arena, size);
		at = 0;
	}
	if (!block)
		return NULL;
	block->fill = at + size;
	return block->data + at;
}

void *bt_arena_alloc(struct bt_arena *arena, size_t size)
{
	return alloc(arena, size, ALIGNMENT);
}

static void *copy(struct bt_arena *arena, const void *data, size_t size, size_t alignment)
{
	unsigned char *copied = size < SIZE_MAX / 4 ? alloc(arena, size + 1, alignment) : NULL;

	if (!copied)
		return NULL;
	if (size > 0)
		memcpy(copied, data, size);
	copied[size] = 0;
	return copied;
}

void *bt_arena_copy(struct bt_arena *arena, const void *data, size_t size)
{
	return copy(arena, data, size, ALIGNMENT);
}

void *bt_arena_text(struct bt_arena *arena, const char *text, size_t length)
{
	return copy(arena, text, length, 1);
}

void bt_arena_free(struct bt_arena *arena)
{
	for (struct bt_arena_block *block = arena->blocks, *next; block; block = next) {
		next = block->next;
		free(block);
	}
	*arena = (struct bt_arena){0};
}
