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
	struct tool_room {
		uint64_t keep_free, max_store; /* bytes; 0: not given */
		unsigned keep_free_percent;
	} room;
};

/* Tables of options: for a struct tool_retention, and for its max_dead, which commands without rules have, too. */
extern const struct tool_option tool_retention_options[], tool_max_dead_option[];

/* A snapshot and what the rules say of it. */
struct tool_verdict {
	struct bt_snapshot *snapshot;
	const struct bt_snapshot_info *info;
	uint32_t reasons; /* as bt_retention_decide gives them */
	const char *words[2 * BT_BUCKETS + 8];
	size_t word_count;
	char *oldest; /* one of the words, or NULL */
	bool spare;   /* it may go for room, though rules keep it */
};
struct tool_verdicts {
	struct tool_verdict *items; /* in the order of list */
	size_t count, removed;
	size_t guarded;		     /* of those kept, the ones that no rule keeps */
	struct tool_verdict *others; /* what the command's selection leaves out, which stays */
	size_t other_count;
	struct bt_room_wish wish; /* size 0: no room is asked for */
	struct bt_room_result room;
};

tool_option_set tool_set_free;	    /* struct tool_room: its keep_free or keep_free_percent */
tool_option_set tool_set_max_store; /* the same: its max_store */
/* Sets an int64_t to the seconds of "30d"; -1: forever. As struct tool_option's set. */
const char *tool_set_span(void *field, const char *text);
bool tool_retention_given(const struct tool_retention *retention);
bool tool_room_given(const struct tool_room *room);
/* As tool_verdicts_apply, where room is asked for. */
int tool_room_apply(struct tool_verdicts *verdicts, struct bt_store *store, const struct bt_prune_options *options,
		    const struct bt_observer *observer, struct bt_prune_result *ret_result, struct bt_error *error);
/* Why there is too little room, and what would help; allocated. NULL: there is enough, or none was asked for. */
char *tool_room_problem(const struct tool_verdicts *verdicts);
/* Decides about what the command selects, or with the name of a snapshot about those of its host and directory. An exit
 * code: then *ret_problem says why, allocated. */
int tool_verdicts_make(const struct tool *tool, struct bt_store *store, const struct tool_retention *retention,
		       const char *like, struct tool_verdicts *ret_verdicts, char **ret_problem);
/* "snapshot_….json (newest complete), …": those that no rule keeps; allocated, NULL if there are none. */
char *tool_verdicts_guarded(const struct tool_verdicts *verdicts);
/* Of how many hosts and directories nothing stays, and a snapshot of the first. */
size_t tool_verdicts_forgotten(const struct tool_verdicts *verdicts, const struct bt_snapshot_info **ret_first);
/* Whether applying them can change anything, before it is known what goes for room. */
bool tool_verdicts_remove(const struct tool_verdicts *verdicts);
/* Removes what is to go, and says in the verdicts what went for room. They stay open. An enum bt_code. */
int tool_verdicts_apply(struct tool_verdicts *verdicts, struct bt_store *store, const struct bt_prune_options *options,
			const struct bt_observer *observer, struct bt_prune_result *ret_result, struct bt_error *error);
/* Why removing failed and what can be done about it; allocated. */
char *tool_prune_problem(const struct tool *tool, const struct bt_error *error, const struct bt_prune_result *done);
/* The same after tool_verdicts_apply. */
char *tool_verdicts_problem(const struct tool *tool, const struct tool_verdicts *verdicts, const struct bt_error *error,
			    const struct bt_prune_result *done);
/* Continues the line of a result with what was read because it was stored twice, if there was any. */
void tool_prune_print_proven(const struct bt_prune_result *done);
void tool_verdicts_free(struct tool_verdicts *verdicts);

#endif
