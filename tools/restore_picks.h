/* SPDX-License-Identifier: MIT */
/* --include and --exclude of a restore: what is selected by patterns, and what is said of those that matched nothing.
 */
#ifndef TOOLS_RESTORE_PICKS_H
#define TOOLS_RESTORE_PICKS_H

#include "tool.h"
#include <backuptool/restore.h>

struct tool_pick_options {
	struct tool_texts includes, excludes;
};
extern const struct tool_option tool_pick_table[]; /* of struct tool_pick_options */

struct tool_picks {
	const struct tool_pick_options *options;
	bool *include_used, *exclude_used;
	struct tool_texts unmatched; /* includes */
};
/* Fills in what wanted says of patterns. */
void tool_picks_begin(const struct tool_pick_options *options, struct tool_picks *picks,
		      struct bt_restore_options *wanted);
/* After the restore of a snapshot of that directory: says which patterns matched nothing. TOOL_OK if all includes
 * matched something, TOOL_INCOMPLETE if only some did, TOOL_FATAL if none did. */
int tool_picks_check(const struct tool *tool, const char *target, struct tool_picks *picks);
void tool_picks_end(struct tool_picks *picks);
/* Says that a PATH which is not there looks like a pattern. */
void tool_picks_hint(const struct tool *tool, const char *path);

#endif
