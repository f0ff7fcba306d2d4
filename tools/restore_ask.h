/* SPDX-License-Identifier: MIT */
/* What a restore is to say, and to ask, before it begins. */
#ifndef TOOLS_RESTORE_ASK_H
#define TOOLS_RESTORE_ASK_H

#include "tool.h"
#include <backuptool/restore.h>

/* Whether there is anything that --delete could remove. */
bool tool_restore_has_entries(const char *output);
/* Warns of new entries in a directory that is perhaps not the one that was meant, and asks (confirm.h) where much would
 * be removed from it, or where it is of something else, and of the doubts that there are already. TOOL_OK: go on. */
int tool_restore_ask(const struct tool *tool, const struct tool_pick *pick, const char *output,
		     const struct bt_restore_options *wanted);

#endif
