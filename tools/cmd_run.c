/* SPDX-License-Identifier: MIT */
#include "commands.h"
#include "output.h"
#include "run.h"

struct options {
	const char *config;
	bool all, dry_run;
	struct run_plan *plan;
};

#define FIELD(name) offsetof(struct options, name)

static const struct tool_option table[] = {
	{"all", 0, NULL, false, "take every source", tool_set_true, FIELD(all)},
	{"dry-run", 'n', NULL, false, "read and compare, but write nothing: no prune, no check, no hooks",
	 tool_set_true, FIELD(dry_run)},
	{0},
};

static int prepare(struct tool *tool, void *arg)
{
	struct options *options = arg;

	return run_plan_make(tool, options->config, options->all ? RUN_ALL : RUN_NAMED, options->dry_run,
			     &options->plan);
}

static int work(struct tool *tool, struct run_plan *plan)
{
	struct job_tally tally = {0};
	double started = tool_clock();

	for (size_t i = 0; i < plan->count && !tool_signals_seen(); i++) {
		struct run_source *run = &plan->sources[i];

		run_source_begin(run);
		run->round.alone = true;
		run_source_work(run);
		job_tally_add(&tally, &run->result.job);
		tally.exit = run_worse(tally.exit, run->result.job.exit);
		run_result_print(tool, &run->result);
	}
	if (tool_signals_seen())
		tally.exit = TOOL_INTERRUPTED;
	tally.seconds = tool_clock() - started;
	run_results_print(tool, plan->sources, plan->count);
	if (tool->json)
		job_tally_print(tool, &tally);
	return tally.exit;
}

static int run_run(struct tool *tool, const void *arg)
{
	struct run_plan *plan = ((const struct options *)arg)->plan;
	int r;

	tool_signals_watch(tool);
	r = work(tool, plan);
	run_plan_free(plan);
	return r;
}

const struct tool_command cmd_run = {
	.name = "run",
	.summary = "takes what a configuration says: snapshots, prunes, checks",
	.description = "For each source in turn, a snapshot is taken. Then, if the source has rules of\n"
		       "prune, the snapshots of its host and directory are pruned by them. Then, if it\n"
		       "has check-every and no check is as new as that, its store is checked; with\n"
		       "'subset = 1/7' each check reads the part after the last one's. If a source\n"
		       "fails, the others still have their turn. At the end a table shows what became\n"
		       "of each, and the code is the worst of all: 1 is worse than 2, 2 than 10, 10\n"
		       "than 11, and 11 than 3. Nothing is pruned while a directory that had files is\n"
		       "empty. Without SOURCE and --all, the only source is taken.\n"
		       "\n"
		       "'backuptool config --help' tells what a configuration is and where it lies.\n"
		       "Hooks run around each source. With --json, each source gives a line, and the\n"
		       "end another one.",
	.operands = "[SOURCE…]",
	.example = "  backuptool run --all\n"
		   "  backuptool run home --dry-run\n"
		   "  backuptool run --all --quiet --config /etc/backuptool/config\n",
	.max_operands = -1,
	.ending = "no snapshot is made, and what was done before stays",
	.common = TOOL_COMMON_JSON | TOOL_COMMON_YES | TOOL_COMMON_TALK | TOOL_COMMON_VERBOSE,
	.options = {{config_option, FIELD(config)}, {table, 0}},
	.options_size = sizeof(struct options),
	.prepare = prepare,
	.run = run_run,
};
