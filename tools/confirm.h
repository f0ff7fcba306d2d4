/* SPDX-License-Identifier: MIT */
/* The one question before something is lost that was perhaps not meant. */
#ifndef TOOLS_CONFIRM_H
#define TOOLS_CONFIRM_H

#include "tool.h"

/*
 * A reason to ask, for the next tool_confirm: a sentence without a full stop that says what would be lost, "this
 * removes the last snapshot of /home/me". Nothing with --yes. The command's common groups include TOOL_COMMON_YES.
 */
void tool_doubt(const struct tool *tool, const char *format, ...) __attribute__((format(printf, 2, 3)));
/*
 * One question for all doubts of the command, once; TOOL_OK if there are none. On a terminal (standard input and
 * standard error) it asks "Go on? [y/N]" after them; TOOL_OK is a line that begins with y. Otherwise it says them, and
 * to give --yes. No is TOOL_FATAL: the caller then changes nothing. Ask before the store is locked for a
 * change.
 */
int tool_confirm(const struct tool *tool);

#endif
