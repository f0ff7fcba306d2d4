/* SPDX-License-Identifier: MIT */
/* Words of a command line that is shown to be typed, or copied, into a shell. */
#ifndef TOOLS_SHELL_WORD_H
#define TOOLS_SHELL_WORD_H

#include "tool.h"

/* The text as one word of any sh, in quotes. Allocated. */
char *tool_shell_quoted(const char *text);
/* For people, the text as one word: as it is where that is safe, else in quotes, and with $'…' if it has characters
 * that cannot be shown. Allocated. */
char *tool_shell_word(const char *text);
/* "backuptool restore --store DIR 2026-11-20T10-00-00Z:letters/may.txt --in-place", the store only if the command was
 * given another one than there would be without; output NULL: in place. Allocated. */
char *tool_restore_line(const struct tool *tool, const char *snapshot, const char *path, const char *output);

#endif
