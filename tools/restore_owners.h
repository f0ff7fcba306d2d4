/* SPDX-License-Identifier: MIT */
/* The owners of what is restored: the options about them, and what is said of those who are others here. */
#ifndef TOOLS_RESTORE_OWNERS_H
#define TOOLS_RESTORE_OWNERS_H

#include "progress.h"
#include <backuptool/restore.h>

struct tool_owner_options {
	enum bt_restored_owners owners;
	struct tool_texts users, groups; /* FROM:TO */
};
extern const struct tool_option tool_owner_table[]; /* of struct tool_owner_options */

struct tool_owners {
	struct tool_talk *talk; /* set it before the restore */
	struct bt_owner_change *changes;
	size_t change_count, told;
};
/* Fills in what wanted says of owners; a mistake gives its exit code. */
int tool_owners_begin(const struct tool *tool, const struct tool_owner_options *options, struct tool_owners *owners,
		      struct bt_restore_options *wanted);
/* Says how many were not told of. */
void tool_owners_end(const struct tool *tool, struct tool_owners *owners);

#endif
