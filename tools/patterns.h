/* SPDX-License-Identifier: MIT */
/* Exclude patterns that cannot be meant as they were written. */
#ifndef TOOLS_PATTERNS_H
#define TOOLS_PATTERNS_H

#include "tool.h"

/* What was meant by a pattern that begins with "./", with "~/" or with the directory's own path, and so matches
 * nothing; NULL for any other. Allocated. */
char *tool_pattern_meant(const char *pattern, const char *directory);
void tool_pattern_say(const struct tool *tool, const char *pattern, const char *meant);

/* For each pattern of a snapshot of that directory, which is recorded as another one (NULL: it is not), why it can
 * match nothing, or NULL if it can; all allocated. */
char **tool_patterns_wrong(const char *directory, const char *as, const struct tool_texts *patterns);
/* Before patterns are used: says which of them can match nothing, and what to write. */
void tool_patterns_check(const struct tool *tool, const char *directory, const char *as,
			 const struct tool_texts *patterns);
/* After they were used: says which of the unused ones, in the order of the patterns, matched nothing, but for those of
 * which the check has told. */
void tool_patterns_say_unused(const struct tool *tool, const char *directory, const char *as,
			      const struct tool_texts *patterns, const struct tool_texts *unused);

#endif
