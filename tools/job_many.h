/* SPDX-License-Identifier: MIT */
/* A job of several sources of a configuration: each has its turn when it is due, one after the other. */
#ifndef TOOLS_JOB_MANY_H
#define TOOLS_JOB_MANY_H

#include "run.h"

/* duration: of each, in milliseconds; -1: forever. Ends at a signal, or when no source has another run. Gives the exit
 * code. */
int job_many(const struct tool *tool, struct run_plan *plan, int64_t duration, bool at_start);

#endif
