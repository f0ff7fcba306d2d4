/* SPDX-License-Identifier: MIT */
/* The one question before something is lost that was perhaps not meant. */
#ifndef TOOLS_CONFIRM_H
#define TOOLS_CONFIRM_H

#include "tool.h"

/*
 * The text is a sentence without a full stop that says what would be lost: "this removes the last snapshot of
 * /home/me". With --yes nothing is said and the answer is TOOL_OK. On a terminal (standard input and standard error) it
 * asks "Go on? [y/N]"; TOOL_OK is a line that begins with y. Otherwise it says the sentence and to give --yes. No is
 * TOOL_FATAL: the caller then changes nothing. The command's common groups include TOOL_COMMON_YES. Ask before any lock
 * is taken.
 */
int tool_confirm(const struct tool *tool, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
