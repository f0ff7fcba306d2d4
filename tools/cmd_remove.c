/* SPDX-License-Identifier: MIT */
#include "commands.h"
#include "output.h"
#include "progress.h"
#include "retention.h"
#include "rows.h"
#include <stdio.h>
#include <stdlib.h>

struct options {
	unsigned max_dead;
	bool dry_run;
};

static const struct tool_option table[] = {
	{"dry-run", 'n', NULL, false, "say what would be removed, and remove nothing", tool_set_true,
	 offsetof(struct options, dry_run)},
	TOOL_MAX_DEAD_OPTION(struct options, max_dead),
	{0},
};

/* The store's own go with the snapshots. */
static char **copies(const char *const *names, size_t count)
{
	char **kept = tool_alloc((count + 1) * sizeof(*kept));

	for (size_t i = 0; i < count; i++)
		kept[i] = tool_format("%s", names[i]);
	return kept;
}

/* What was done, for both forms of the report. */
struct report {
	bool dry_run;
	const char *const *names;
	size_t count;
	struct bt_prune_result done;
	double seconds;
};

static uint64_t freed_bytes(const struct report *report)
{
	return report->done.freed_bytes > 0 ? (uint64_t)report->done.freed_bytes : 0;
}

static struct tool_value get_snapshots(const void *row)
{
	const struct report *self = row;

	return (struct tool_value){.kind = TOOL_TEXTS, .texts = {self->names, self->count}};
}

TOOL_GETTER(struct report, dry_run, TOOL_FLAG, flag, self->dry_run)
TOOL_GETTER(struct report, removed, TOOL_COUNT, number, self->done.removed)
TOOL_GETTER(struct report, freed, TOOL_BYTES, number, freed_bytes(self))
TOOL_GETTER(struct report, seconds, TOOL_SECONDS, seconds, self->seconds)

static const struct tool_column columns[] = {
	{"dry_run", NULL, false, get_dry_run}, {"snapshots", NULL, false, get_snapshots},
	{"removed", NULL, false, get_removed}, {"freed_bytes", NULL, false, get_freed},
	{"seconds", NULL, false, get_seconds}, {0},
};

static void print_report(const struct tool *tool, const struct report *report)
{
	char *removed, *freed;

	if (tool->json) {
		tool_object_print(columns, report);
		return;
	}
	if (tool->quiet)
		return;
	removed = tool_count(report->done.removed, "snapshot", "snapshots");
	freed = tool_bytes(freed_bytes(report));
	printf("%s %s; %s %s\n", report->dry_run ? "would remove" : "removed", removed, freed,
	       report->dry_run ? "would be free" : "freed");
	free(removed);
	free(freed);
}

/* Each check will have findings for it. */
static void say_damaged(const struct tool *tool, const struct report *report)
{
	char *files;

	if (!report->done.files_damaged || report->dry_run || tool->quiet)
		return;
	files = tool_count(report->done.files_damaged, "damaged snapshot", "damaged snapshots");
	tool_say(tool,
		 "what others may need of %s went to contents/; until 'backuptool check --repair' makes it usable, "
		 "'check' and 'stats' name the damage",
		 files);
	free(files);
}

static int remove_all(const struct tool *tool, struct bt_store *store, const struct options *options,
		      const char **names, size_t count)
{
	struct report report = {.dry_run = options->dry_run, .count = count};
	struct bt_prune_options how = {.dead_percent = options->max_dead, .dry_run = options->dry_run};
	struct bt_error error = {0};
	struct tool_talk talk;
	char **kept = copies(names, count), *problem;
	int result;

	report.names = (const char *const *)kept;
	tool_talk_begin(&talk, tool);
	result = bt_prune(store, names, count, &how, &talk.observer, &report.done, &error);
	report.seconds = tool_talk_seconds(&talk);
	tool_talk_end(&talk);
	if (result) {
		problem = tool_prune_problem(tool, &error, &report.done);
		tool_say(tool, "%s", problem);
		free(problem);
	}
	result = tool_exit_code(result);
	if (result == TOOL_OK || result == TOOL_INCOMPLETE)
		print_report(tool, &report);
	say_damaged(tool, &report);
	for (size_t i = 0; i < count; i++)
		free(kept[i]);
	free(kept);
	return result;
}

static int run(struct tool *tool, const void *options)
{
	const char **names = tool_alloc(((size_t)tool->operand_count + 1) * sizeof(*names));
	const struct tool_texts texts = {(const char **)tool->operands, (size_t)tool->operand_count};
	struct bt_store *store;
	size_t count = 0;
	int result = tool_store_open(tool, false, &store);

	if (result == TOOL_OK) {
		if (!((const struct options *)options)->dry_run)
			result = tool_store_confirm(tool, store);
		if (result == TOOL_OK)
			result = tool_names_resolve(tool, store, &texts, !((const struct options *)options)->dry_run,
						    names, &count);
		if (result == TOOL_OK)
			result = remove_all(tool, store, options, names, count);
		bt_store_close(store);
	}
	free(names);
	return result;
}

const struct tool_command cmd_remove = {
	.name = "remove",
	.summary = "removes single snapshots, and what only they needed",
	.description = "All names are understood before the first snapshot is removed. What no\n"
		       "remaining snapshot needs is gone from the disk when the command returns, but\n"
		       "for remains that are not worth writing a file anew yet.",
	.operands = "SNAPSHOT…",
	.example = "  backuptool remove latest\n  backuptool remove 2026-11-20T08 2026-11-20T09\n",
	.min_operands = 1,
	.max_operands = -1,
	.ending = "the store is left whole, and the next prune goes on",
	.common = TOOL_COMMON_STORE | TOOL_COMMON_JSON | TOOL_COMMON_TALK | TOOL_COMMON_VERBOSE | TOOL_COMMON_YES,
	.options = table,
	.options_size = sizeof(struct options),
	.run = run,
};
