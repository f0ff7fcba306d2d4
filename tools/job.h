/* SPDX-License-Identifier: MIT */
/* What the sources of the job command share, and schedule with them. */
#ifndef TOOLS_JOB_H
#define TOOLS_JOB_H

#include "hooks.h"
#include "retention.h"
#include "taking.h"
#include <internal/calendar.h>

struct job_options {
	struct tool_taking taking;
	struct tool_retention retention;
	struct tool_hooks hooks;
	int64_t interval, duration; /* milliseconds; interval 0: not given; duration -1: forever */
	struct bt_calendar at;
	bool watch;
	unsigned full_scan_every; /* runs; 0: the default */
	unsigned give_up_after;	  /* failed runs in a row; 0: never */
	bool at_start, no_battery;
};

/* Tables of options for a struct job_options, of job and schedule. */
extern const struct tool_option job_pace_options[], job_watch_options[], job_duration_option[];
/* Whether a hook runs before the work: what is not there yet may be there then. */
bool job_is_prepared(const struct job_options *options);
/* Why --watch cannot be had with the other options, or NULL: as a sentence; and as a usage error. */
const char *job_watch_problem(const struct job_options *options);
int job_watch_check(const struct tool *tool, const struct job_options *options);
tool_option_set job_add_at; /* struct bt_calendar, one time after the other */

/* taken is the first member: its columns are those of a run, too. */
struct job_run {
	struct tool_taken taken;
	uint64_t number; /* of those made, from 1; 0: it is the only one */
	struct bt_time time;
	bool failed;	 /* no snapshot: error or exit says why */
	bool put_off;	 /* no snapshot, and no failure: a hook said so */
	const char *why; /* what a hook did, or what was said, because of which there is no snapshot, or NULL */
	uint64_t failed_in_a_row; /* with this one */
	int exit;		  /* the worst of snapshot and pruning */
	struct bt_error error;
	struct bt_prune_result pruned;
	char *not_pruned;    /* why not; allocated, or NULL */
	size_t kept;	     /* snapshots that no rule keeps, and that stay all the same */
	char *kept_names;    /* allocated, or NULL */
	bool watched;	     /* by a watcher: result tells whether it was followed */
	uint64_t missed;     /* deadlines that it left no time for */
	struct bt_time next; /* when the next one is due; seconds 0: never */
};

struct job_tally {
	uint64_t runs, snapshots, unchanged, incomplete, failed, put_off, not_pruned, missed;
	uint64_t new_bytes, written_bytes, removed;
	int64_t freed_bytes;
	double seconds;
	int exit; /* of the last run that failed; else 3 if one was incomplete */
};

void job_tally_add(struct job_tally *tally, const struct job_run *run);
/* What --json tells of a run, of struct job_run. There is room for JOB_RUN_COLUMNS, with the end. Gives their number.
 */
#define JOB_RUN_COLUMNS (TOOL_TAKEN_COLUMNS + 16)
size_t job_run_columns(const struct job_run *run, struct tool_column *columns);
/* One line without newline; allocated. */
char *job_run_text(const struct job_run *run);
/* What follows it where somebody waits for the next run: "; next at …" or "". Allocated. */
char *job_next_text(const struct job_run *run);
void job_run_print(const struct tool *tool, const struct job_run *run);
void job_tally_print(const struct tool *tool, const struct job_tally *tally);

#endif
