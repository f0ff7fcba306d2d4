/* SPDX-License-Identifier: MIT */
/* What of a directory is taken, or compared, as options: the same words for every command that asks. */
#ifndef TOOLS_RULES_H
#define TOOLS_RULES_H

#include "tool.h"

struct tool_rules {
	struct tool_texts exclude, exclude_if_present, ignore_files, include;
	bool exclude_caches, exclude_nodump, one_file_system;
	uint64_t exclude_larger_than; /* 0: not given */
};
extern const struct tool_option tool_rules_options[];

/* The name of one of the options that was given, or NULL. */
const char *tool_rules_given(const struct tool_rules *rules);
/* Before they are used: says which patterns can match nothing there, and what to write. as: under what other name the
 * directory is recorded, or NULL. */
void tool_rules_check(const struct tool *tool, const char *directory, const char *as, const struct tool_rules *rules);

#endif
