/* SPDX-License-Identifier: MIT */
/* How a program that reads --json is told why a command failed. */
#ifndef TOOLS_FAILURE_H
#define TOOLS_FAILURE_H

#include "rows.h"
#include "tool.h"

struct tool_failure {
	int exit;	     /* of the command */
	const char *message; /* NULL: it did not fail, or what it printed tells that */
	const struct bt_error *cause;
};

struct tool_failure tool_failure_of(const struct tool *tool, int exit);
/* The object for the key "error"; nothing without a message. */
struct tool_value tool_failure_value(const struct tool_failure *failure);
/* At the end of a command with --json: prints what it failed of, as a line after a stream, or in place of a result. */
void tool_failure_print(const struct tool *tool, int exit);

#endif
