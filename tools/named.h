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
/* The snapshots that the operands mean, or without any those that are selected: each once, oldest first, whatever the
 * order of the operands. There is room for all in names, which are the store's. deletes: an operand
 * that is only the beginning of a name is a doubt, and as above. An exit code. */
int tool_meant(const struct tool *tool, struct bt_store *store, bool deletes, const char **names, size_t *ret_count);

#endif
