/* SPDX-License-Identifier: MIT */
/* The status as a table and as JSON. */
#include "output.h"
#include "rows.h"
#include "status.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Defines get_NAME: the value, an expression over `self`, where the condition holds. */
#define GETTER_IF(type, name, condition, wanted, member, value)                                                        \
	static struct tool_value get_##name(const void *row)                                                           \
	{                                                                                                              \
		const type *self = row;                                                                                \
                                                                                                                       \
		if (!(condition))                                                                                      \
			return (struct tool_value){.kind = TOOL_NOTHING};                                              \
		return (struct tool_value){.kind = (wanted), .member = (value)};                                       \
	}
#define ROW(name, condition, wanted, member, value)                                                                    \
	GETTER_IF(struct status_row, row_##name, condition, wanted, member, value)
#define REPORT(name, condition, wanted, member, value)                                                                 \
	GETTER_IF(struct report, report_##name, condition, wanted, member, value)

static char *growth_text(int64_t growth)
{
	uint64_t size = growth < 0 ? -(uint64_t)growth : (uint64_t)growth;
	tool_auto char *bytes = tool_bytes(size);
	char *text;

	text = tool_format("%s%s", growth < 0 ? "-" : "+", bytes);
	return text;
}

ROW(name, self->name, TOOL_TEXT, text, self->name)
ROW(time, self->name, TOOL_TIME, time, self->time)
ROW(size, self->name, TOOL_BYTES, number, self->size)
ROW(files, self->name, TOOL_COUNT, number, self->files)
ROW(unread, self->name, TOOL_COUNT, number, self->unread)
ROW(torn, self->name, TOOL_COUNT, number, self->torn)
ROW(incomplete, self->name, TOOL_FLAG, flag, status_is_incomplete(self))
ROW(future, self->future, TOOL_FLAG, flag, self->future)
ROW(run_time, self->run, TOOL_TIME, time, self->run->time)
ROW(run_exit, self->run, TOOL_COUNT, number, self->run->exit)
ROW(run_error, self->run && * self->run->error, TOOL_TEXT, text, self->run->error)
ROW(run_failures, self->run, TOOL_COUNT, number, self->run->failures)
ROW(next, self->run && self->run->next.seconds, TOOL_TIME, time, self->run->next)
ROW(prune_time, self->prune, TOOL_TIME, time, self->prune->time)
ROW(prune_exit, self->prune, TOOL_COUNT, number, self->prune->exit)
ROW(job, self->running || self->waiting, TOOL_TEXT, text, self->running ? "running" : "waiting")

ROW(age_text, self->name && !self->future, TOOL_OWNED, owned, status_age(self->age))
ROW(age, self->name && !self->future, TOOL_COUNT, number, (uint64_t)self->age)
ROW(unchanged, self->unchanged.seconds, TOOL_TIME, time, self->unchanged)
ROW(before, self->compared, TOOL_BYTES, number, self->size - (uint64_t)self->growth)
ROW(growth_text, self->compared, TOOL_OWNED, owned, growth_text(self->growth))

static void add_note(char **notes, char *note)
{
	tool_append(notes, "%s%s", *notes ? "; " : "", note);
	free(note);
}

static void note_run(char **notes, const struct status_row *row)
{
	const struct bt_state *run = row->run;
	tool_auto char *when = tool_local_time(run->time), *error = tool_escape(run->error);

	if (run->exit == TOOL_OK)
		return;
	add_note(notes, tool_format("the last run, at %s, ended with %" PRIu64 "%s%s", when, run->exit,
				    *error ? ": " : "", error));
	if (run->failures > 1)
		add_note(notes, tool_format("%" PRIu64 " in a row did not end with 0", run->failures));
}

static void note_job(char **notes, const struct status_row *row)
{
	tool_auto char *next = row->run ? tool_local_time(row->run->next) : NULL;

	if (row->running) {
		add_note(notes, tool_format("a run goes on: %s", row->running));
	} else if (row->waiting) {
		if (row->run && row->run->next.seconds)
			add_note(notes, tool_format("the job's next run is at %s", next));
		else
			add_note(notes, tool_format("a job waits for its next run"));
	}
}

static struct tool_value get_row_notes(const void *data)
{
	const struct status_row *row = data;
	char *notes = NULL;

	if (!row->name)
		add_note(&notes, tool_format("no snapshot"));
	if (row->future)
		add_note(&notes, tool_format("in the future"));
	if (row->partial)
		add_note(&notes, tool_format("not finished"));
	if (row->unread)
		add_note(&notes, tool_format("%" PRIu64 " unread", row->unread));
	if (row->torn)
		add_note(&notes, tool_format("%" PRIu64 " torn", row->torn));
	if (row->unchanged.seconds) {
		tool_auto char *until = tool_local_time(row->unchanged);

		add_note(&notes, tool_format("nothing changed until %s", until));
	}
	if (row->run)
		note_run(&notes, row);
	note_job(&notes, row);
	return (struct tool_value){.kind = notes ? TOOL_OWNED : TOOL_NOTHING, .owned = notes};
}

static const struct tool_column table_columns[] = {
	{"host", "HOST", TOOL_MEMBER(TOOL_TEXT, struct status_row, host), TOOL_FIT_CUTS},
	{"target", "TARGET", TOOL_MEMBER(TOOL_TEXT, struct status_row, target), TOOL_FIT_CUTS},
	{"time", "NEWEST", TOOL_GET(get_row_time)},
	{"age", "AGE", TOOL_GET(get_row_age_text)},
	{"size", "SIZE", TOOL_GET(get_row_size)},
	{"growth", "CHANGE", TOOL_GET(get_row_growth_text), TOOL_FIT_GOES},
	{"snapshots", "SNAPSHOTS", TOOL_MEMBER(TOOL_COUNT, struct status_row, snapshots), TOOL_FIT_GOES},
	{"pruned", "PRUNED", TOOL_GET(get_row_prune_time), TOOL_FIT_GOES},
	{"notes", "", TOOL_GET(get_row_notes), TOOL_FIT_BELOW},
	{0},
};

static const struct tool_column row_columns[] = {
	{"host", NULL, TOOL_MEMBER(TOOL_TEXT, struct status_row, host)},
	{"target", NULL, TOOL_MEMBER(TOOL_TEXT, struct status_row, target)},
	{"snapshots", NULL, TOOL_MEMBER(TOOL_COUNT, struct status_row, snapshots)},
	{"name", NULL, TOOL_GET(get_row_name)},
	{"time", NULL, TOOL_GET(get_row_time)},
	{"age", NULL, TOOL_GET(get_row_age)},
	{"future", NULL, TOOL_GET(get_row_future)},
	{"unchanged_until", NULL, TOOL_GET(get_row_unchanged)},
	{"incomplete", NULL, TOOL_GET(get_row_incomplete)},
	{"partial", NULL, TOOL_IF_ANY(TOOL_FLAG, struct status_row, partial)},
	{"unread", NULL, TOOL_GET(get_row_unread)},
	{"torn", NULL, TOOL_GET(get_row_torn)},
	{"files", NULL, TOOL_GET(get_row_files)},
	{"size", NULL, TOOL_GET(get_row_size)},
	{"size_before", NULL, TOOL_GET(get_row_before)},
	{"run_time", NULL, TOOL_GET(get_row_run_time)},
	{"run_exit", NULL, TOOL_GET(get_row_run_exit)},
	{"run_error", NULL, TOOL_GET(get_row_run_error)},
	{"failed_in_a_row", NULL, TOOL_GET(get_row_run_failures)},
	{"job", NULL, TOOL_GET(get_row_job)},
	{"job_process", NULL, TOOL_IF_ANY(TOOL_TEXT, struct status_row, running)},
	{"next_run", NULL, TOOL_GET(get_row_next)},
	{"prune_time", NULL, TOOL_GET(get_row_prune_time)},
	{"prune_exit", NULL, TOOL_GET(get_row_prune_exit)},
	{0},
};

static void print_times(const struct status *status)
{
	const struct bt_state *check = status->check, *prune = status->prune;
	tool_auto char *checked = check ? tool_local_time(check->time) : NULL;
	tool_auto char *pruned = prune ? tool_local_time(prune->time) : NULL;
	tool_auto char *findings = tool_count(check ? check->count : 0, "finding", "findings");

	if (!check)
		printf("last check: not known\n");
	else
		printf("last check: %s%s%s%s: %s\n", checked, *check->part ? " (" : "", check->part,
		       *check->part ? " of the contents)" : "",
		       check->count		? findings
		       : check->exit != TOOL_OK ? "it did not end well"
						: "no damage found");
	if (prune)
		printf("last prune of the store: %s%s\n", pruned,
		       prune->exit == TOOL_OK ? "" : ": it did not end well");
}

void status_print(const struct status *status)
{
	tool_auto char *bytes = tool_bytes(status->bytes.bytes), *free_bytes = tool_bytes(status->bytes.free);
	tool_auto char *snapshots = tool_count(status->snapshots, "snapshot", "snapshots");

	tool_table_print(table_columns, status->rows, sizeof(*status->rows), status->count);
	printf("%s in %s", snapshots, bytes);
	if (status->bytes.total)
		printf("; %s free", free_bytes);
	putchar('\n');
	print_times(status);
}

struct report {
	const struct tool *tool;
	const char *id;
	const struct status *status;
};

REPORT(free, self->status->bytes.total, TOOL_BYTES, number, self->status->bytes.free)
REPORT(check_time, self->status->check, TOOL_TIME, time, self->status->check->time)
REPORT(check_exit, self->status->check, TOOL_COUNT, number, self->status->check->exit)
REPORT(check_findings, self->status->check, TOOL_COUNT, number, self->status->check->count)
REPORT(check_part, self->status->check && * self->status->check->part, TOOL_TEXT, text, self->status->check->part)
REPORT(prune_time, self->status->prune, TOOL_TIME, time, self->status->prune->time)
REPORT(prune_exit, self->status->prune, TOOL_COUNT, number, self->status->prune->exit)

static struct tool_value get_report_rows(const void *row)
{
	const struct status *status = ((const struct report *)row)->status;

	return (struct tool_value){.kind = TOOL_ROWS,
				   .rows = {row_columns, status->rows, sizeof(*status->rows), status->count}};
}

static struct tool_value get_report_problems(const void *row)
{
	const struct status *status = ((const struct report *)row)->status;

	return (struct tool_value){.kind = TOOL_TEXTS, .texts = {status->problems.items, status->problems.count}};
}

static const struct tool_column report_columns[] = {
	{"store", NULL, TOOL_VIA(TOOL_TEXT, struct report, tool, store)},
	{"store_id", NULL, TOOL_IF_ANY(TOOL_TEXT, struct report, id)},
	{"snapshots", NULL, TOOL_VIA(TOOL_COUNT, struct report, status, snapshots)},
	{"damaged", NULL, TOOL_VIA_IF_ANY(TOOL_COUNT, struct report, status, damaged)},
	{"denied", NULL, TOOL_VIA_IF_ANY(TOOL_COUNT, struct report, status, denied)},
	{"newer", NULL, TOOL_VIA_IF_ANY(TOOL_COUNT, struct report, status, newer)},
	{"store_bytes", NULL, TOOL_VIA(TOOL_BYTES, struct report, status, bytes.bytes)},
	{"free_bytes", NULL, TOOL_GET(get_report_free)},
	{"check_time", NULL, TOOL_GET(get_report_check_time)},
	{"check_exit", NULL, TOOL_GET(get_report_check_exit)},
	{"check_findings", NULL, TOOL_GET(get_report_check_findings)},
	{"check_subset", NULL, TOOL_GET(get_report_check_part)},
	{"prune_time", NULL, TOOL_GET(get_report_prune_time)},
	{"prune_exit", NULL, TOOL_GET(get_report_prune_exit)},
	{"directories", NULL, TOOL_GET(get_report_rows)},
	{"problems", NULL, TOOL_GET(get_report_problems)},
	{0},
};

void status_print_json(const struct tool *tool, const struct bt_store *store, const struct status *status)
{
	const struct report report = {tool, bt_store_id(store), status};

	tool_object_print(report_columns, &report);
}
