/* SPDX-License-Identifier: MIT */
/* The message and the exit code for a name that is not a snapshot's. */
#ifndef TOOLS_MISSING_H
#define TOOLS_MISSING_H

#include "tool.h"

/* After bt_select failed. */
int tool_no_snapshot(const struct tool *tool, struct bt_store *store, const char *text, const struct bt_error *error);
/* Of what can only be a path: of a file that is no snapshot, or sys says why it cannot be looked at. */
int tool_not_a_snapshot(const struct tool *tool, const char *text, int sys);

#endif
