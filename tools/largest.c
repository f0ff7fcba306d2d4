/* SPDX-License-Identifier: MIT */
#include "largest.h"
#include "output.h"
#include <stdlib.h>
#include <string.h>

void tool_largest_add(struct tool_largest *largest, const char *path, uint64_t bytes)
{
	size_t at = largest->count;

	while (at > 0 && largest->items[at - 1].bytes < bytes)
		at--;
	if (!bytes || at == TOOL_LARGEST)
		return;
	if (largest->count == TOOL_LARGEST)
		free(largest->items[--largest->count].path);
	memmove(&largest->items[at + 1], &largest->items[at], (largest->count - at) * sizeof(*largest->items));
	largest->items[at] = (struct tool_large){tool_format("%s", path), bytes};
	largest->count++;
}

void tool_largest_free(struct tool_largest *largest)
{
	for (size_t i = 0; i < largest->count; i++)
		free(largest->items[i].path);
	*largest = (struct tool_largest){0};
}

static void leave(struct tool_folders *folders, size_t depth)
{
	while (folders->count > depth) {
		const struct tool_folder *folder = &folders->items[--folders->count];

		folders->path[folder->length] = '\0';
		tool_largest_add(folders->largest, folder->length ? folders->path : ".", folder->bytes);
	}
}

static void push(struct tool_folders *folders, const char *path, size_t length)
{
	size_t known = folders->count ? folders->items[folders->count - 1].length : 0;

	if (folders->count == folders->room) {
		folders->room = 2 * folders->room + 16;
		folders->items = tool_realloc(folders->items, folders->room * sizeof(*folders->items));
	}
	if (length >= folders->path_room) {
		folders->path_room = 2 * length + 16;
		folders->path = tool_realloc(folders->path, folders->path_room);
	}
	memcpy(folders->path + known, path + known, length - known);
	folders->items[folders->count++] = (struct tool_folder){.length = length};
}

/* A path may have megabytes and thousands of levels: of all on the way there is one, of which each has a part. */
void tool_folders_enter(struct tool_folders *folders, const struct bt_walk_step *step)
{
	leave(folders, step->depth);
	if (folders->count < step->depth)
		push(folders, step->path, step->path_length - step->entry->name_length - (step->depth > 1));
}

void tool_folders_add(struct tool_folders *folders, uint64_t bytes)
{
	folders->items[folders->count - 1].bytes += bytes;
}

void tool_folders_end(struct tool_folders *folders)
{
	leave(folders, 0);
	free(folders->items);
	free(folders->path);
}
