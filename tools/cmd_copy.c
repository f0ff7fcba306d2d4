/* SPDX-License-Identifier: MIT */
#include "commands.h"
#include "named.h"
#include "output.h"
#include "progress.h"
#include "rows.h"
#include "selection.h"
#include "taking.h"
#include <backuptool/copy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
	const char *to;
	unsigned last; /* 0: all */
	int level;
	bool dry_run;
};

#define FIELD(name) offsetof(struct options, name)
static const struct tool_option table[] = {
	{"to", 0, "STORE", true, "the store that gets the copies; it is made if it is missing", tool_set_text,
	 FIELD(to)},
	{"last", 0, "N", false, "only the newest N of those that are selected", tool_set_count, FIELD(last)},
	{"compression", 0, "LEVEL", false, "compress everything again: 1 (fast) to 19 (small), or max", tool_set_level,
	 FIELD(level)},
	{"dry-run", 'n', NULL, false, "say what would be copied, and write nothing", tool_set_true, FIELD(dry_run)},
	{0},
};

/* A snapshot, and what became of it. */
struct row {
	const char *name;
	struct bt_copy_result result;
};

struct report {
	const char *to;
	bool dry_run, incomplete;
	struct row *rows;
	size_t count;
	uint64_t copied, present, failed, new_bytes, written_bytes;
	double seconds;
};

static const struct tool_column row_columns[] = {
	{"snapshot", NULL, TOOL_MEMBER(TOOL_TEXT, struct row, name)},
	{"copy", NULL, TOOL_MEMBER(TOOL_CHARS, struct row, result.name)},
	{"present", NULL, TOOL_MEMBER(TOOL_FLAG, struct row, result.present)},
	{"contents", NULL, TOOL_MEMBER(TOOL_COUNT, struct row, result.contents)},
	{"pages", NULL, TOOL_MEMBER(TOOL_COUNT, struct row, result.pages)},
	{"new_bytes", NULL, TOOL_MEMBER(TOOL_BYTES, struct row, result.new_bytes)},
	{"stored_bytes", NULL, TOOL_MEMBER(TOOL_BYTES, struct row, result.stored_bytes)},
	{"written_bytes", NULL, TOOL_MEMBER(TOOL_BYTES, struct row, result.written_bytes)},
	{0},
};

static struct tool_value get_rows(const void *row)
{
	const struct report *self = row;

	return (struct tool_value){.kind = TOOL_ROWS,
				   .rows = {row_columns, self->rows, sizeof(*self->rows), self->count}};
}

static const struct tool_column columns[] = {
	{"to", NULL, TOOL_MEMBER(TOOL_TEXT, struct report, to)},
	{"dry_run", NULL, TOOL_MEMBER(TOOL_FLAG, struct report, dry_run)},
	{"snapshots", NULL, TOOL_GET(get_rows)},
	{"copied", NULL, TOOL_MEMBER(TOOL_COUNT, struct report, copied)},
	{"present", NULL, TOOL_MEMBER(TOOL_COUNT, struct report, present)},
	{"failed", NULL, TOOL_MEMBER(TOOL_COUNT, struct report, failed)},
	{"new_bytes", NULL, TOOL_MEMBER(TOOL_BYTES, struct report, new_bytes)},
	{"written_bytes", NULL, TOOL_MEMBER(TOOL_BYTES, struct report, written_bytes)},
	{"seconds", NULL, TOOL_MEMBER(TOOL_SECONDS, struct report, seconds)},
	{0},
};

static void print_report(const struct tool *tool, const struct report *report)
{
	if (tool->json)
		tool_object_print(columns, report);
	if (tool->json || tool->quiet)
		return;
	tool_auto char *copied = tool_count(report->copied, "snapshot", "snapshots");
	tool_auto char *fresh = tool_bytes(report->new_bytes);
	tool_auto char *elapsed = tool_elapsed(report->seconds);
	printf("%s %s with %s of data that the store did not have", report->dry_run ? "would copy" : "copied", copied,
	       fresh);
	if (!report->dry_run) {
		tool_auto char *written = tool_bytes(report->written_bytes);

		printf("; %s written in %s", written, elapsed);
	}
	if (report->present)
		printf("; %llu %s there already", (unsigned long long)report->present,
		       report->present == 1 ? "was" : "were");
	putchar('\n');
}

static void count_row(struct report *report, const struct row *row)
{
	report->rows[report->count++] = *row;
	if (row->result.present) {
		report->present++;
		return;
	}
	report->copied++;
	report->new_bytes += row->result.new_bytes;
	report->written_bytes += row->result.written_bytes;
}

/* One that cannot be read keeps the others from nothing. */
static bool is_of_this_one(enum bt_code code)
{
	return code == BT_E_DAMAGED || code == BT_E_UNSUPPORTED || code == BT_E_NOT_FOUND;
}

static void say_incomplete(const struct tool *tool, const char *name, int code, const struct bt_error *error,
			   struct report *report)
{
	if (!code)
		return;
	tool_complain(tool, "%s: %s", name, error->detail);
	report->incomplete = true;
}

static int copy_one(const struct tool *tool, struct bt_copy *copy, const char *name, struct report *report)
{
	struct row row = {.name = name, .result = {.size = sizeof(row.result)}};
	struct bt_error error = {0};
	int code = bt_copy_snapshot(copy, name, &row.result, &error);

	if (!code || code == BT_E_INCOMPLETE) {
		count_row(report, &row);
		say_incomplete(tool, name, code, &error, report);
		if (tool->verbose && !tool->json && !row.result.present) {
			tool_auto char *fresh = tool_bytes(row.result.new_bytes);

			printf("%s  %s\n", name, fresh);
		}
		return TOOL_OK;
	}
	if (!is_of_this_one(code))
		return tool_fail(tool, &error);
	tool_auto char *text = tool_error_text(tool, &error);
	tool_complain(tool, "%s was not copied: %s", name, text);
	report->failed++;
	return TOOL_OK;
}

static int copy_all(const struct tool *tool, struct bt_copy *copy, const char *const *names, size_t count,
		    struct report *report)
{
	int r = TOOL_OK;

	for (size_t i = 0; i < count && r == TOOL_OK; i++)
		r = copy_one(tool, copy, names[i], report);
	return r;
}

static int copy_between(const struct tool *tool, struct bt_store *from, struct bt_store *to,
			const struct options *options, const char *const *names, size_t count)
{
	const struct bt_copy_options how = {.size = sizeof(how), .level = options->level, .dry_run = options->dry_run};
	struct report report = {.to = options->to, .dry_run = options->dry_run};
	struct bt_error error = {0};
	struct tool_talk talk;
	struct bt_copy *copy;
	int r;

	report.rows = tool_alloc((count + 1) * sizeof(*report.rows));
	tool_talk_begin(&talk, tool);
	r = bt_copy_begin(from, to, &how, &talk.observer, &copy, &error);
	if (r)
		r = tool_fail(tool, &error);
	else {
		r = copy_all(tool, copy, names, count, &report);
		bt_copy_end(copy);
	}
	report.seconds = tool_talk_seconds(&talk);
	tool_talk_end(&talk);
	if (r == TOOL_OK) {
		print_report(tool, &report);
		r = report.failed || report.incomplete ? TOOL_INCOMPLETE : TOOL_OK;
	}
	free(report.rows);
	return r;
}

/* Those that are complete, of the names; the rest is what a run goes on from in its own store. */
static size_t leave_out_partial(const struct tool *tool, struct bt_store *store, const char **names, size_t count)
{
	size_t complete = 0;

	for (size_t i = 0; i < count; i++) {
		struct bt_snapshot *snapshot = NULL;
		struct bt_error unused = {0};

		if (bt_snapshot_open(store, names[i], &snapshot, &unused) || !bt_snapshot_info(snapshot)->partial)
			names[complete++] = names[i];
		bt_snapshot_close(snapshot);
	}
	if (complete < count && !tool->quiet) {
		tool_auto char *left = tool_count(count - complete, "partial snapshot was", "partial snapshots were");

		tool_say(tool, "%s left out; give its name to copy one", left);
	}
	return complete;
}

/* A dry run makes no store: into one that is missing, everything would be copied. */
static int open_other(const struct tool *tool, const struct options *options, struct bt_store **ret_store)
{
	struct tool other = *tool;
	struct bt_error error = {0};

	other.store = options->to;
	other.store_id = NULL;
	*ret_store = NULL;
	if (!options->dry_run)
		return tool_store_open(&other, true, ret_store);
	const struct bt_store_options how = {.size = sizeof(how), .read_only = true};
	int code = bt_store_open(options->to, &how, ret_store, &error);
	return code && code != BT_E_NO_STORE ? tool_fail(&other, &error) : TOOL_OK;
}

static int copy_chosen(const struct tool *tool, struct bt_store *from, const struct options *options)
{
	const char **names = tool_alloc((bt_store_snapshot_count(from) + 1) * sizeof(*names));
	struct bt_store *to = NULL;
	size_t count = 0;
	int r = tool_meant(tool, from, false, names, &count);

	if (r == TOOL_OK && !tool->operand_count)
		count = leave_out_partial(tool, from, names, count);
	size_t first = options->last && options->last < count ? count - options->last : 0;

	if (r == TOOL_OK && !count && tool_selects_nothing(tool, from))
		r = TOOL_FATAL;
	if (r == TOOL_OK)
		r = open_other(tool, options, &to);
	if (r == TOOL_OK)
		r = copy_between(tool, from, to, options, names + first, count - first);
	bt_store_close(to);
	free(names);
	return r;
}

static int run_copy(struct tool *tool, const void *options)
{
	struct bt_store *from;
	int r = tool_store_open(tool, false, &from);

	if (r != TOOL_OK)
		return r;
	r = copy_chosen(tool, from, options);
	bt_store_close(from);
	return r;
}

const struct tool_command cmd_copy = {
	.name = "copy",
	.summary = "copies snapshots into another store",
	.description = "Without SNAPSHOT it copies all, or those that --host, --target and --tag\n"
		       "select. What the other store has is not copied again, and a snapshot that is\n"
		       "there is left alone: so run it again and again. Everything that is copied is\n"
		       "compared with its digest. A copy keeps name, time, host, directory, tags and pin;\n"
		       "if another snapshot has the name, it gets the next free one of that second. The\n"
		       "copies appear one by one, each when it is whole. A snapshot that is damaged is\n"
		       "named, the others are copied, and the command ends with 3. Jobs of both stores\n"
		       "go on meanwhile.",
	.operands = "[SNAPSHOT…]",
	.example = "  backuptool copy --to /mnt/usb/backup\n"
		   "  backuptool copy latest --to /mnt/usb/backup\n"
		   "  backuptool copy --host laptop --last 30 --to /mnt/nas/backup --dry-run\n",
	.max_operands = -1,
	.ending = "what is copied so far stays; run it again to go on",
	.common = TOOL_COMMON_STORE | TOOL_COMMON_SELECT | TOOL_COMMON_JSON | TOOL_COMMON_TALK | TOOL_COMMON_DETAILS,
	.options = {{table, 0}},
	.options_size = sizeof(struct options),
	.run = run_copy,
};
