/* SPDX-License-Identifier: MIT */
/* The largest of many paths. */
#ifndef TOOLS_LARGEST_H
#define TOOLS_LARGEST_H

#include <backuptool/walk.h>
#include <stddef.h>
#include <stdint.h>

#define TOOL_LARGEST 10

struct tool_large {
	char *path;
	uint64_t bytes;
};

/* Zero-initialised is empty. */
struct tool_largest {
	struct tool_large items[TOOL_LARGEST]; /* the largest first; of equal ones the first */
	size_t count;
};

void tool_largest_add(struct tool_largest *largest, const char *path, uint64_t bytes);
void tool_largest_free(struct tool_largest *largest);

/* The directories of a walk, by the files in each without those below. Zero-initialise, with largest. */
struct tool_folders {
	struct tool_largest *largest;
	struct tool_folder {
		size_t length; /* of its path, which is the beginning of that of the last one */
		uint64_t bytes;
	} * items; /* those on the way */
	size_t count, room;
	char *path;
	size_t path_room;
};

/* The walk took this step. */
void tool_folders_enter(struct tool_folders *folders, const struct bt_walk_step *step);
/* It is a file. */
void tool_folders_add(struct tool_folders *folders, uint64_t bytes);
void tool_folders_end(struct tool_folders *folders);

#endif
