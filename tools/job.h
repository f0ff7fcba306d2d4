/* SPDX-License-Identifier: MIT */
/* What the sources of the job command share, and schedule with them. */
#ifndef TOOLS_JOB_H
#define TOOLS_JOB_H

#include "retention.h"
#include "taking.h"

tool_option_set job_set_interval; /* int64_t milliseconds, above 0 */
tool_option_set job_set_duration; /* int64_t milliseconds; "forever" is -1 */
tool_option_set job_set_every;	  /* unsigned, from 1 */

struct job_options {
	struct tool_taking taking;
	struct tool_retention retention;
	int64_t interval, duration;
	bool watch;
	unsigned full_scan_every; /* runs; 0: the default */
	unsigned give_up_after;	  /* failed runs in a row; 0: never */
	bool at_start;
};

/* Rows of an option table whose target begins with a struct job_options. */
#define JOB_TAKING_OPTIONS    TOOL_TAKING_OPTIONS(struct job_options, taking)
#define JOB_RETENTION_OPTIONS TOOL_RETENTION_OPTIONS(struct job_options, retention)
/* clang-format off */
#define JOB_INTERVAL_OPTION \
	{"interval", 0, "TIME", true, "from the start of one snapshot to the next (500ms, 10s, 5m, 2h, 1d)", \
	 job_set_interval, offsetof(struct job_options, interval)}
#define JOB_RUNNING_OPTIONS \
	{"at-start", 0, NULL, false, "take a snapshot at once, however new the last one is", tool_set_true, \
	 offsetof(struct job_options, at_start)}, \
	{"give-up-after", 0, "N", false, "end after N failed runs in a row", job_set_every, \
	 offsetof(struct job_options, give_up_after)}
#define JOB_WATCH_OPTIONS \
	{"watch", 0, NULL, false, "look only at what changed since the last run, as far as the kernel tells", \
	 tool_set_true, offsetof(struct job_options, watch)}, \
	{"full-scan-every", 0, "N", false, "with --watch, look at everything in each N-th run (60)", job_set_every, \
	 offsetof(struct job_options, full_scan_every)}
/* clang-format on */

/* taken is the first member: its columns are those of a run, too. */
struct job_run {
	struct tool_taken taken;
	uint64_t number; /* of those made, from 1 */
	struct bt_time time;
	bool failed;		  /* no snapshot: error or exit says why */
	uint64_t failed_in_a_row; /* with this one */
	int exit;		  /* the worst of snapshot and pruning */
	struct bt_error error;
	struct bt_prune_result pruned;
	char *not_pruned; /* why not; allocated, or NULL */
	size_t kept;	  /* snapshots that no rule keeps, and that stay all the same */
	char *kept_names; /* allocated, or NULL */
	bool watched;	  /* by a watcher: result tells whether it was followed */
	uint64_t missed;  /* deadlines that it left no time for */
};

struct job_tally {
	uint64_t runs, snapshots, unchanged, incomplete, failed, not_pruned, missed;
	uint64_t new_bytes, written_bytes, removed;
	int64_t freed_bytes;
	double seconds;
	int exit; /* of the last run that failed; else 3 if one was incomplete */
};

void job_tally_add(struct job_tally *tally, const struct job_run *run);
/* One line without newline; allocated. */
char *job_run_text(const struct job_run *run);
void job_run_print(const struct tool *tool, const struct job_run *run);
void job_tally_print(const struct tool *tool, const struct job_tally *tally);

#endif
