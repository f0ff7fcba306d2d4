/* SPDX-License-Identifier: MIT */
/*
 * When the runs of a job are due: at an interval, by a clock that goes on while the machine sleeps and is never set, or
 * at times of the day, by the one on the wall. Times of the day that were missed meanwhile are made up once.
 */
#ifndef TOOLS_JOB_WHEN_H
#define TOOLS_JOB_WHEN_H

#include "job.h"
#include "job_store.h"
#include <internal/schedule.h>

struct job_when {
	const struct job_options *options;
	int timer;   /* for poll(2): readable when the next run may be due, and when the clock was set */
	int64_t due; /* when the run is or was due that is next or goes on; here and below in milliseconds of its clock
		      */
	/* at an interval */
	struct bt_schedule schedule;
	uint64_t run;
	/* at times of the day */
	bool at_once;	/* the first run is due whatever they are */
	int64_t served; /* up to then all is done; here and below in seconds */
	int64_t told;	/* up to then all that was missed is told */
	int64_t end;	/* no run is due from then on, in milliseconds; 0: the first has not begun */
};

/* Whether the options say when, and that once. Says what is wrong and gives an exit code, or TOOL_OK. */
int job_when_check(const struct tool *tool, const struct job_options *options);
/* 0, or -1 with errno. */
int job_when_open(struct job_when *when, const struct job_options *options);
void job_when_close(struct job_when *when);

/* The first run is due after what the store has of its host and directory, or without a store at once. People are told
 * when, unless it is now. */
void job_when_begin(struct job_when *when, const struct tool *tool, const struct job_store *store);
/* Whether the next run is due. If not, the timer is set: ask again each time that it is readable. */
bool job_when_is_due(struct job_when *when);
/* A run begins. */
void job_when_started(struct job_when *when);
/* When the run after the one that goes on is due by the clock on the wall, in seconds since 1970; 0: there is none. */
int64_t job_when_after(const struct job_when *when);
/* A run has ended. False: it was the last. ret_missed: runs that were due since it was, and will not be made up. */
bool job_when_next(struct job_when *when, uint64_t *ret_missed);

#endif
