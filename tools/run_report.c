/* SPDX-License-Identifier: MIT */
#include "output.h"
#include "rows.h"
#include "run.h"
#include <stdlib.h>
#include <string.h>

#define RESULT(name, wanted, member, value) TOOL_GETTER(struct run_result, result_##name, wanted, member, value)

/* Whether there is something to tell of a snapshot. */
static bool has_counts(const struct run_result *result)
{
	return result->done && !result->job.failed && !result->job.put_off;
}

static const char *in_a_word(const struct run_result *result)
{
	const struct bt_snapshot_result *taken = &result->job.taken.result;

	if (!result->done)
		return "not begun";
	if (result->job.put_off)
		return "put off";
	if (result->job.failed)
		return taken->partial ? "partial" : "failed";
	if (taken->skipped)
		return "unchanged";
	return *taken->name ? taken->name : "dry run";
}

RESULT(word, TOOL_TEXT, text, in_a_word(self))
RESULT(new, has_counts(self) ? TOOL_COUNT : TOOL_NOTHING, number, self->job.taken.result.created)
RESULT(changed, has_counts(self) ? TOOL_COUNT : TOOL_NOTHING, number, self->job.taken.result.changed)
RESULT(added, has_counts(self) ? TOOL_BYTES : TOOL_NOTHING, number, self->job.taken.result.new_bytes)
RESULT(removed, has_counts(self) ? TOOL_COUNT : TOOL_NOTHING, number, self->job.pruned.removed)
RESULT(check, self->checked ? TOOL_TEXT : TOOL_NOTHING, text, self->findings ? "damage" : "no damage")
RESULT(why, self->why ? TOOL_TEXT : TOOL_NOTHING, text, self->why)
RESULT(exit, self->done ? TOOL_COUNT : TOOL_NOTHING, number, (uint64_t)self->job.exit)
RESULT(part, self->part ? TOOL_TEXT : TOOL_NOTHING, text, self->part)
RESULT(findings, self->checked ? TOOL_COUNT : TOOL_NOTHING, number, self->findings)

static const struct tool_column columns[] = {
	{"source", "SOURCE", TOOL_MEMBER(TOOL_TEXT, struct run_result, source)},
	{"result", "RESULT", TOOL_GET(get_result_word)},
	{"new", "NEW", TOOL_GET(get_result_new)},
	{"changed", "CHANGED", TOOL_GET(get_result_changed)},
	{"added", "ADDED", TOOL_GET(get_result_added)},
	{"removed", "PRUNED", TOOL_GET(get_result_removed)},
	{"check", "CHECK", TOOL_GET(get_result_check)},
	{"exit", "CODE", TOOL_GET(get_result_exit)},
	{"why", "WHY", TOOL_GET(get_result_why)},
	{0},
};

/* Around those of a run of a job, of which the last one says why it failed. */
static const struct tool_column before[] = {
	{"source", NULL, TOOL_MEMBER(TOOL_TEXT, struct run_result, source)},
};
static const struct tool_column after[] = {
	{"checked", NULL, TOOL_MEMBER(TOOL_FLAG, struct run_result, checked)},
	{"subset", NULL, TOOL_GET(get_result_part)},
	{"findings", NULL, TOOL_GET(get_result_findings)},
	{"error", NULL, TOOL_GET(get_result_why)},
	{0},
};

void run_result_print(const struct tool *tool, const struct run_result *result)
{
	struct tool_column all[1 + JOB_RUN_COLUMNS + sizeof(after) / sizeof(*after)];
	size_t count;

	if (!tool->json)
		return;
	memcpy(all, before, sizeof(before));
	count = job_run_columns(&result->job, all + 1);
	memcpy(all + count, after, sizeof(after));
	tool_object_print(all, result);
}

void run_results_print(const struct tool *tool, const struct run_source *sources, size_t count)
{
	struct run_result *rows;

	if (tool->json || tool->quiet)
		return;
	rows = tool_alloc(count * sizeof(*rows));
	for (size_t i = 0; i < count; i++)
		rows[i] = sources[i].result;
	tool_table_print(columns, rows, sizeof(*rows), count);
	free(rows);
}
