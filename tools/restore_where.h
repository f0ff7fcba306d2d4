/* SPDX-License-Identifier: MIT */
/* What of which snapshot a restore brings back, and where to: from its operands and options. */
#ifndef TOOLS_RESTORE_WHERE_H
#define TOOLS_RESTORE_WHERE_H

#include "tool.h"

/* The words of the command line. */
struct tool_where_words {
	const char *snapshot, *output, *deleted; /* options; NULL if not given */
	bool in_place, force;
};
/* What they mean. */
struct tool_where {
	const char *snapshot; /* SNAPSHOT[:PATH]; NULL: of what was deleted */
	bool contents;	      /* what is in PATH goes to the output, not PATH itself */
	bool named;	      /* the output is an operand */
	const char *output;   /* NULL: the directory that the snapshot is of, or nobody said */
	char **paths;	      /* of operands */
	size_t path_count;
};
/* TOOL_OK, or says what is missing. */
int tool_where_read(const struct tool *tool, const struct tool_where_words *words, struct tool_where *ret_where);

/* The directory that a snapshot is of, for --in-place. Refuses another host's and one that is gone with the directory
 * around it, unless it is forced. */
int tool_where_in_place(const struct tool *tool, const struct bt_snapshot_info *info, bool force,
			const char **ret_output);

#endif
