/* SPDX-License-Identifier: MIT */
#include "commands.h"
#include "largest.h"
#include "output.h"
#include "place.h"
#include "progress.h"
#include "rows.h"
#include "selection.h"
#include "terminal.h"
#include <backuptool/compare.h>
#include <backuptool/select.h>
#include <backuptool/stats.h>
#include <backuptool/walk.h>
#include <internal/clock.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Columns of the longest bar, and where there are fewer than that many columns in all. */
enum { BAR = 30, SHORT_BAR = 16, BROAD = 110 };

struct options {
	unsigned last; /* 0: all */
	bool frees;
};

static const struct tool_option table[] = {
	{"last", 0, "N", false, "rows only for the newest N snapshots of those that are counted", tool_set_count,
	 offsetof(struct options, last)},
	{"frees", 0, NULL, false,
	 "with what removing each of them alone would free, which takes two to three times as long", tool_set_true,
	 offsetof(struct options, frees)},
	{0},
};

struct row {
	char *name, *host, *target;
	struct bt_stats_snapshot facts; /* host and target are above */
	uint64_t frees;
	bool has_frees;
	char *bar;
};

/* The counted snapshots of one host and directory. */
struct group {
	const char *host, *target;
	uint64_t snapshots, files, size; /* of the newest: files, size */
	uint64_t fresh;
};

struct report {
	const struct tool *tool;
	struct tool_talk talk;
	struct bt_stats stats;
	struct row *rows; /* of all; shown are those from first on */
	size_t count, first;
	bool frees;
	struct tool_largest largest, directories, grown;
	struct group *groups;
	size_t group_count;
	char *since; /* what grown is compared with; NULL: there is nothing to compare */
};

TOOL_GETTER(struct row, frees, self->has_frees ? TOOL_BYTES : TOOL_NOTHING, number, self->frees)

static const struct tool_column row_columns[] = {
	{"name", "SNAPSHOT", TOOL_MEMBER(TOOL_TEXT, struct row, name), TOOL_FIT_NAME},
	{"host", "HOST", TOOL_IF_DIFFERS(TOOL_TEXT, struct row, host), TOOL_FIT_CUTS},
	{"target", "TARGET", TOOL_IF_DIFFERS(TOOL_TEXT, struct row, target), TOOL_FIT_CUTS},
	{"files", "FILES", TOOL_MEMBER(TOOL_COUNT, struct row, facts.files), TOOL_FIT_GOES},
	{"size", "SIZE", TOOL_MEMBER(TOOL_BYTES, struct row, facts.size)},
	{"new_bytes", "NEW", TOOL_MEMBER(TOOL_BYTES, struct row, facts.fresh)},
	{"frees", "FREES", TOOL_GET(get_frees), TOOL_FIT_GOES},
	{"bar", "", TOOL_MEMBER(TOOL_TEXT, struct row, bar), TOOL_FIT_GOES},
	{"future", "", TOOL_MEMBER(TOOL_FUTURE, struct row, facts.time)},
	{0},
};

static const struct tool_column row_json[] = {
	{"name", NULL, TOOL_MEMBER(TOOL_TEXT, struct row, facts.name)},
	{"time", NULL, TOOL_MEMBER(TOOL_TIME, struct row, facts.time)},
	{"host", NULL, TOOL_MEMBER(TOOL_TEXT, struct row, host)},
	{"target", NULL, TOOL_MEMBER(TOOL_TEXT, struct row, target)},
	{"files", NULL, TOOL_MEMBER(TOOL_COUNT, struct row, facts.files)},
	{"size", NULL, TOOL_MEMBER(TOOL_BYTES, struct row, facts.size)},
	{"new_bytes", NULL, TOOL_MEMBER(TOOL_BYTES, struct row, facts.fresh)},
	{"frees_bytes", NULL, TOOL_GET(get_frees)},
	{"future", NULL, TOOL_MEMBER(TOOL_FUTURE, struct row, facts.time)},
	{0},
};

static const struct tool_column large_columns[] = {
	{"bytes", "SIZE", TOOL_MEMBER(TOOL_BYTES, struct tool_large, bytes)},
	{"path", "LARGEST FILES", TOOL_MEMBER(TOOL_TEXT, struct tool_large, path), TOOL_FIT_CUTS},
	{0},
};

static const struct tool_column directory_columns[] = {
	{"bytes", "SIZE", TOOL_MEMBER(TOOL_BYTES, struct tool_large, bytes)},
	{"path", "LARGEST DIRECTORIES, WITHOUT THOSE BELOW", TOOL_MEMBER(TOOL_TEXT, struct tool_large, path),
	 TOOL_FIT_CUTS},
	{0},
};

static const struct tool_column group_columns[] = {
	{"host", "HOST", TOOL_IF_DIFFERS(TOOL_TEXT, struct group, host), TOOL_FIT_CUTS},
	{"target", "TARGET", TOOL_MEMBER(TOOL_TEXT, struct group, target), TOOL_FIT_CUTS},
	{"snapshots", "SNAPSHOTS", TOOL_MEMBER(TOOL_COUNT, struct group, snapshots)},
	{"files", "FILES", TOOL_MEMBER(TOOL_COUNT, struct group, files), TOOL_FIT_GOES},
	{"size", "SIZE", TOOL_MEMBER(TOOL_BYTES, struct group, size)},
	{"new_bytes", "NEW IN ALL", TOOL_MEMBER(TOOL_BYTES, struct group, fresh)},
	{0},
};

static const struct tool_column grown_columns[] = {
	{"bytes", "MORE", TOOL_MEMBER(TOOL_BYTES, struct tool_large, bytes)},
	{"path", "GREW", TOOL_MEMBER(TOOL_TEXT, struct tool_large, path), TOOL_FIT_CUTS},
	{0},
};

/* One decimal is enough to compare, and no number at all if there is nothing to divide by. */
static double factor(uint64_t whole, uint64_t part)
{
	return part ? (double)whole / (double)part : 0;
}

TOOL_GETTER(struct report, total_dedup, TOOL_SECONDS, seconds, factor(self->stats.logical, self->stats.unique))
TOOL_GETTER(struct report, total_compression, TOOL_SECONDS, seconds, factor(self->stats.unique, self->stats.stored))

static struct tool_value get_total_rows(const void *row)
{
	const struct report *self = row;

	return (struct tool_value){
		.kind = TOOL_ROWS,
		.rows = {row_json, self->rows + self->first, sizeof(*self->rows), self->count - self->first}};
}

static struct tool_value large_rows(const struct tool_largest *largest)
{
	return (struct tool_value){.kind = TOOL_ROWS,
				   .rows = {large_columns, largest->items, sizeof(*largest->items), largest->count}};
}

static struct tool_value get_total_largest(const void *row)
{
	return large_rows(&((const struct report *)row)->largest);
}

static struct tool_value get_total_grown(const void *row)
{
	return large_rows(&((const struct report *)row)->grown);
}

static struct tool_value get_total_directories(const void *row)
{
	return large_rows(&((const struct report *)row)->directories);
}

static struct tool_value get_total_groups(const void *row)
{
	const struct report *self = row;

	return (struct tool_value){.kind = TOOL_ROWS,
				   .rows = {group_columns, self->groups, sizeof(*self->groups), self->group_count}};
}

static const struct tool_column total_columns[] = {
	{"snapshots", NULL, TOOL_MEMBER(TOOL_COUNT, struct report, stats.snapshots)},
	{"files", NULL, TOOL_MEMBER(TOOL_COUNT, struct report, stats.files)},
	{"logical", NULL, TOOL_MEMBER(TOOL_BYTES, struct report, stats.logical)},
	{"contents", NULL, TOOL_MEMBER(TOOL_COUNT, struct report, stats.contents)},
	{"unique", NULL, TOOL_MEMBER(TOOL_BYTES, struct report, stats.unique)},
	{"stored", NULL, TOOL_MEMBER(TOOL_BYTES, struct report, stats.stored)},
	{"dedup_factor", NULL, TOOL_GET(get_total_dedup)},
	{"compression_factor", NULL, TOOL_GET(get_total_compression)},
	{"dead", NULL, TOOL_MEMBER(TOOL_BYTES, struct report, stats.dead)},
	{"others", NULL, TOOL_IF_ANY(TOOL_BYTES, struct report, stats.others)},
	{"store_files", NULL, TOOL_MEMBER(TOOL_COUNT, struct report, stats.store_files)},
	{"store_bytes", NULL, TOOL_MEMBER(TOOL_BYTES, struct report, stats.store_bytes)},
	{"unread", NULL, TOOL_MEMBER(TOOL_COUNT, struct report, stats.unread)},
	{"at_rest_files", NULL, TOOL_MEMBER(TOOL_COUNT, struct report, stats.at_rest_files)},
	{"each", NULL, TOOL_GET(get_total_rows)},
	{"targets", NULL, TOOL_GET(get_total_groups)},
	{"largest", NULL, TOOL_GET(get_total_largest)},
	{"largest_directories", NULL, TOOL_GET(get_total_directories)},
	{"grown", NULL, TOOL_GET(get_total_grown)},
	{0},
};

static void add_row(void *arg, const struct bt_stats_snapshot *snapshot)
{
	struct report *report = arg;

	report->rows = tool_realloc(report->rows, (report->count + 1) * sizeof(*report->rows));
	report->rows[report->count++] = (struct row){.name = tool_place_name(snapshot->name),
						     .host = tool_format("%s", snapshot->host),
						     .target = tool_format("%s", snapshot->target),
						     .facts = *snapshot};
}

/* As long as the size is large, the part of it that is new in full blocks. */
static char *bar(const struct bt_stats_snapshot *facts, uint64_t most, unsigned longest)
{
	size_t whole = most ? (size_t)((double)facts->size / (double)most * longest + 0.5) : 0, fresh;
	char *text = tool_format("%s", "");

	fresh = facts->size ? (size_t)((double)facts->fresh / (double)facts->size * (double)whole + 0.5) : 0;
	for (size_t i = 0; i < whole; i++)
		tool_append(&text, "%s", i < fresh ? "█" : "░");
	return text;
}

static void draw_bars(struct report *report)
{
	size_t columns = tool_terminal_columns(STDOUT_FILENO);
	uint64_t most = 0;

	for (size_t i = report->first; i < report->count; i++)
		most = report->rows[i].facts.size > most ? report->rows[i].facts.size : most;
	for (size_t i = report->first; i < report->count; i++)
		report->rows[i].bar = bar(&report->rows[i].facts, most, columns && columns < BROAD ? SHORT_BAR : BAR);
}

static void add_frees(void *arg, const char *name, uint64_t frees)
{
	struct report *report = arg;
	tool_auto char *shown = tool_place_name(name);

	for (size_t i = 0; i < report->count; i++) {
		struct row *row = &report->rows[i];

		if (strcmp(row->name, shown) != 0)
			continue;
		row->frees = frees;
		row->has_frees = true;
		return;
	}
}

static struct group *group_of(struct report *report, const struct row *row)
{
	struct group *group;

	for (size_t i = 0; i < report->group_count; i++) {
		group = &report->groups[i];
		if (strcmp(group->target, row->target) == 0 && strcmp(group->host, row->host) == 0)
			return group;
	}
	report->groups = tool_realloc(report->groups, (report->group_count + 1) * sizeof(*report->groups));
	group = &report->groups[report->group_count++];
	*group = (struct group){.host = row->host, .target = row->target};
	return group;
}

/* Rows are in order of time, so the last one is of the newest. */
static void add_up_groups(struct report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct row *row = &report->rows[i];
		struct group *group = group_of(report, row);

		group->snapshots++;
		group->files = row->facts.files;
		group->size = row->facts.size;
		group->fresh += row->facts.fresh;
	}
}

static int find_largest(struct report *report, struct bt_store *store, const struct bt_snapshot_info *info,
			struct bt_error *error)
{
	struct bt_walk *walk;
	struct bt_walk_step step = {0};
	struct tool_folders folders = {.largest = &report->directories};
	int code = bt_walk_new(store, info, &info->root, &walk, error);

	while (!code && !tool_signals_seen()) {
		code = bt_walk_next(walk, &step, error);
		if (code || !step.entry)
			break;
		tool_folders_enter(&folders, &step);
		if (step.entry->type != BT_FILE)
			continue;
		tool_folders_add(&folders, step.entry->size);
		tool_largest_add(&report->largest, step.path, step.entry->size);
	}
	tool_folders_end(&folders);
	bt_walk_free(walk);
	return code;
}

static void see_growth(void *arg, const struct bt_change *change)
{
	struct report *report = arg;
	uint64_t before = change->before && change->before->type == BT_FILE ? change->before->size : 0;
	uint64_t after = change->after && change->after->type == BT_FILE ? change->after->size : 0;

	if (after > before)
		tool_largest_add(&report->grown, change->path, after - before);
}

static int open_meant(const struct report *report, struct bt_store *store, const char *text,
		      struct bt_snapshot **ret_snapshot, struct bt_error *error)
{
	const struct bt_scope scope = {.size = sizeof(scope), .now = bt_now(), .filter = report->tool->filter};
	struct bt_choice choice = {.size = sizeof(choice)};
	int code = bt_select(store, text, &scope, &choice, error);

	return code ? code : bt_snapshot_open(store, choice.name, ret_snapshot, error);
}

/* Since the snapshot before it of the same directory. */
static int find_grown(struct report *report, struct bt_store *store, const struct bt_snapshot_info *info,
		      struct bt_error *error)
{
	const struct bt_compare_call call = {see_growth, report, &report->talk.observer};
	struct bt_compare_result unused = {.size = sizeof(unused)};
	const struct bt_snapshot_info *old;
	struct bt_snapshot *before = NULL;
	struct bt_error none = {0};
	int code;

	if (open_meant(report, store, "latest~1", &before, &none))
		return 0;
	old = bt_snapshot_info(before);
	report->since = tool_place_name(old->name);
	code = bt_compare(&(struct bt_side){store, old, &old->root}, &(struct bt_side){store, info, &info->root}, &call,
			  &unused, error);
	bt_snapshot_close(before);
	return code;
}

static int look_at_newest(struct report *report, struct bt_store *store, struct bt_error *error)
{
	struct bt_snapshot *snapshot;
	int code;

	if (!bt_store_snapshot_count(store) || (report->tool->filter && !report->count))
		return 0;
	code = open_meant(report, store, "latest", &snapshot, error);
	if (code)
		return code;
	code = find_largest(report, store, bt_snapshot_info(snapshot), error);
	if (!code)
		code = find_grown(report, store, bt_snapshot_info(snapshot), error);
	bt_snapshot_close(snapshot);
	return code;
}

static void line(const char *what, uint64_t bytes, const char *remark)
{
	tool_auto char *shown = tool_bytes(bytes);

	printf("%-12s %10s  %s\n", what, shown, remark);
}

/* What takes more than it came from is not "0.7 times less". */
static char *remark(const char *what, double factor)
{
	if (factor >= 1.05)
		return tool_format("%s: %.1f times less", what, factor);
	if (factor > 0 && factor <= 0.95)
		return tool_format("%s: %.1f times more", what, 1 / factor);
	return tool_format("%s", what);
}

static char *files_text(const struct bt_stats *stats)
{
	tool_auto char *files = tool_count(stats->store_files, "file", "files");

	if (!stats->at_rest_files)
		return tool_format("%s", files);
	if (stats->at_rest_files == stats->store_files)
		return tool_format("%s, compressed at rest", files);
	return tool_format("%s, %llu of them compressed at rest", files, (unsigned long long)stats->at_rest_files);
}

static void print_totals(const struct report *report)
{
	const struct bt_stats *stats = &report->stats;
	uint64_t known = stats->stored + stats->dead + stats->others;
	tool_auto char *count = tool_count(stats->snapshots, "snapshot", "snapshots");
	tool_auto char *snapshots = tool_format("%s, as restored", count);
	tool_auto char *files = files_text(stats);
	tool_auto char *dedup = remark("in contents that differ", factor(stats->logical, stats->unique));
	tool_auto char *packed = remark("of contents in the store", factor(stats->unique, stats->stored));

	line("logical", stats->logical, snapshots);
	line("unique", stats->unique, dedup);
	line("stored", stats->stored, packed);
	if (report->tool->filter)
		line("others", stats->others, "that only other snapshots need");
	line("lists", stats->store_bytes > known ? stats->store_bytes - known : 0, "of directories and contents");
	line("dead", stats->dead,
	     stats->dead ? "that no snapshot needs: prune removes it when there is more of it"
			 : "that no snapshot needs");
	line("store", stats->store_bytes, files);
	if (stats->stored > stats->unique)
		puts("\nWhat does not compress takes a third more in the store, because it is written as text "
		     "(Base64).");
}

static void print_rows(const struct report *report)
{
	struct tool_column columns[sizeof(row_columns) / sizeof(*row_columns)];
	size_t count = 0;

	for (const struct tool_column *column = row_columns; column->key; column++)
		if (report->frees || column->get != get_frees)
			columns[count++] = *column;
	columns[count] = (struct tool_column){0};
	tool_table_print(columns, report->rows + report->first, sizeof(*report->rows), report->count - report->first);
}

static void print_largest(const struct tool_column *columns, const struct tool_largest *largest)
{
	if (largest->count)
		putchar('\n');
	tool_table_print(columns, largest->items, sizeof(*largest->items), largest->count);
}

static void print_report(struct report *report)
{
	if (report->tool->json) {
		tool_object_print(total_columns, report);
		return;
	}
	print_totals(report);
	if (report->count) {
		draw_bars(report);
		putchar('\n');
		print_rows(report);
	}
	if (report->group_count > 1) {
		putchar('\n');
		tool_table_print(group_columns, report->groups, sizeof(*report->groups), report->group_count);
	}
	print_largest(large_columns, &report->largest);
	print_largest(directory_columns, &report->directories);
	if (report->grown.count) {
		printf("\nsince %s:\n", report->since);
		tool_table_print(grown_columns, report->grown.items, sizeof(*report->grown.items), report->grown.count);
	}
}

static void free_report(struct report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		free(report->rows[i].name);
		free(report->rows[i].host);
		free(report->rows[i].target);
		free(report->rows[i].bar);
	}
	free(report->rows);
	free(report->since);
	free(report->groups);
	tool_largest_free(&report->largest);
	tool_largest_free(&report->directories);
	tool_largest_free(&report->grown);
}

static int gather(const struct tool *tool, struct bt_store *store, const struct options *options)
{
	unsigned last = options->last;
	struct report report = {.tool = tool, .frees = options->frees, .stats = {.size = sizeof(report.stats)}};
	struct bt_error error = {0};
	int code, r = TOOL_OK, later;

	tool_talk_begin(&report.talk, tool);
	code = bt_stats_gather(store, tool->filter, add_row, &report, &report.talk.observer, &report.stats, &error);
	add_up_groups(&report);
	if (options->frees && (!code || code == BT_E_INCOMPLETE)) {
		later = bt_frees_gather(store, tool->filter, add_frees, &report, &report.talk.observer, &error);
		code = later ? later : code;
	}
	if (code == BT_E_INCOMPLETE && !report.count && !tool->filter) {
		r = TOOL_FATAL; /* each was named */
	} else if (!code || code == BT_E_INCOMPLETE) {
		error = (struct bt_error){0};
		later = look_at_newest(&report, store, &error);
		if (later && later != BT_E_INCOMPLETE)
			r = tool_fail(tool, &error);
	} else {
		r = tool_fail(tool, &error);
	}
	tool_talk_end(&report.talk);
	report.first = last && last < report.count ? report.count - last : 0;
	if (!code || code == BT_E_INCOMPLETE)
		print_report(&report);
	free_report(&report);
	return r != TOOL_OK ? r : tool_exit_code(code);
}

static int run_stats(struct tool *tool, const void *options)
{
	struct bt_store *store;
	int r = tool_store_open(tool, false, &store);

	if (r != TOOL_OK)
		return r;
	r = gather(tool, store, options);
	tool_selects_nothing(tool, store);
	bt_store_close(store);
	return r;
}

const struct tool_command cmd_stats = {
	.name = "stats",
	.summary = "shows how much there is, what it takes, and what grew",
	.description = "Logical is what restoring all snapshots would give, unique each content once,\n"
		       "stored what those take in the store. A bar is as long as its snapshot is large; the\n"
		       "full part is new in it. FREES are bytes that no other snapshot needs, before\n"
		       "compression: what goes when several are removed is more than their sum. What grew is measured "
		       "against the snapshot before. With\n"
		       "--last the sums are of all snapshots, but only the newest have rows. With\n"
		       "--host, --target or --tag all of it is of the selected snapshots, but for dead\n"
		       "bytes and the size of the store.",
	.example = "  backuptool stats\n  backuptool stats --frees --last 20\n  backuptool stats --json | jq "
		   ".dedup_factor\n",
	.common = TOOL_COMMON_STORE | TOOL_COMMON_SELECT | TOOL_COMMON_JSON,
	.options = {{table, 0}},
	.options_size = sizeof(struct options),
	.run = run_stats,
};
