/* SPDX-License-Identifier: MIT */
/* What help says beyond the table of commands. */
#ifndef TOOLS_HELP_H
#define TOOLS_HELP_H

#include "commands.h"

struct tool_exit_text {
	enum tool_exit code;
	const char *meaning; /* NULL ends the list */
};
extern const struct tool_exit_text tool_exits[];
struct tool_time_text {
	const char *written, *meaning; /* NULL ends the list */
};
extern const struct tool_time_text tool_times[];
extern const char tool_summary[]; /* of the program; a sentence */
extern const char tool_naming[];  /* how a snapshot is named; lines */
extern const char tool_hooking[]; /* what hooks are, and what they are told; lines */

/* The table as JSON, from which man pages and completions are made; only one command's part of it when that is given.
 */
void tool_help_json(const struct tool *tool, const struct tool_command *only);

#endif
