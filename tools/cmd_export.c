/* SPDX-License-Identifier: MIT */
#include "commands.h"
#include "confirm.h"
#include "foreign.h"
#include "output.h"
#include "progress.h"
#include "rows.h"
#include <backuptool/export.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
	bool classic;
};

static const struct tool_option table[] = {
	{"classic", 0, NULL, false, "in the original layout: one JSON file with names and contents", tool_set_true,
	 offsetof(struct options, classic)},
	{0},
};

struct report {
	const char *name, *output;
	uint64_t left_out;
	double seconds;
};

static const struct tool_column columns[] = {
	{"snapshot", NULL, TOOL_MEMBER(TOOL_TEXT, struct report, name)},
	{"output", NULL, TOOL_MEMBER(TOOL_TEXT, struct report, output)},
	{"left_out", NULL, TOOL_MEMBER(TOOL_COUNT, struct report, left_out)},
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
	tool_auto char *path = tool_escape(report->output);
	tool_auto char *others = tool_count(report->left_out, "entry was", "entries were");
	printf("wrote %s to %s\n", report->name, path);
	if (report->left_out)
		printf("%s left out: this layout has no place for empty directories, symbolic links and devices\n",
		       others);
}

/* Honest snapshots come to a file of some ten times the store, as their text is compressed there and no file is stored
 * twice. What is much larger is holes, or was made to be so. */
#define LARGE_BYTES ((uint64_t)1 << 30)
#define LARGE_RATIO 100

static int ask(const struct tool *tool, const struct bt_export_size *size)
{
	tool_auto char *bytes = tool_bytes(size->bytes), *space = tool_bytes(size->space);

	if (size->bytes > size->space)
		tool_doubt(tool, "the file would have about %s, and only %s are free where it is to be written", bytes,
			   space);
	else if (size->bytes > LARGE_BYTES && size->bytes / LARGE_RATIO > size->store)
		tool_doubt(tool,
			   "the file would have about %s, with zeros for the holes of files: more than %d times what "
			   "the store has",
			   bytes, LARGE_RATIO);
	return tool_confirm(tool);
}

/* Where the file is to appear, when all doubts are settled; allocated. */
static char *find_output(const struct tool *tool)
{
	const char *path = tool->operands[1], *slash = strrchr(path, '/');

	if (!slash)
		return tool_format("%s", path);
	tool_auto char *named = tool_format("%.*s", (int)(slash - path) + (slash == path), path);
	tool_auto char *place = tool_foreign_doubt(tool, named, false);
	return strcmp(place, named) == 0 ? tool_format("%s", path) : tool_format("%s/%s", place, slash + 1);
}

static int look(const struct tool *tool, const struct tool_pick *pick, const char *output)
{
	struct bt_export_size size = {.size = sizeof(size)};
	struct bt_error error = {0};
	struct tool_talk talk;
	int code;

	if (tool->yes)
		return TOOL_OK;
	tool_talk_begin(&talk, tool);
	code = bt_export_classic_size(pick->store, pick->snapshot, output, &talk.observer, &size, &error);
	tool_talk_end(&talk);
	return code ? tool_fail(tool, &error) : ask(tool, &size);
}

static int export(struct tool *tool, const struct tool_pick *pick, const char *output)
{
	struct report report = {.name = bt_snapshot_info(pick->snapshot)->name, .output = tool->operands[1]};
	struct bt_error error = {0};
	struct tool_talk talk;
	int code;

	tool_talk_begin(&talk, tool);
	code = bt_export_classic(pick->store, pick->snapshot, output, tool->yes, &talk.observer, &report.left_out,
				 &error);
	report.seconds = tool_talk_seconds(&talk);
	tool_talk_end(&talk);
	if (code < 0 && code != BT_E_INCOMPLETE)
		return tool_fail(tool, &error);
	print_report(tool, &report);
	return tool_exit_code(code);
}

static int run_export(struct tool *tool, const void *arg)
{
	const struct options *options = arg;
	struct tool_pick pick;
	int r;

	if (!options->classic)
		return tool_usage_error(tool, "say which layout: --classic");
	if (strcmp(tool->operands[1], "-") == 0)
		return tool_usage_error(tool, "it is written to a file that appears whole, not to standard output; ./- "
					      "is a file of that name");
	r = tool_pick_open(tool, &(struct tool_wish){.text = tool->operands[0]}, &pick);
	if (r != TOOL_OK)
		return r;
	tool_auto char *output = find_output(tool);
	r = look(tool, &pick, output);
	if (r == TOOL_OK)
		r = export(tool, &pick, output);
	tool_pick_close(&pick);
	return r;
}

const struct tool_command cmd_export = {
	.name = "export",
	.summary = "writes a snapshot into a file of another layout",
	.description = "The original layout is one JSON file with all names and contents. Entries that\n"
		       "have no place in it, such as symbolic links and empty directories, are left\n"
		       "out and counted. A file whose content is not in the snapshot, or is damaged,\n"
		       "is named, and the command ends with 3. FILE must not exist; it appears whole.\n"
		       "It has no holes and is not compressed: a FILE for which there is no room, or\n"
		       "that is more than 100 times as large as the store, or to which a symbolic link\n"
		       "leads that is neither yours nor root's, is written only with --yes.",
	.operands = "SNAPSHOT FILE",
	.example = "  backuptool export --classic latest /tmp/snapshot.json\n",
	.min_operands = 2,
	.max_operands = 2,
	.common = TOOL_COMMON_STORE | TOOL_COMMON_SELECT | TOOL_COMMON_JSON | TOOL_COMMON_TALK | TOOL_COMMON_YES,
	.options = {{table, 0}},
	.options_size = sizeof(struct options),
	.run = run_export,
};
