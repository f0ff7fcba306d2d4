/* SPDX-License-Identifier: MIT */
/* How `diff` shows what it finds: each entry by itself, in short, by directory, or as JSON. */
#ifndef TOOLS_DIFF_H
#define TOOLS_DIFF_H

#include "place.h"
#include "progress.h"
#include "renames.h"
#include "rows.h"
#include "rules.h"
#include <backuptool/compare.h>

struct diff_options {
	bool content, nul, exit_code, all_files, recursive, stat;
	unsigned depth; /* 0: not given */
	struct tool_rules rules;
};

/* A directory that came or went with all that was in it. */
struct diff_whole {
	enum bt_change_kind kind;
	char *path; /* NULL: there is none */
	uint64_t entries, files, bytes, renamed;
	const struct tool_rename *rename;
};

struct diff_level;
struct diff {
	const struct tool *tool;
	const struct diff_options *options;
	struct tool_talk talk;
	struct tool_place before, after;
	char *live; /* a path, instead of after */
	struct bt_compare_result result;
	struct tool_renames renames;
	struct diff_whole whole;
	struct diff_level *levels; /* of --stat: the directories around the last change, from the top */
	size_t level_count;
};

/* diff_lines.c */
bool diff_is_directory(const struct bt_change *change);
/* "+ docs/new", with the escapes of a table. */
void diff_line_print(const struct diff *diff, const struct bt_change *change);
void diff_content_print(struct diff *diff, const struct bt_change *change);
void diff_json_print(const struct diff *diff, const struct bt_change *change);
void diff_totals_print(const struct diff *diff);

/* diff_short.c: whole directories and renamed entries have a line each. */

/* Counts a change that is part of the directory. */
bool diff_whole_takes(struct diff_whole *whole, const struct bt_change *change, bool renamed);
/* Begins with a change that is a directory which came or went. */
bool diff_whole_begins(struct diff_whole *whole, const struct bt_change *change, const struct tool_rename *rename);
void diff_whole_end(struct diff_whole *whole);
void diff_short_add(struct diff *diff, const struct bt_change *change);
void diff_short_end(struct diff *diff);

/* diff_stat.c: a row for each directory down to a depth. */
void diff_stat_add(struct diff *diff, const struct bt_change *change);
void diff_stat_end(struct diff *diff);

#endif
