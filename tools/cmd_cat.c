/* SPDX-License-Identifier: MIT */
#include "bytes.h"
#include "commands.h"
#include "entry.h"
#include "output.h"
#include "place.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void say_type(const struct tool *tool, const char *text, const struct bt_entry *entry)
{
	tool_auto char *shown = tool_escape(text);
	tool_auto char *target = entry->type == BT_SYMLINK && entry->extra && entry->extra->target
					 ? tool_escape(entry->extra->target)
					 : NULL;

	if (target)
		tool_say(tool, "%s is not a file, but a symbolic link to %s", shown, target);
	else if (entry->type == BT_DIR)
		tool_say(tool, "%s is not a file, but a directory; 'backuptool ls' lists it", shown);
	else
		tool_say(tool, "%s is not a file, and has no contents", shown);
}

static int print_file(const struct tool *tool, const char *text)
{
	struct bt_error error = {0};
	struct tool_place place;
	int r = tool_place_open(tool, text, &place);

	if (r != TOOL_OK)
		return r;
	if (place.entry->type != BT_FILE) {
		say_type(tool, text, place.entry);
		r = TOOL_FATAL;
	} else if (tool_bytes_write(place.pick.store, place.entry, STDOUT_FILENO, &error)) {
		r = tool_fail(tool, &error) == TOOL_INTERRUPTED ? TOOL_INTERRUPTED : TOOL_FATAL;
	}
	if (r == TOOL_OK)
		tool_entry_say_torn(tool, place.path, place.entry);
	tool_place_close(&place);
	return r;
}

static int run_cat(struct tool *tool, const void *options)
{
	int r = TOOL_OK;

	tool_signals_watch(tool);
	for (int i = 0; i < tool->operand_count && r != TOOL_INTERRUPTED; i++) {
		int code = print_file(tool, tool->operands[i]);

		r = code == TOOL_OK ? r : code;
	}
	return r;
}

const struct tool_command cmd_cat = {
	.name = "cat",
	.summary = "writes files of snapshots to standard output, verified",
	.description = "Nothing is written that does not have the digest that the snapshot states.\n"
		       "Holes stay holes where the output is a file.",
	.operands = "SNAPSHOT:PATH…",
	.example = "  backuptool cat latest:letters/may.txt\n"
		   "  backuptool cat @yesterday:db.sqlite >db.sqlite\n",
	.min_operands = 1,
	.max_operands = -1,
	.common = TOOL_COMMON_STORE | TOOL_COMMON_SELECT,
	.run = run_cat,
};
