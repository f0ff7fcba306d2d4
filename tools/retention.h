/* SPDX-License-Identifier: MIT */
/* The rules of prune as options, for every command that has them, and what they mean for a store. */
#ifndef TOOLS_RETENTION_H
#define TOOLS_RETENTION_H

#include "tool.h"
#include <backuptool/prune.h>
#include <backuptool/retention.h>

struct tool_retention {
	struct bt_retention rules; /* keep_tags not yet filled */
	struct tool_texts keep_tags;
	struct tool_number {
		bool given;
		uint32_t value;
	} snapshot_number;
	bool all;	   /* removing every snapshot is meant */
	unsigned max_dead; /* percent; 0: the default */
};

tool_option_set tool_set_keep_count;	  /* uint32_t, at least 1; "all" keeps all */
tool_option_set tool_set_snapshot_number; /* struct tool_number */
tool_option_set tool_set_percent;	  /* unsigned, 1 to 100 */
tool_option_set tool_set_span;		  /* int64_t seconds, written in h, d, w and y; "forever" is -1 */

/* clang-format off */
#define TOOL_KEEP(type, member, name, bucket, what) \
	{"keep-" name, 0, "N", false, "keep " what, tool_set_keep_count, offsetof(type, member.rules.keep[bucket])}
#define TOOL_WITHIN(type, member, name, bucket, what) \
	{"keep-within" name, 0, "SPAN", false, "keep " what " in the last SPAN (36h, 30d, 8w, 1y)", tool_set_span, \
	 offsetof(type, member.rules.within[bucket])}
#define TOOL_MAX_DEAD_OPTION(type, member) \
	{"max-dead", 0, "PERCENT", false, "rewrite a file when more than this is unneeded (25)", tool_set_percent, \
	 offsetof(type, member)}
/* Rows of an option table whose target is a type with a struct tool_retention as a member. */
#define TOOL_RETENTION_OPTIONS(type, member) \
	{"snapshot-number", 0, "N", false, "keep the N newest snapshots", tool_set_snapshot_number, \
	 offsetof(type, member.snapshot_number)}, \
	TOOL_KEEP(type, member, "last", BT_LAST, "the N newest snapshots, or all"), \
	TOOL_KEEP(type, member, "hourly", BT_HOURLY, "the newest of each hour, for N (or all) hours that have any"), \
	TOOL_KEEP(type, member, "daily", BT_DAILY, "the same for days"), \
	TOOL_KEEP(type, member, "weekly", BT_WEEKLY, "the same for weeks, Monday to Sunday"), \
	TOOL_KEEP(type, member, "monthly", BT_MONTHLY, "the same for months"), \
	TOOL_KEEP(type, member, "yearly", BT_YEARLY, "the same for years"), \
	TOOL_WITHIN(type, member, "", BT_LAST, "everything"), \
	TOOL_WITHIN(type, member, "-hourly", BT_HOURLY, "the newest of each hour"), \
	TOOL_WITHIN(type, member, "-daily", BT_DAILY, "the newest of each day"), \
	TOOL_WITHIN(type, member, "-weekly", BT_WEEKLY, "the newest of each week"), \
	TOOL_WITHIN(type, member, "-monthly", BT_MONTHLY, "the newest of each month"), \
	TOOL_WITHIN(type, member, "-yearly", BT_YEARLY, "the newest of each year"), \
	{"keep-tag", 0, "TAG", false, "keep what has this tag; repeatable", tool_add_text, \
	 offsetof(type, member.keep_tags)}, \
	{"all", 0, NULL, false, "allow the rules to remove everything, the newest complete snapshot, too", tool_set_true, offsetof(type, member.all)}, \
	TOOL_MAX_DEAD_OPTION(type, member.max_dead)
/* clang-format on */

/* A snapshot and what the rules say of it. */
struct tool_verdict {
	struct bt_snapshot *snapshot;
	const struct bt_snapshot_info *info;
	uint32_t reasons; /* as bt_retention_decide gives them */
	const char *words[2 * BT_BUCKETS + 6];
	size_t word_count;
	char *oldest; /* one of the words, or NULL */
};
struct tool_verdicts {
	struct tool_verdict *items; /* in the order of list */
	size_t count, removed;
	size_t guarded; /* of those kept, the ones that no rule keeps */
};

bool tool_retention_given(const struct tool_retention *retention);
/* Decides about the whole store, or with the name of a snapshot about those of its host and directory. An exit code:
 * then *ret_problem says why, allocated. */
int tool_verdicts_make(const struct tool *tool, struct bt_store *store, const struct tool_retention *retention,
		       const char *like, struct tool_verdicts *ret_verdicts, char **ret_problem);
/* "snapshot_….json (newest complete), …": those that no rule keeps; allocated, NULL if there are none. */
char *tool_verdicts_guarded(const struct tool_verdicts *verdicts);
/* Of how many hosts and directories nothing stays, and a snapshot of the first. */
size_t tool_verdicts_forgotten(const struct tool_verdicts *verdicts, const struct bt_snapshot_info **ret_first);
/* Removes what is to go. The verdicts stay open. An enum bt_code. */
int tool_verdicts_apply(const struct tool_verdicts *verdicts, struct bt_store *store,
			const struct bt_prune_options *options, const struct bt_observer *observer,
			struct bt_prune_result *ret_result, struct bt_error *error);
/* Why removing failed and what can be done about it; allocated. */
char *tool_prune_problem(const struct tool *tool, const struct bt_error *error, const struct bt_prune_result *done);
/* Continues the line of a result with what was read because it was stored twice, if there was any. */
void tool_prune_print_proven(const struct bt_prune_result *done);
void tool_verdicts_free(struct tool_verdicts *verdicts);

#endif
