/* SPDX-License-Identifier: MIT */
/* Taking a snapshot as options, for every command that takes some, and what is told of it. */
#ifndef TOOLS_TAKING_H
#define TOOLS_TAKING_H

#include "rows.h"
#include "tool.h"
#include <backuptool/snapshot.h>

struct tool_taking {
	const char *target;
	const char *host; /* NULL: this machine's name */
	struct tool_texts exclude, exclude_if_present, tags;
	bool exclude_caches, one_file_system, skip_if_unchanged, allow_empty, dry_run, force;
	int level;
};

tool_option_set tool_add_patterns_from; /* struct tool_texts: the lines of a file, "-" is standard input */
tool_option_set tool_set_level;		/* int */
tool_option_set tool_set_host;		/* const char *: UTF-8 without control characters */

/* clang-format off */
/* Rows of an option table whose target is a type with a struct tool_taking as a member. */
#define TOOL_TAKING_OPTIONS(type, member) \
	{"target-directory", 0, "DIR", true, "the directory to protect", tool_set_only, \
	 offsetof(type, member.target)}, \
	{"host", 0, "NAME", false, "whose directory it is, instead of this machine's name", tool_set_host, \
	 offsetof(type, member.host)}, \
	{"exclude", 'e', "PATTERN", false, "leave out what matches, as in .gitignore; repeatable", tool_add_text, \
	 offsetof(type, member.exclude)}, \
	{"exclude-from", 0, "FILE", false, "the same for each line of a file, - for standard input", tool_add_patterns_from, \
	 offsetof(type, member.exclude)}, \
	{"exclude-caches", 0, NULL, false, "leave out what lies beside a CACHEDIR.TAG", tool_set_true, \
	 offsetof(type, member.exclude_caches)}, \
	{"exclude-if-present", 0, "NAME", false, "leave out what lies beside a file of this name; repeatable", tool_add_text, \
	 offsetof(type, member.exclude_if_present)}, \
	{"one-file-system", 'x', NULL, false, "do not enter other file systems", tool_set_true, \
	 offsetof(type, member.one_file_system)}, \
	{"tag", 0, "TAG", false, "a word to find the snapshot by; repeatable", tool_add_tag, \
	 offsetof(type, member.tags)}, \
	{"skip-if-unchanged", 0, NULL, false, "take no snapshot when nothing changed", tool_set_true, \
	 offsetof(type, member.skip_if_unchanged)}, \
	{"allow-empty", 0, NULL, false, "it is right if nothing is left in the directory", tool_set_true, \
	 offsetof(type, member.allow_empty)}, \
	{"force", 'f', NULL, false, "read every file, even one that looks unchanged", tool_set_true, \
	 offsetof(type, member.force)}, \
	{"compression", 0, "LEVEL", false, "1 (fast) to 19 (small), auto, or max", tool_set_level, \
	 offsetof(type, member.level)}
#define TOOL_TAKING_DRY_RUN(type, member) \
	{"dry-run", 'n', NULL, false, "read and compare, but write nothing", tool_set_true, \
	 offsetof(type, member.dry_run)}
/* clang-format on */

/* What was meant by a pattern that begins with "./" or with the directory's own path, and so matches nothing; NULL for
 * any other. */
const char *tool_pattern_meant(const char *pattern, const char *directory);
void tool_pattern_say(const struct tool *tool, const char *pattern, const char *meant);
/* Says which patterns match nothing because they begin with "./" or with the directory's own path. */
void tool_patterns_check(const struct tool *tool, const char *directory, const struct tool_texts *patterns);

/* As the engine wants them; borrowed. */
struct bt_snapshot_options tool_taking_options(const struct tool_taking *taking);

/* The host whose snapshots are taken; allocated. */
char *tool_taking_host(const struct tool_taking *taking);
/* After a run that had none to compare with: says so when the newest snapshot of the directory is of another host. */
void tool_taking_say_other_host(const struct tool *tool, struct bt_store *store, const struct tool_taking *taking,
				const struct bt_snapshot_result *result);

/* Whether the directory can be listed. Asked before a store is made for it. Says what is wrong and gives an exit code,
 * or TOOL_OK. */
int tool_target_check(const struct tool *tool, const char *target);

struct tool_store_facts {
	char id[BT_STORE_ID_SIZE];
	bool made;
};
struct tool_store_facts tool_store_facts(const struct bt_store *store);

struct tool_taken {
	bool dry_run;
	struct tool_store_facts store;
	struct bt_snapshot_result result;
	double seconds;
};
/* Of struct tool_taken, for JSON; ends with a NULL key. */
#define TOOL_TAKEN_COLUMNS 25
extern const struct tool_column tool_taken_columns[TOOL_TAKEN_COLUMNS + 1];

/*
 * Losses that must be shown wherever a snapshot is reported, each after "; ": entries that are gone or were left out,
 * and directories that were not entered. "" if there are no losses. Allocated.
 */
char *tool_taken_losses(const struct bt_snapshot_result *result);
/* "2 entries could not be read; 1 file changed while being read", or NULL. Allocated. */
char *tool_taken_lacks(const struct bt_snapshot_result *result);
/* The exit code of a snapshot that was taken, of which code is the engine's. A directory that is empty and was not
 * before is said, and incomplete, unless that is right. */
int tool_taken_judge(const struct tool *tool, const struct tool_taking *taking, const struct bt_snapshot_result *result,
		     int code);

#endif
