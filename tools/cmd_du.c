/* SPDX-License-Identifier: MIT */
#include "commands.h"
#include "ncdu.h"
#include "output.h"
#include "place.h"
#include "progress.h"
#include "rows.h"
#include <backuptool/stats.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
	unsigned depth; /* 0: not given */
	bool sum, ncdu;
};

static const struct tool_option table[] = {
	{"depth", 'd', "N", false, "directories down to N levels (1)", tool_set_count, offsetof(struct options, depth)},
	{"summarize", 's', NULL, false, "only the sum", tool_set_true, offsetof(struct options, sum)},
	{"ncdu", 0, NULL, false, "everything, for 'ncdu -f -', which browses it", tool_set_true,
	 offsetof(struct options, ncdu)},
	{0},
};

struct row {
	char *path;
	uint64_t size, files, own;
	bool is_sum;
};

struct table {
	size_t depth;
	struct row *rows;
	size_t count, room;
};

static const struct tool_column columns[] = {
	{"size", "SIZE", TOOL_MEMBER(TOOL_BYTES, struct row, size)},
	{"own", "ONLY HERE", TOOL_MEMBER(TOOL_BYTES, struct row, own)},
	{"files", "FILES", TOOL_MEMBER(TOOL_COUNT, struct row, files)},
	{"path", "DIRECTORY", TOOL_MEMBER(TOOL_TEXT, struct row, path)},
	{0},
};

static void add_row(void *arg, const struct bt_usage *usage)
{
	struct table *found = arg;

	if (usage->depth > found->depth)
		return;
	if (found->count == found->room) {
		found->room = 2 * found->room + 64;
		found->rows = tool_realloc(found->rows, found->room * sizeof(*found->rows));
	}
	found->rows[found->count++] = (struct row){.path = tool_format("%s", *usage->path ? usage->path : "."),
						   .size = usage->size,
						   .files = usage->files,
						   .own = usage->own,
						   .is_sum = !usage->depth};
}

/* The largest last, above the sum, where people look first. */
static int by_size(const void *a, const void *b)
{
	const struct row *one = a, *other = b;

	if (one->is_sum != other->is_sum)
		return one->is_sum - other->is_sum;
	if (one->size != other->size)
		return one->size < other->size ? -1 : 1;
	return strcmp(one->path, other->path);
}

static void print_rows(const struct tool *tool, const struct table *found)
{
	if (tool->json)
		tool_array_print(columns, found->rows, sizeof(*found->rows), found->count);
	else
		tool_table_print(columns, found->rows, sizeof(*found->rows), found->count);
}

static int refuse_file(const struct tool *tool, const struct tool_place *place)
{
	tool_auto char *shown = tool_escape(place->path);

	tool_complain(tool, "%s is not a directory; 'backuptool ls -l' shows its size", shown);
	return TOOL_FATAL;
}

static int gather(const struct tool *tool, const struct tool_place *place, const struct options *options)
{
	struct table found = {.depth = options->sum ? 0 : options->depth ? options->depth : 1};
	struct bt_error error = {0};
	struct tool_talk talk;

	tool_talk_begin(&talk, tool);
	int code =
		bt_usage_gather(place->pick.store, place->info, place->entry, add_row, &found, &talk.observer, &error);
	tool_talk_end(&talk);
	qsort(found.rows, found.count, sizeof(*found.rows), by_size);
	if (!code || code == BT_E_INCOMPLETE)
		print_rows(tool, &found);
	for (size_t i = 0; i < found.count; i++)
		free(found.rows[i].path);
	free(found.rows);
	return code ? tool_fail(tool, &error) : TOOL_OK;
}

static int run_du(struct tool *tool, const void *arg)
{
	const struct options *options = arg;
	struct tool_place place;
	int r;

	if (options->ncdu && (tool->json || options->sum || options->depth))
		return tool_usage_error(tool, "--ncdu goes with none of --json, --depth and --summarize");
	r = tool_place_open(tool, tool->operand_count ? tool->operands[0] : "latest", &place);
	if (r != TOOL_OK)
		return r;
	tool_signals_watch(tool);
	if (place.entry->type != BT_DIR)
		r = refuse_file(tool, &place);
	else
		r = options->ncdu ? tool_ncdu_print(tool, &place) : gather(tool, &place, options);
	tool_place_close(&place);
	return r;
}

const struct tool_command cmd_du = {
	.name = "du",
	.summary = "shows which directories of a snapshot take how much",
	.description = "SIZE is what a directory has when it is restored. ONLY HERE are the bytes that no\n"
		       "other snapshot needs: removing this snapshot frees them, compressed. A content\n"
		       "that several files have is counted in the first of them. Without SNAPSHOT it is\n"
		       "the latest one. What --ncdu prints is the format of ncdu's exports, 1.2: its\n"
		       "disk usage is the size without holes.",
	.operands = "[SNAPSHOT[:PATH]]",
	.example = "  backuptool du\n  backuptool du latest:photos -d 2\n"
		   "  backuptool du --ncdu | ncdu -f -\n",
	.max_operands = 1,
	.common = TOOL_COMMON_STORE | TOOL_COMMON_SELECT | TOOL_COMMON_JSON | TOOL_COMMON_TALK,
	.options = {{table, 0}},
	.options_size = sizeof(struct options),
	.run = run_du,
};
