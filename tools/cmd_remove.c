/* SPDX-License-Identifier: MIT */
#include "commands.h"
#include "confirm.h"
#include "named.h"
#include "output.h"
#include "progress.h"
#include "retention.h"
#include "rows.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
	unsigned max_dead;
	bool dry_run;
};

static const struct tool_option table[] = {
	{"dry-run", 'n', NULL, false, "say what would be removed, and remove nothing", tool_set_true,
	 offsetof(struct options, dry_run)},
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
	const struct tool_verdict *rows; /* of those that can be read */
	size_t row_count;
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

static const struct tool_column row_columns[] = {
	{"name", "NAME", TOOL_VIA(TOOL_TEXT, struct tool_verdict, info, name), TOOL_FIT_NAME},
	{"time", "TIME", TOOL_VIA(TOOL_TIME, struct tool_verdict, info, time), TOOL_FIT_LAST},
	{"host", "HOST", TOOL_VIA_IF_DIFFERS(TOOL_TEXT, struct tool_verdict, info, host), TOOL_FIT_CUTS},
	{"target", "TARGET", TOOL_VIA(TOOL_TEXT, struct tool_verdict, info, target), TOOL_FIT_CUTS},
	{"size", "SIZE", TOOL_VIA(TOOL_BYTES, struct tool_verdict, info, directory_size)},
	{0},
};

static struct tool_value get_details(const void *row)
{
	const struct report *self = row;

	return (struct tool_value){.kind = TOOL_ROWS,
				   .rows = {row_columns, self->rows, sizeof(*self->rows), self->row_count}};
}

TOOL_GETTER(struct report, freed, TOOL_BYTES, number, freed_bytes(self))

static const struct tool_column columns[] = {
	{"dry_run", NULL, TOOL_MEMBER(TOOL_FLAG, struct report, dry_run)},
	{"snapshots", NULL, TOOL_GET(get_snapshots)},
	{"details", NULL, TOOL_GET(get_details)},
	{"removed", NULL, TOOL_MEMBER(TOOL_COUNT, struct report, done.removed)},
	{"freed_bytes", NULL, TOOL_GET(get_freed)},
	{"verified_bytes", NULL, TOOL_MEMBER(TOOL_BYTES, struct report, done.proven_bytes)},
	{"seconds", NULL, TOOL_MEMBER(TOOL_SECONDS, struct report, seconds)},
	{0},
};

static void print_report(const struct tool *tool, const struct report *report)
{
	if (tool->json) {
		tool_object_print(columns, report);
		return;
	}
	if (tool->quiet)
		return;
	tool_auto char *removed = tool_count(report->done.removed, "snapshot", "snapshots");
	tool_auto char *freed = tool_bytes(freed_bytes(report));
	printf("%s %s; %s %s", report->dry_run ? "would remove" : "removed", removed, freed,
	       report->dry_run ? "would be free" : "freed");
	tool_prune_print_proven(&report->done);
	putchar('\n');
}

/* Each check will have findings for it. */
static void say_damaged(const struct tool *tool, uint64_t count)
{
	tool_auto char *files = tool_count(count, "damaged snapshot", "damaged snapshots");

	tool_say(tool,
		 "what others may need of %s went to contents/; until 'backuptool check --repair' makes it usable, "
		 "'check' and 'stats' name the damage",
		 files);
}

static void say_newer(const struct tool *tool, uint64_t count)
{
	tool_auto char *files = tool_count(count, "snapshot", "snapshots");

	tool_say(tool,
		 "what others may need of %s that a newer version of this program made went to contents/; only that "
		 "version can tell what of it is needed",
		 files);
}

/* What of the removed ones stays in contents/ because it cannot be read. */
static void say_unread(const struct tool *tool, const struct report *report)
{
	if (report->dry_run || tool->quiet)
		return;
	if (report->done.files_damaged)
		say_damaged(tool, report->done.files_damaged);
	if (report->done.files_newer)
		say_newer(tool, report->done.files_newer);
}

struct names {
	const char **items;
	size_t count;
};

static bool is_named(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->items[i], name) == 0)
			return true;
	return false;
}

/* Adds those that are named, or those that are not. What cannot be read is of no directory that anybody knows. */
static void add_verdicts(struct bt_store *store, const struct names *names, bool named, struct tool_verdicts *verdicts)
{
	for (size_t i = 0; i < bt_store_snapshot_count(store); i++) {
		const char *name = bt_store_snapshot_name(store, i);
		struct bt_snapshot *snapshot;
		struct bt_error unused = {0};

		if (is_named(names, name) != named || bt_snapshot_open(store, name, &snapshot, &unused))
			continue;
		verdicts->items[verdicts->count++] = (struct tool_verdict){
			.snapshot = snapshot, .info = bt_snapshot_info(snapshot), .reasons = !named};
	}
}

static void doubt_last(const struct tool *tool, const struct tool_verdicts *verdicts)
{
	const struct bt_snapshot_info *first = NULL;
	size_t count = tool_verdicts_forgotten(verdicts, &first);

	if (!count)
		return;
	tool_auto char *target = tool_escape(first->target);
	tool_auto char *others =
		count > 1 ? tool_format(" and of %zu other %s", count - 1, count > 2 ? "directories" : "directory")
			  : tool_format("%s", "");
	tool_doubt(tool, "this removes the last snapshot of %s%s", target, others);
}

static int remove_all(const struct tool *tool, struct bt_store *store, const struct options *options,
		      const struct names *wanted, const struct tool_verdicts *verdicts)
{
	size_t count = wanted->count;
	const char **names = wanted->items;
	struct report report = {.dry_run = options->dry_run,
				.done = {.size = sizeof(report.done)},
				.count = count,
				.rows = verdicts->items,
				.row_count = verdicts->removed};
	struct bt_prune_options how = {
		.size = sizeof(how), .dead_percent = options->max_dead, .dry_run = options->dry_run};
	struct bt_error error = {0};
	struct tool_talk talk;
	tool_auto char **kept = copies(names, count);
	char *problem;
	int r;

	report.names = (const char *const *)kept;
	if (!tool->json && !tool->quiet && report.row_count)
		tool_table_print(row_columns, report.rows, sizeof(*report.rows), report.row_count);
	tool_talk_begin(&talk, tool);
	r = bt_prune(store, names, count, &how, &talk.observer, &report.done, &error);
	report.seconds = tool_talk_seconds(&talk);
	tool_talk_end(&talk);
	if (r) {
		problem = tool_prune_problem(tool, &error, &report.done);
		tool_say(tool, "%s", problem);
		free(problem);
	}
	r = tool_exit_code(r);
	if (r == TOOL_OK || r == TOOL_INCOMPLETE)
		print_report(tool, &report);
	say_unread(tool, &report);
	for (size_t i = 0; i < count; i++)
		free(kept[i]);
	return r;
}

/* Says so of the first one that is pinned. */
static bool any_pinned(const struct tool *tool, const struct tool_verdicts *verdicts)
{
	for (size_t i = 0; i < verdicts->removed; i++) {
		const struct bt_snapshot_info *info = verdicts->items[i].info;

		if (!info->pinned)
			continue;
		tool_complain(tool, "%s is pinned, so nothing was removed; 'backuptool tag %s --unpin' unpins it",
			      info->name, info->name);
		return true;
	}
	return false;
}

static int remove_named(const struct tool *tool, struct bt_store *store, const struct options *options,
			const struct names *names)
{
	struct tool_verdicts verdicts = {
		.items = tool_alloc((bt_store_snapshot_count(store) + 1) * sizeof(struct tool_verdict))};
	int r = TOOL_OK;

	add_verdicts(store, names, true, &verdicts);
	verdicts.removed = verdicts.count;
	add_verdicts(store, names, false, &verdicts);
	if (any_pinned(tool, &verdicts))
		r = TOOL_FATAL;
	else if (!options->dry_run) {
		tool_store_doubt(tool, store);
		doubt_last(tool, &verdicts);
		r = tool_confirm(tool);
	}
	if (r == TOOL_OK)
		r = remove_all(tool, store, options, names, &verdicts);
	tool_verdicts_free(&verdicts);
	return r;
}

static int run_remove(struct tool *tool, const void *options)
{
	struct names names = {.items = tool_alloc(((size_t)tool->operand_count + 1) * sizeof(*names.items))};
	struct bt_store *store;
	int r = tool_store_open(tool, false, &store);

	if (r == TOOL_OK) {
		r = tool_operands_named(tool, store, !((const struct options *)options)->dry_run, names.items,
					&names.count);
		if (r == TOOL_OK)
			r = remove_named(tool, store, options, &names);
		bt_store_close(store);
	}
	free(names.items);
	return r;
}

const struct tool_command cmd_remove = {
	.name = "remove",
	.summary = "removes single snapshots, and what only they needed",
	.description = "All names are understood before the first snapshot is removed. A name is whole,\n"
		       "or given to the second; a shorter beginning, and the removal of the last\n"
		       "snapshot of a directory, need --yes. What is pinned must be unpinned first, with\n"
		       "'tag --unpin'. What no remaining snapshot needs is gone\n"
		       "from the disk when the command returns, but for remains that are not worth\n"
		       "rewriting a file yet.",
	.operands = "SNAPSHOT…",
	.example = "  backuptool remove latest\n  backuptool remove 2026-11-20T08-00-00 2026-11-20T09-00-00\n",
	.min_operands = 1,
	.max_operands = -1,
	.ending = "the store is left whole, and the next prune goes on",
	.common = TOOL_COMMON_STORE | TOOL_COMMON_SELECT | TOOL_COMMON_JSON | TOOL_COMMON_TALK | TOOL_COMMON_VERBOSE |
		  TOOL_COMMON_YES,
	.options = {{table, 0}, {tool_max_dead_option, offsetof(struct options, max_dead)}},
	.options_size = sizeof(struct options),
	.run = run_remove,
};
