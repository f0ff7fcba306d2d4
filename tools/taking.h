/* SPDX-License-Identifier: MIT */
/* Taking a snapshot as options, for every command that takes some, and what is told of it. */
#ifndef TOOLS_TAKING_H
#define TOOLS_TAKING_H

#include "listed.h"
#include "rows.h"
#include "rules.h"
#include "tool.h"
#include <backuptool/snapshot.h>
#include <backuptool/view.h>

struct tool_taking {
	const char *target; /* NULL: there is no directory, but programs (programs.h) */
	struct tool_texts commands;
	const char *standard_input;
	char *words;		 /* the command after "--", as sh takes it; allocated, or NULL */
	const char *as;		 /* the directory that the snapshot is said to be of; NULL: the target */
	const char *host;	 /* NULL: this machine's name */
	const char *description; /* NULL: none */
	bool pin;
	struct bt_time expires; /* seconds 0: nobody knows */
	struct tool_rules rules;
	struct tool_texts tags;
	struct tool_listed files;
	bool skip_if_unchanged, allow_empty, dry_run, force, birth_times, trust_mtime_size;
	int level;
	enum bt_at_rest at_rest;
	int64_t checkpoint_every; /* seconds; 0: the default, -1: never */
};

/* Tables of options for a struct tool_taking, beside that of its rules; about: what becomes of a single snapshot. */
extern const struct tool_option tool_taking_options[], tool_taking_about[], tool_taking_dry_run[];
tool_option_set tool_set_level; /* int: 1–19, 0 for "auto", BT_COMPRESSION_MAX for "max" */

/* Seconds; 0: never. */
int64_t tool_taking_checkpoints(const struct tool_taking *taking);

struct tool_taken;
/* As the engine wants them, and as it fills taken; borrowed. */
struct bt_snapshot_options tool_taking_request(const struct tool *tool, const struct tool_taking *taking,
					       struct tool_taken *taken);
/* After a run that took no complete snapshot: says why, and gives the exit code. */
int tool_taken_fail(const struct tool *tool, const struct tool_taken *taken, const struct bt_error *error);
/* After it succeeded: fills what follows from that. tool_taken_end frees it. */
void tool_taken_note(const struct tool_taking *taking, struct tool_taken *taken);
void tool_taken_end(struct tool_taken *taken);

/* What of the options cannot be meant, as a sentence; allocated, or NULL. */
char *tool_taking_problem(const struct tool_taking *taking);
/* Before any is taken: says what of the options cannot be meant for that directory. TOOL_USAGE or TOOL_OK. */
int tool_taking_check(const struct tool *tool, const struct tool_taking *taking);

/* The host and the directory whose snapshots are taken, as they are recorded; allocated. */
char *tool_taking_host(const struct tool_taking *taking);
char *tool_taking_of(const struct tool_taking *taking);
/* The directory for people, as the user named it; allocated. */
char *tool_taking_shown(const struct tool_taking *taking);
/* Before a snapshot's own rules are used: says so when they are not recorded. */
void tool_recorded_check(const struct tool *tool, const struct bt_snapshot_info *info);
/* Says what is to be known of the rules of a run. */
void tool_taking_say_rules(const struct tool *tool, const struct tool_taking *taking, const struct tool_taken *taken);
/* After a run that had none to compare with: says so when the newest snapshot of the directory is of another host. */
void tool_taking_say_other_host(const struct tool *tool, struct bt_store *store, const struct tool_taking *taking,
				const struct bt_snapshot_result *result);

/* After a run: says so when the directory has a snapshot of a later time, because the clock was or is wrong. */
void tool_taking_say_clock(const struct tool *tool, struct bt_store *store, const struct tool_taking *taking,
			   const struct bt_snapshot_result *result);

/* Whether the directory, if there is to be one, can be listed. Asked before a store is made for it. Says what is wrong
 * and gives an exit code, or TOOL_OK. */
int tool_target_check(const struct tool *tool, const struct tool_taking *taking);
/* The same as a sentence with its exit code; allocated, or NULL. */
char *tool_target_problem(const struct tool *tool, const struct tool_taking *taking, int *ret_exit);

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
	bool *used; /* by pattern, as the engine tells it: those of exclude, then those of include */
	/* Patterns that matched nothing where they were tried: in a first run, and a dry one. The first ones are those
	 * of exclude. */
	struct tool_texts unused;
	size_t unused_exclude;
	char *as;			/* NULL: the target is recorded */
	struct tool_programs *programs; /* NULL: a directory is read */
	struct tool_texts empty;	/* the files of programs that gave nothing */
};
/* Of struct tool_taken, for JSON; ends with a NULL key. */
#define TOOL_TAKEN_COLUMNS 34
extern const struct tool_column tool_taken_columns[TOOL_TAKEN_COLUMNS + 1];

/*
 * Losses that must be shown wherever a snapshot is reported, each after "; ": entries that are gone or were left out,
 * and directories that were not entered. "" if there are no losses. Allocated.
 */
char *tool_taken_losses(const struct bt_snapshot_result *result);
/* "2 entries could not be read; 1 file changed while being read", or NULL. Allocated. */
char *tool_taken_lacks(const struct bt_snapshot_result *result);
/* What an interrupted run kept, or NULL. Allocated. */
char *tool_taken_interrupted(const struct bt_snapshot_result *result);
/* The exit code of a snapshot that was taken, of which code is the engine's. A directory that is empty and was not
 * before is said, and incomplete, unless that is right; so is a program that gave nothing. */
int tool_taken_judge(const struct tool *tool, const struct tool_taking *taking, const struct tool_taken *taken,
		     int code);

#endif
