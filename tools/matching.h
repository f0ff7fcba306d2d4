/* SPDX-License-Identifier: MIT */
/* Which paths of the snapshots match a pattern. */
#ifndef TOOLS_MATCHING_H
#define TOOLS_MATCHING_H

#include "tool.h"

/* Whether a text has characters that mean others in a pattern. */
bool tool_has_wildcards(const char *text);
/* A pattern that only this name matches; allocated. */
char *tool_pattern_of_name(const char *name);
/* The paths that match in the selected snapshots, each once and sorted, at most "most" of them; *ret_more: there are
 * more. What cannot be read is passed over. The texts and the list are to be freed, as tool_matching_free does. */
struct tool_texts tool_matching(const struct tool *tool, struct bt_store *store, const char *pattern, size_t most,
				bool *ret_more);
void tool_matching_free(struct tool_texts *paths);

#endif
