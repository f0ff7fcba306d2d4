/* SPDX-License-Identifier: MIT */
/* The status for Prometheus: the text format of OpenMetrics 1.0. */
#include "output.h"
#include "status.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* In a value of a label a backslash, a quotation mark and the end of a line are escaped. All of it is UTF-8. */
static void put_label(const char *text)
{
	tool_auto char *shown = tool_is_utf8(text) ? tool_format("%s", text) : tool_escape(text);

	for (const char *c = shown; *c; c++) {
		if (*c == '\n')
			fputs("\\n", stdout);
		else if (*c == '\\' || *c == '"')
			printf("\\%c", *c);
		else
			putchar(*c);
	}
}

/* unit: the end of the name, or NULL */
static void begin_family(const char *name, const char *unit, const char *help)
{
	printf("# TYPE backuptool_%s gauge\n", name);
	if (unit)
		printf("# UNIT backuptool_%s %s\n", name, unit);
	printf("# HELP backuptool_%s %s\n", name, help);
}

struct metric {
	const char *name, *unit, *help;
	bool (*get)(const struct status_row *row, int64_t *ret_value); /* false: there is none */
};

#define METRIC(name, condition, value)                                                                                 \
	static bool get_##name(const struct status_row *row, int64_t *ret_value)                                       \
	{                                                                                                              \
		if (!(condition))                                                                                      \
			return false;                                                                                  \
		*ret_value = (int64_t)(value);                                                                         \
		return true;                                                                                           \
	}

METRIC(time, row->name, row->time.seconds)
METRIC(unchanged, row->unchanged.seconds, row->unchanged.seconds)
METRIC(incomplete, row->name, status_is_incomplete(row))
METRIC(unread, row->name, row->unread)
METRIC(torn, row->name, row->torn)
METRIC(files, row->name, row->files)
METRIC(size, row->name, row->size)
METRIC(snapshots, true, row->snapshots)
METRIC(run_time, row->run, row->run->time.seconds)
METRIC(run_exit, row->run, row->run->exit)
METRIC(failures, row->run, row->run->failures)
METRIC(next, row->run && row->run->next.seconds, row->run->next.seconds)
METRIC(running, true, row->running ? 1 : 0)
METRIC(prune_time, row->prune, row->prune->time.seconds)

static const struct metric metrics[] = {
	{"last_snapshot_timestamp_seconds", "seconds", "The time of the newest snapshot.", get_time},
	{"last_snapshot_unchanged_timestamp_seconds", "seconds", "When nothing was found to have changed since.",
	 get_unchanged},
	{"last_snapshot_incomplete", NULL, "Whether something is missing in it.", get_incomplete},
	{"last_snapshot_unread_entries", NULL, "Entries that could not be read.", get_unread},
	{"last_snapshot_torn_files", NULL, "Files that changed while they were read.", get_torn},
	{"last_snapshot_files", NULL, "Files in it.", get_files},
	{"last_snapshot_size_bytes", "bytes", "The size of these files.", get_size},
	{"snapshots", NULL, "The number of snapshots.", get_snapshots},
	{"last_run_timestamp_seconds", "seconds", "When the last run ended.", get_run_time},
	{"last_run_exit_code", NULL, "Its exit code.", get_run_exit},
	{"runs_failed_in_a_row", NULL, "Runs up to this one that did not end with 0.", get_failures},
	{"next_run_timestamp_seconds", "seconds", "When the next run of a job is due.", get_next},
	{"run_in_progress", NULL, "Whether a run of a job goes on.", get_running},
	{"last_prune_timestamp_seconds", "seconds", "When a job last pruned.", get_prune_time},
};

static void print_rows(const struct metric *metric, const struct status *status)
{
	int64_t value;

	begin_family(metric->name, metric->unit, metric->help);
	for (size_t i = 0; i < status->count; i++) {
		const struct status_row *row = &status->rows[i];

		if (!metric->get(row, &value))
			continue;
		printf("backuptool_%s{host=\"", metric->name);
		put_label(row->host);
		printf("\",target=\"");
		put_label(row->target);
		printf("\"} %" PRId64 "\n", value);
	}
}

static void print_one(const char *name, const char *unit, const char *help, bool known, uint64_t value)
{
	begin_family(name, unit, help);
	if (known)
		printf("backuptool_%s %" PRIu64 "\n", name, value);
}

void status_print_metrics(const struct status *status)
{
	const struct bt_state *check = status->check, *prune = status->prune;

	for (size_t i = 0; i < sizeof(metrics) / sizeof(*metrics); i++)
		print_rows(&metrics[i], status);
	print_one("store_bytes", "bytes", "The size of the store's files.", true, status->bytes.bytes);
	print_one("store_free_bytes", "bytes", "Free space of its file system.", status->bytes.total,
		  status->bytes.free);
	print_one("store_unreadable_snapshots", NULL,
		  "Snapshots that are damaged, of a newer version, or may not be read.", true,
		  status->damaged + status->denied + status->newer);
	print_one("last_check_timestamp_seconds", "seconds", "When a check of the store last ended.", check,
		  check ? (uint64_t)check->time.seconds : 0);
	print_one("last_check_findings", NULL, "What it found.", check, check ? check->count : 0);
	print_one("last_check_exit_code", NULL, "Its exit code.", check, check ? check->exit : 0);
	print_one("last_store_prune_timestamp_seconds", "seconds", "When a prune of the store last ended.", prune,
		  prune ? (uint64_t)prune->time.seconds : 0);
	puts("# EOF");
}
