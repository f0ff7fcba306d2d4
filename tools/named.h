/* SPDX-License-Identifier: MIT */
/* Names of snapshots for commands that change what they name. */
#ifndef TOOLS_NAMED_H
#define TOOLS_NAMED_H

#include "tool.h"

/*
 * A command that removes or changes a snapshot takes a name that is whole, or unique to the second; latest, latest~N
 * and @TIME; a path. A shorter beginning that happens to match a single one is a doubt (confirm.h).
 */
void tool_named_doubt(const struct tool *tool, struct bt_store *store, const char *text, const char *name);
/* As tool_names_resolve for the operands, with that doubt for each operand. */
int tool_operands_named(const struct tool *tool, struct bt_store *store, bool deletes, const char **names,
			size_t *ret_count);

#endif
