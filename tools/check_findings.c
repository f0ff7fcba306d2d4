/* SPDX-License-Identifier: MIT */
#include "check.h"
#include "failure.h"
#include "output.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct tool_value offset_value(uint64_t offset)
{
	if (offset == BT_NO_OFFSET)
		return (struct tool_value){.kind = TOOL_NOTHING};
	return (struct tool_value){.kind = TOOL_COUNT, .number = offset};
}

static struct tool_value text_value(const char *text)
{
	return (struct tool_value){.kind = text ? TOOL_TEXT : TOOL_NOTHING, .text = text};
}

static struct tool_value get_hurt_offset(const void *row)
{
	return offset_value(((const struct bt_hurt *)row)->offset);
}

static struct tool_value get_hurt_length(const void *row)
{
	const struct bt_hurt *self = row;

	return offset_value(self->offset == BT_NO_OFFSET ? BT_NO_OFFSET : self->length);
}

const struct tool_column tool_hurt_columns[] = {
	{"snapshot", NULL, TOOL_MEMBER(TOOL_TEXT, struct bt_hurt, snapshot)},
	{"path", NULL, TOOL_MEMBER(TOOL_TEXT, struct bt_hurt, path)},
	{"names", NULL, TOOL_IF_ANY(TOOL_FLAG, struct bt_hurt, names)},
	{"offset", NULL, TOOL_GET(get_hurt_offset)},
	{"length", NULL, TOOL_GET(get_hurt_length)},
	{0},
};

static struct tool_value get_offset(const void *row)
{
	return offset_value(((const struct bt_finding *)row)->offset);
}

static struct tool_value get_length(const void *row)
{
	const struct bt_finding *self = row;

	return offset_value(self->length ? self->length : BT_NO_OFFSET);
}

static struct tool_value get_reason(const void *row)
{
	const struct bt_error *error = ((const struct bt_finding *)row)->error;

	return text_value(error->code == BT_E_SYSTEM ? bt_errno_name(error->sys) : bt_reason_name(error->reason));
}

static struct tool_value get_hurts(const void *row)
{
	const struct bt_finding *self = row;

	return (struct tool_value){.kind = TOOL_ROWS,
				   .rows = {tool_hurt_columns, self->hurts, sizeof(*self->hurts), self->hurt_count}};
}

const struct tool_column tool_finding_columns[] = {
	{"file", NULL, TOOL_MEMBER(TOOL_TEXT, struct bt_finding, file)},
	{"offset", NULL, TOOL_GET(get_offset)},
	{"length", NULL, TOOL_GET(get_length)},
	{"reason", NULL, TOOL_GET(get_reason)},
	{"hurts", NULL, TOOL_GET(get_hurts)},
	{"more", NULL, TOOL_MEMBER(TOOL_COUNT, struct bt_finding, hurts_more)},
	{"traced", NULL, TOOL_MEMBER(TOOL_FLAG, struct bt_finding, traced)},
	{0},
};

static void hurt_print(FILE *out, const char *what, const struct bt_hurt *hurt)
{
	char *path = tool_escape(hurt->path ? hurt->path : "");

	fprintf(out, "%s %s", what, hurt->snapshot);
	if (hurt->names)
		fprintf(out, ": the names of users and groups");
	else if (!hurt->path)
		fprintf(out, ": all of it");
	else
		fprintf(out, ": %s", *path ? path : ".");
	if (hurt->offset != BT_NO_OFFSET)
		fprintf(out, ", bytes %" PRIu64 " to %" PRIu64, hurt->offset, hurt->offset + hurt->length - 1);
	free(path);
}

void tool_hurt_print(FILE *out, const char *what, const struct bt_hurt *hurt)
{
	hurt_print(out, what, hurt);
	putc('\n', out);
}

static bool same_path(const struct bt_hurt *a, const struct bt_hurt *b)
{
	return a->path && b->path && a->offset == b->offset && a->length == b->length && strcmp(a->path, b->path) == 0;
}

/* A path once, with the number of the other snapshots in which it is hurt just so. */
static void hurts_print(FILE *out, const struct bt_finding *finding)
{
	for (size_t i = 0; i < finding->hurt_count; i++) {
		const struct bt_hurt *hurt = &finding->hurts[i];
		size_t before = 0, others = 0;

		for (size_t j = 0; j < finding->hurt_count; j++) {
			before += j < i && same_path(&finding->hurts[j], hurt);
			others += j > i && same_path(&finding->hurts[j], hurt);
		}
		if (before)
			continue;
		hurt_print(out, "  hurts", hurt);
		if (others)
			fprintf(out, "; the same in %zu more", others);
		putc('\n', out);
	}
}

static void more_print(FILE *out, const struct bt_finding *finding)
{
	tool_auto char *paths = tool_count(finding->hurts_more, "path", "paths");

	if (finding->hurt_count)
		fprintf(out, "  and %" PRIu64 " more\n", finding->hurts_more);
	else
		fprintf(out, "  hurts %s, not named here: together the paths are too long\n", paths);
}

void tool_finding_print(FILE *out, const struct bt_finding *finding)
{
	char text[1024];

	bt_error_text(finding->error, text, sizeof(text));
	if (finding->error->reason == BT_R_BAD_ID)
		fprintf(out,
			"id: %s: commands with --store-id, and services that 'schedule' made, cannot "
			"use it; no snapshot is hurt",
			finding->error->detail[0] ? finding->error->detail : "damaged");
	else if (finding->file)
		fprintf(out, "%s", text);
	else
		fprintf(out, "no file of the store has what is needed (%s)", bt_reason_name(finding->error->reason));
	if (finding->length)
		fprintf(out, ", in bytes %" PRIu64 " to %" PRIu64, finding->offset,
			finding->offset + finding->length - 1);
	putc('\n', out);
	hurts_print(out, finding);
	if (finding->hurts_more)
		more_print(out, finding);
	else if (finding->traced && !finding->hurt_count)
		fputs("  hurts no snapshot\n", out);
}

/* The end of a check or a repair, and its summary as a row. */
struct ending {
	const struct tool_column *columns;
	const void *summary;
	const struct tool_failure *failure;
};

static struct tool_value get_summary(const void *row)
{
	const struct ending *self = row;

	return (struct tool_value){.kind = TOOL_OBJECT, .rows = {self->columns, self->summary, 0, 1}};
}

static struct tool_value get_error(const void *row)
{
	return tool_failure_value(((const struct ending *)row)->failure);
}

static const struct tool_column end_columns[] = {
	{"summary", NULL, TOOL_GET(get_summary)},
	{"error", NULL, TOOL_GET(get_error)},
	{0},
};

void tool_check_lists_end(struct tool_lists *lists, const struct tool_column *columns, const void *summary,
			  const struct tool_failure *failure)
{
	tool_lists_end(lists, end_columns, &(struct ending){columns, summary, failure});
}
