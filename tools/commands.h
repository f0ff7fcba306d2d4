/* SPDX-License-Identifier: MIT */
/* The list of commands, in the order of `backuptool help`. Each has its struct cmd_NAME in cmd_NAME.c. */
#ifndef TOOLS_COMMANDS_H
#define TOOLS_COMMANDS_H

#include "tool.h"

#define TOOL_COMMANDS(X)                                                                                               \
	X(snapshot)                                                                                                    \
	X(list)                                                                                                        \
	X(ls)                                                                                                          \
	X(cat)                                                                                                         \
	X(find)                                                                                                        \
	X(versions)                                                                                                    \
	X(diff)                                                                                                        \
	X(stats)                                                                                                       \
	X(du)                                                                                                          \
	X(status)                                                                                                      \
	X(restore)                                                                                                     \
	X(dump)                                                                                                        \
	X(job)                                                                                                         \
	X(schedule)                                                                                                    \
	X(run)                                                                                                         \
	X(config)                                                                                                      \
	X(prune)                                                                                                       \
	X(remove)                                                                                                      \
	X(tag)                                                                                                         \
	X(rewrite)                                                                                                     \
	X(copy)                                                                                                        \
	X(mirror)                                                                                                      \
	X(check)                                                                                                       \
	X(mount)                                                                                                       \
	X(export)                                                                                                      \
	X(help)

#define TOOL_DECLARE(name) extern const struct tool_command cmd_##name;
TOOL_COMMANDS(TOOL_DECLARE)
#undef TOOL_DECLARE

const struct tool_command *tool_command_find(const struct tool *tool, const char *name); /* NULL if there is none */

/* Says so, with what was meant; gives TOOL_USAGE. */
int tool_command_unknown(const struct tool *tool, const char *name);

/* The options that commands share and that may come before the command. The tables' target is struct tool. */
struct tool_common_options {
	unsigned bits; /* enum tool_common */
	const struct tool_option *options;
};
#define TOOL_COMMON_GROUPS 12
extern const struct tool_common_options tool_common_options[TOOL_COMMON_GROUPS + 1]; /* ends with NULL options */
unsigned tool_common_bits(const struct tool_command *command);			     /* of those that it has */

#endif
