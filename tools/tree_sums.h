/* SPDX-License-Identifier: MIT */
/* How much is below a directory of a snapshot, and how that changed since another one. */
#ifndef TOOLS_TREE_SUMS_H
#define TOOLS_TREE_SUMS_H

#include <backuptool/compare.h>

struct tool_tree_sums {
	uint64_t size, entries;		  /* bytes of files; everything below */
	uint64_t added, removed, changed; /* entries, since the one before */
};

/* An enum bt_code: what could be read was counted. */
int tool_tree_count(const struct bt_side *side, struct tool_tree_sums *ret_sums, struct bt_error *error);
/* The same by the differences from another directory, of which the sums are known: what both share is not read. */
int tool_tree_count_since(const struct bt_side *before, const struct tool_tree_sums *known, const struct bt_side *side,
			  struct tool_tree_sums *ret_sums, struct bt_error *error);

#endif
