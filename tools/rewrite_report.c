/* SPDX-License-Identifier: MIT */
#include "output.h"
#include "retention.h"
#include "rewrite.h"
#include "rows.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define NAMED 5 /* snapshots in a sentence */

#define ROW struct tool_rewrite_row
static struct tool_value get_new(const void *row)
{
	const ROW *self = row;

	return (struct tool_value){.kind = *self->result.name ? TOOL_TEXT : TOOL_NOTHING, .text = self->result.name};
}

static const struct tool_column table_columns[] = {
	{"snapshot", "NAME", TOOL_MEMBER(TOOL_CHARS, ROW, name), TOOL_FIT_NAME},
	{"host", "HOST", TOOL_IF_DIFFERS(TOOL_TEXT, ROW, host), TOOL_FIT_CUTS},
	{"target", "TARGET", TOOL_MEMBER(TOOL_TEXT, ROW, target), TOOL_FIT_CUTS},
	{"matches", "MATCHES", TOOL_MEMBER(TOOL_COUNT, ROW, result.matches), TOOL_FIT_GOES},
	{"entries", "ENTRIES", TOOL_MEMBER(TOOL_COUNT, ROW, result.entries)},
	{"bytes", "SIZE", TOOL_MEMBER(TOOL_BYTES, ROW, result.bytes)},
	{0},
};

static const struct tool_column row_columns[] = {
	{"snapshot", NULL, TOOL_MEMBER(TOOL_CHARS, ROW, name)},
	{"host", NULL, TOOL_MEMBER(TOOL_TEXT, ROW, host)},
	{"target", NULL, TOOL_MEMBER(TOOL_TEXT, ROW, target)},
	{"changes", NULL, TOOL_MEMBER(TOOL_FLAG, ROW, result.changes)},
	{"new", NULL, TOOL_GET(get_new)},
	{"present", NULL, TOOL_MEMBER(TOOL_FLAG, ROW, result.present)},
	{"failed", NULL, TOOL_MEMBER(TOOL_FLAG, ROW, failed)},
	{"matches", NULL, TOOL_MEMBER(TOOL_COUNT, ROW, result.matches)},
	{"entries", NULL, TOOL_MEMBER(TOOL_COUNT, ROW, result.entries)},
	{"files", NULL, TOOL_MEMBER(TOOL_COUNT, ROW, result.files)},
	{"bytes", NULL, TOOL_MEMBER(TOOL_BYTES, ROW, result.bytes)},
	{"written_bytes", NULL, TOOL_MEMBER(TOOL_BYTES, ROW, result.written_bytes)},
	{0},
};

#define REPORT struct tool_rewrite_report
static struct tool_value get_rows(const void *row)
{
	const REPORT *self = row;

	return (struct tool_value){.kind = TOOL_ROWS,
				   .rows = {row_columns, self->rows, sizeof(*self->rows), self->count}};
}

static struct tool_value get_others(const void *row)
{
	const REPORT *self = row;

	return (struct tool_value){.kind = TOOL_TEXTS, .texts = {self->others.items, self->others.count}};
}

static uint64_t freed_bytes(const REPORT *report)
{
	return report->done.freed_bytes > 0 ? (uint64_t)report->done.freed_bytes : 0;
}

TOOL_GETTER(REPORT, freed, TOOL_BYTES, number, freed_bytes(self))

static const struct tool_column columns[] = {
	{"dry_run", NULL, TOOL_MEMBER(TOOL_FLAG, REPORT, dry_run)},
	{"snapshots", NULL, TOOL_GET(get_rows)},
	{"rewritten", NULL, TOOL_MEMBER(TOOL_COUNT, REPORT, rewritten)},
	{"unchanged", NULL, TOOL_MEMBER(TOOL_COUNT, REPORT, unchanged)},
	{"failed", NULL, TOOL_MEMBER(TOOL_COUNT, REPORT, failed)},
	{"entries", NULL, TOOL_MEMBER(TOOL_COUNT, REPORT, entries)},
	{"bytes", NULL, TOOL_MEMBER(TOOL_BYTES, REPORT, bytes)},
	{"contents", NULL, TOOL_MEMBER(TOOL_COUNT, REPORT, contents)},
	{"content_bytes", NULL, TOOL_MEMBER(TOOL_BYTES, REPORT, content_bytes)},
	{"kept_bytes", NULL, TOOL_MEMBER(TOOL_BYTES, REPORT, kept_bytes)},
	{"kept_in", NULL, TOOL_GET(get_others)},
	{"removed", NULL, TOOL_MEMBER(TOOL_COUNT, REPORT, done.removed)},
	{"freed_bytes", NULL, TOOL_GET(get_freed)},
	{"left", NULL, TOOL_MEMBER(TOOL_COUNT, REPORT, done.purge_left)},
	{"seconds", NULL, TOOL_MEMBER(TOOL_SECONDS, REPORT, seconds)},
	{0},
};

void tool_rewrite_print_rows(const struct tool *tool, const REPORT *report)
{
	tool_auto ROW *changed = tool_alloc((report->count + 1) * sizeof(*changed));
	size_t count = 0;

	for (size_t i = 0; i < report->count; i++)
		if (report->rows[i].result.changes)
			changed[count++] = report->rows[i];
	if (count && !tool->json && !tool->quiet)
		tool_table_print(table_columns, changed, sizeof(*changed), count);
}

/* ": a, b, … " */
static char *names_text(const struct tool_texts *names)
{
	char *text = tool_format("%s", "");

	for (size_t i = 0; i < names->count && i < NAMED; i++)
		tool_append(&text, "%s%s", i ? ", " : "", names->items[i]);
	if (names->count > NAMED)
		tool_append(&text, ", …");
	return text;
}

/* What a reader of the report must not take for gone. */
static void print_kept(const REPORT *report)
{
	tool_auto char *bytes = tool_bytes(report->kept_bytes), *names = names_text(&report->others);
	tool_auto char *others = tool_count(report->others.count, "other snapshot", "other snapshots");

	if (report->others.count)
		printf("%s of it %s, because %s still %s it: %s\n", bytes, report->dry_run ? "would stay" : "stay",
		       others, report->others.count == 1 ? "has" : "have", names);
	else if (report->kept_bytes)
		printf("%s of it %s, because other paths have the same contents\n", bytes,
		       report->dry_run ? "would stay" : "stay");
	if (report->keeps && !report->dry_run)
		puts("the originals still have all of it; 'backuptool remove' removes them");
}

static void print_freed(const REPORT *report)
{
	tool_auto char *gone = tool_bytes(report->content_bytes - report->kept_bytes);
	tool_auto char *freed = tool_bytes(freed_bytes(report));

	if (report->keeps)
		return;
	if (report->dry_run)
		printf("; %s of data would be gone", gone);
	else
		printf("; %s freed", freed);
	tool_prune_print_proven(&report->done);
}

static void print_sentence(const REPORT *report)
{
	tool_auto char *snapshots = tool_count(report->rewritten, "snapshot", "snapshots");
	tool_auto char *entries = tool_count(report->entries, "entry", "entries"), *bytes = tool_bytes(report->bytes);

	if (report->entries)
		printf("%s %s (%s) out of %s", report->dry_run ? "would take" : "took", entries, bytes, snapshots);
	else
		printf("%s %s again", report->dry_run ? "would make" : "made", snapshots);
	print_freed(report);
	if (report->unchanged)
		printf("; %" PRIu64 " %s as %s", report->unchanged, report->unchanged == 1 ? "stays" : "stay",
		       report->unchanged == 1 ? "it is" : "they are");
	putchar('\n');
	print_kept(report);
}

void tool_rewrite_print(const struct tool *tool, const REPORT *report)
{
	if (tool->json)
		tool_object_print(columns, report);
	else if (!tool->quiet && report->rewritten)
		print_sentence(report);
}

void tool_rewrite_free(REPORT *report)
{
	for (size_t i = 0; i < report->count; i++) {
		free(report->rows[i].host);
		free(report->rows[i].target);
	}
	free(report->rows);
	free(report->purge);
	tool_texts_free(&report->others);
}
