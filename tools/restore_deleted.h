/* SPDX-License-Identifier: MIT */
/* restore --deleted NAME: what had that name, is gone, and is in a snapshot. */
#ifndef TOOLS_RESTORE_DELETED_H
#define TOOLS_RESTORE_DELETED_H

#include "tool.h"

struct tool_deleted {
	const char *name;   /* a name, a path, or a pattern */
	const char *output; /* where it is to go; NULL: to where it was */
	bool only_list;	    /* nobody said where to */
};
/* Finds it in the selected snapshots: what the newest of its host and directory has no more, or the directory itself,
 * if it is one of this host and there. The only one is said, and *ret_place is its SNAPSHOT:PATH, allocated. Of
 * several, or if they are only to be listed, each is said with the command line that restores it. That is TOOL_FATAL,
 * as it is if there is nothing. */
int tool_deleted_find(const struct tool *tool, const struct tool_deleted *deleted, char **ret_place);

#endif
