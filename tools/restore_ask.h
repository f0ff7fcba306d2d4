/* SPDX-License-Identifier: MIT */
/* What a restore is to say, and to ask, before it begins. */
#ifndef TOOLS_RESTORE_ASK_H
#define TOOLS_RESTORE_ASK_H

#include "tool.h"
#include <backuptool/restore.h>

/* Warns of new entries in a directory that is perhaps not the one that was meant, and asks where much would be removed
 * from it, or where it is of something else. TOOL_OK: go on. */
int tool_restore_ask(const struct tool *tool, const struct tool_pick *pick, const char *output,
		     const struct bt_restore_options *wanted);

#endif
