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
		struct tool_large *folder = &folders->items[--folders->count];

		tool_largest_add(folders->largest, folder->path, folder->bytes);
		free(folder->path);
	}
}

static char *parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? tool_format("%.*s", (int)(slash - path), path) : tool_format(".");
}

/* Paths of the directories on the way are made only where a file is in them. */
void tool_folders_enter(struct tool_folders *folders, const char *path, size_t depth)
{
	leave(folders, depth);
	while (folders->count < depth) {
		if (folders->count == folders->room) {
			folders->room = 2 * folders->room + 16;
			folders->items = tool_realloc(folders->items, folders->room * sizeof(*folders->items));
		}
		folders->items[folders->count++] = (struct tool_large){0};
	}
	if (depth && !folders->items[depth - 1].path)
		folders->items[depth - 1].path = parent_of(path);
}

void tool_folders_add(struct tool_folders *folders, uint64_t bytes)
{
	folders->items[folders->count - 1].bytes += bytes;
}

void tool_folders_end(struct tool_folders *folders)
{
	leave(folders, 0);
	free(folders->items);
}
