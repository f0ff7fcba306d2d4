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
