/* SPDX-License-Identifier: MIT */
#include "commands.h"
#include "output.h"
#include "selection.h"
#include "status.h"
#include <stdio.h>

struct options {
	int64_t max_age, check_age; /* seconds; 0: not given; -1: forever */
	bool metrics;
};

static const struct tool_option table[] = {
	{"max-age", 0, "TIME", false, "fail if a directory's newest snapshot is older (26h, 8d) or incomplete",
	 tool_set_age, offsetof(struct options, max_age)},
	{"check-age", 0, "TIME", false, "fail if the last check of the store is older (30d) or found damage",
	 tool_set_age, offsetof(struct options, check_age)},
	{"openmetrics", 0, NULL, false, "print metrics for Prometheus", tool_set_true,
	 offsetof(struct options, metrics)},
	{0},
};

static int show(const struct tool *tool, struct bt_store *store, const struct options *options)
{
	struct status status;
	int r = TOOL_OK;

	status_gather(tool, store, &status);
	status_judge_snapshots(&status, options->max_age);
	status_judge_check(&status, options->check_age);
	if (options->metrics)
		status_print_metrics(&status);
	else if (tool->json)
		status_print_json(tool, store, &status);
	else if (!tool->quiet)
		status_print(&status);
	for (size_t i = 0; i < status.problems.count; i++)
		tool_complain(tool, "%s", status.problems.items[i]);
	if (status.damaged || status.problems.count)
		r = TOOL_FATAL;
	else if (status.denied || status.newer)
		r = TOOL_INCOMPLETE;
	status_free(&status);
	return r;
}

static int run_status(struct tool *tool, const void *arg)
{
	const struct options *options = arg;
	struct bt_store *store;
	int r;

	if (options->metrics && tool->json)
		return tool_usage_error(tool, "--openmetrics and --json are two formats: give one of them");
	r = tool_store_open(tool, false, &store);
	if (r != TOOL_OK)
		return r;
	r = tool_store_stay(tool, store);
	if (r == TOOL_OK)
		r = show(tool, store, options);
	if (!tool->quiet)
		tool_selects_nothing(tool, store);
	bt_store_close(store);
	return r;
}

const struct tool_command cmd_status = {
	.name = "status",
	.summary = "shows for each directory whether its snapshots are recent and whole",
	.description = "One row for each host and directory: the time and age of the newest snapshot,\n"
		       "its size and by how much that changed, the number of snapshots, and when its job\n"
		       "last pruned. The notes say what is missing in the newest snapshot, why the last\n"
		       "run failed, and what a job does now. Then the size of the store, free space, and\n"
		       "the last check. A snapshot from the future is passed over if there are others.\n"
		       "\n"
		       "--max-age makes the command end with 1 when a row's newest snapshot is older, or\n"
		       "incomplete, or there is none, and --check-age when the store was not checked since\n"
		       "or has damage, each with a sentence on standard error: that is the probe for cron,\n"
		       "Nagios and others. Files that changed while they were read do not count as\n"
		       "missing. A check of some snapshots, or with --quick, counts only if it found\n"
		       "damage.\n"
		       "\n"
		       "When something last ran, and how it ended, is in the directory state/ of the store;\n"
		       "without that it is not known. --openmetrics prints for the textfile collector of\n"
		       "the node exporter.",
	.example = "  backuptool status\n"
		   "  backuptool status --host server --quiet --max-age 26h --check-age 30d\n"
		   "  backuptool status --json | jq -r '.directories[] | \"\\(.target) \\(.time)\"'\n",
	.common = TOOL_COMMON_STORE | TOOL_COMMON_SELECT | TOOL_COMMON_JSON | TOOL_COMMON_TALK,
	.options = {{table, 0}},
	.options_size = sizeof(struct options),
	.run = run_status,
};
