/* SPDX-License-Identifier: MIT */
/* SNAPSHOT:PATH, as every command that looks into snapshots takes it. */
#ifndef TOOLS_PLACE_H
#define TOOLS_PLACE_H

#include "tool.h"

struct tool_place {
	struct tool_pick pick;
	const struct bt_snapshot_info *info;
	const struct bt_page *page; /* that entry belongs to, or NULL */
	const struct bt_entry *entry;
	char *path; /* below the snapshot's root, without needless slashes; "" the root */
};

/*
 * The snapshot may be named as everywhere. The path after the colon is relative to its root, or an absolute path below
 * its target. If there are several colons, the last one that makes sense divides: "@2026-11-20T10:30:a:b". On failure
 * says what is wrong and what comes nearest, and returns an exit code.
 */
int tool_place_open(const struct tool *tool, const char *text, struct tool_place *ret_place);
/* The same for what is compared with a directory: latest is rather of that. NULL: none. */
int tool_place_open_beside(const struct tool *tool, const char *text, const char *directory,
			   struct tool_place *ret_place);
void tool_place_close(struct tool_place *place);

/* Whether a text without a path is a snapshot's name; latest and a time are one, be there such a snapshot or not. */
bool tool_place_names(struct bt_store *store, const char *text);
/* Divides such a text into the snapshot's name, allocated, and the path after it, which may be "". On failure says what
 * is wrong, and returns an exit code. */
int tool_place_divide(const struct tool *tool, const char *text, char **ret_snapshot, const char **ret_path);
/* path in that snapshot, written as above; what is wrong is said as by open. Allocated. */
int tool_place_find(const struct tool *tool, const struct tool_pick *pick, const char *path, char **ret_path);

/* Of a path that is not in the place's snapshot: its part that is, with what comes nearest to the rest; NULL if nothing
 * does. Allocated. */
char *tool_place_nearest(const struct tool_place *place, const char *path);
/* Without "." and needless slashes, and without one before it. Allocated. */
char *tool_place_tidy(const char *path);
/* path in that snapshot, written as above; NULL if it cannot be below its target. Allocated. */
char *tool_place_path(const struct bt_snapshot_info *info, const char *path);
/* "2026-11-20T10-00-00Z" of "snapshot_2026-11-20T10-00-00Z.json": a name that every command takes. Allocated. */
char *tool_place_name(const char *snapshot);

#endif
