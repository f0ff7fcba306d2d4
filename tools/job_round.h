/* SPDX-License-Identifier: MIT */
/* One run after another of one host and directory: hooks, the snapshot, its pruning, and what the store's state is
 * told. */
#ifndef TOOLS_JOB_ROUND_H
#define TOOLS_JOB_ROUND_H

#include "job.h"
#include "job_store.h"
#include "progress.h"
#include <backuptool/watch.h>

struct job_round {
	struct tool_talk talk; /* the first member: callbacks get it */
	const struct tool *tool;
	const struct job_options *options;
	struct job_store at;			   /* of job_store_init */
	bool alone;				   /* one run without a number, after which hooks of success run, too */
	bool (*cancelled)(void *round);		   /* ends a run; tool_signals_cancel will do */
	int64_t (*next)(const struct job_round *); /* when the run after this one is due, 0: never; NULL: never */
	void (*then)(struct job_round *, struct job_run *run); /* more to do while the store is open; may be NULL */
	void *arg;					       /* of those who made it */
	uint64_t runs;					       /* up to now */
	uint64_t failed;				       /* of them in a row, up to now */
	uint64_t faulty;	/* the same with those that were incomplete, and others that did not end with 0 */
	bool met;		/* the store was opened once, or made */
	struct bt_watch *watch; /* NULL: every run looks at everything */
};

/* Opens the store for the first time. Says what is wrong and gives an exit code, or TOOL_OK. */
int job_round_meet(struct job_round *round);
/* Leaves the store closed. not_pruned and kept_names of the run are to be freed, and taken is to be ended. */
void job_round_run(struct job_round *round, struct job_run *run);
void job_round_free(struct job_round *round);

/* The exit code after another run, or another part of one: what the last one of all that failed did so for. */
int job_exit_after(int so_far, int run);

#endif
