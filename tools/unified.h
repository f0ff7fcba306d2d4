/* SPDX-License-Identifier: MIT */
/* Differences of two texts as diff(1) shows them. */
#ifndef TOOLS_UNIFIED_H
#define TOOLS_UNIFIED_H

#include "tool.h"

/* Of two descriptors, either -1 for nothing, both read from their beginning. Prints "--- a/PATH" and so on to standard
 * output, or that binary files differ. 0, or an errno: ENOENT if there is no diff(1). */
int tool_unified_print(int before, int after, const char *path);

/* A descriptor with a file's bytes, in memory; negative: an error of the engine. BT_E_UNSUPPORTED: it is too large. */
int tool_unified_open(struct bt_store *store, const struct bt_entry *file, struct bt_error *error);

#endif
