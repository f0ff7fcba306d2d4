/* SPDX-License-Identifier: MIT */
/* Which entries that went are the same as ones that came: those of one digest, if only one of each has it. */
#ifndef TOOLS_RENAMES_H
#define TOOLS_RENAMES_H

#include <backuptool/compare.h>

struct tool_rename {
	char *from, *to;
	bool from_inside, to_inside; /* as they were noted */
};

/* Zero-initialised it knows none. */
struct tool_renames {
	struct noted *noted;
	size_t noted_count, room;
	size_t bytes; /* of their paths */
	bool full;    /* there were too many to be remembered: none is known */
	struct tool_rename **by_from, **by_to;
	size_t count;
};

/* Remembers a file with bytes in it, or a directory, that came or went; all other changes are ignored. inside: it is
 * part of a directory that came or went as a whole. */
void tool_renames_note(struct tool_renames *renames, const struct bt_change *change, bool inside);
/* After all were noted. */
void tool_renames_match(struct tool_renames *renames);
/* The pair that the entry which came or went is one of, or NULL. */
const struct tool_rename *tool_renames_find(const struct tool_renames *renames, const struct bt_change *change);
void tool_renames_free(struct tool_renames *renames);

#endif
