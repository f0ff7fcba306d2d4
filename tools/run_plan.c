/* SPDX-License-Identifier: MIT */
#include "hooks.h"
#include "output.h"
#include "run.h"
#include <stdlib.h>

void run_plan_free(struct run_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		run_source_free(&plan->sources[i]);
	free(plan->sources);
	config_free(&plan->config);
	free(plan);
}

static bool is_timed(const struct run_source *run)
{
	const struct job_options *job = &run->settings.job;

	return job->interval || job->at.any;
}

/* Those that do not say when are left out, unless they were named. */
static bool is_wanted(const struct tool *tool, struct run_plan *plan, const struct run_source *run,
		      enum run_which which)
{
	const struct config_source *source = run->source;
	const struct job_options *job = &run->settings.job;

	if (which != RUN_TIMED)
		return true;
	if (job->interval && job->at.any)
		config_problem(&plan->config, source->file, source->line,
			       "the source %s has both interval and at; one of them says when", source->name);
	if (!is_timed(run) && tool->operand_count)
		config_problem(&plan->config, source->file, source->line,
			       "the source %s does not say when: give it 'interval = TIME' or 'at = TIME'",
			       source->name);
	return is_timed(run) || tool->operand_count;
}

static void add(const struct tool *tool, struct run_plan *plan, const struct config_source *source,
		enum run_which which)
{
	struct run_source *run = &plan->sources[plan->count];

	if (!run_source_init(run, &plan->config, source, tool) || !is_wanted(tool, plan, run, which)) {
		run_source_free(run);
		*run = (struct run_source){0};
		return;
	}
	run->settings.job.taking.dry_run = plan->dry_run;
	run->settings.job.watch &= which == RUN_TIMED && !plan->dry_run; /* it is for those that go on */
	plan->count++;
}

static int choose(const struct tool *tool, struct run_plan *plan, enum run_which which)
{
	tool_auto const struct config_source **chosen = tool_alloc((plan->config.count + 1) * sizeof(*chosen));
	bool all = which == RUN_ALL || (which == RUN_TIMED && !tool->operand_count);
	size_t count = 0;
	int r = config_choose(tool, &plan->config, all, chosen, &count);

	plan->sources = tool_alloc((count + 1) * sizeof(*plan->sources));
	for (size_t i = 0; i < count; i++)
		add(tool, plan, chosen[i], which);
	if (r == TOOL_OK && !plan->count && !plan->config.problems.count)
		config_problem(&plan->config, plan->config.path, 0,
			       "no source says when: give one 'interval = TIME' or 'at = TIME'");
	return r == TOOL_OK ? config_refuse(tool, &plan->config) : r;
}

static int start_hooks(struct run_plan *plan)
{
	static const struct tool_hooks none = {0};
	int r = TOOL_OK;

	for (size_t i = 0; i < plan->count && r == TOOL_OK; i++) {
		struct config_settings *settings = &plan->sources[i].settings;
		const struct tool_hooks *hooks = plan->dry_run ? &none : &settings->job.hooks;

		if (settings->job.taking.commands.count)
			r = tool_hooks_start_anyway(&settings->tool, hooks);
		else
			r = tool_hooks_start(&settings->tool, hooks);
	}
	return r;
}

int run_plan_make(struct tool *tool, const char *file, enum run_which which, bool dry_run, struct run_plan **ret_plan)
{
	struct run_plan *plan = tool_alloc(sizeof(*plan));
	int r;

	plan->dry_run = dry_run;
	config_load(tool, file, &plan->config);
	r = config_refuse(tool, &plan->config);
	if (r == TOOL_OK)
		r = choose(tool, plan, which);
	if (r == TOOL_OK)
		r = start_hooks(plan);
	if (r == TOOL_OK)
		*ret_plan = plan;
	else
		run_plan_free(plan);
	return r;
}
