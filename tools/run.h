/* SPDX-License-Identifier: MIT */
/* A run of one source of a configuration: a snapshot, then a prune by its rules, then a check if one is due. */
#ifndef TOOLS_RUN_H
#define TOOLS_RUN_H

#include "config.h"
#include "job_round.h"

/* What became of it. */
struct run_result {
	struct job_run job; /* the first member: its columns are these, too */
	const char *source;
	bool done;    /* it was its turn */
	char *why;    /* it did not end with 0, or was put off; allocated, or NULL */
	bool checked; /* a check was due, and ended */
	uint64_t findings;
	char *part; /* of the store that was checked; allocated, NULL: all of it */
};

struct run_source {
	struct job_round round; /* the first member: the round's callbacks get it */
	const struct config_source *source;
	struct config_settings settings; /* stays where it is: hooks refer to it */
	struct tool_texts doubts;
	int64_t lifetime; /* of each snapshot, in seconds; 0: not given */
	bool begun;
	struct run_result result;
};

/* Puts the settings of a source into one that is all zero. False: there are problems more. */
bool run_source_init(struct run_source *run, struct config *config, const struct config_source *source,
		     const struct tool *tool);
/* Before the first run of it. */
void run_source_begin(struct run_source *run);
/* Does it once; what the last time left in the result is freed. */
void run_source_work(struct run_source *run);
void run_source_free(struct run_source *run);
/* The worse one of two exit codes. */
int run_worse(int a, int b);

enum run_which {
	RUN_NAMED, /* or the only one */
	RUN_ALL,
	RUN_TIMED, /* those that say when, of those that are named or else of all */
};
/* Sources of a configuration, each with the process that runs its hooks: to be made before rights are given up. */
struct run_plan {
	struct config config;
	struct run_source *sources;
	size_t count;
	bool dry_run;
};
/* file as of config_load. Says what is wrong and gives an exit code, or TOOL_OK. */
int run_plan_make(struct tool *tool, const char *file, enum run_which which, bool dry_run, struct run_plan **ret_plan);
void run_plan_free(struct run_plan *plan);

/* A line of JSON for one, and at the end a table for people. */
void run_result_print(const struct tool *tool, const struct run_result *result);
void run_results_print(const struct tool *tool, const struct run_source *sources, size_t count);

#endif
