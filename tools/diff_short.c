/* SPDX-License-Identifier: MIT */
#include "diff.h"
#include "entry.h"
#include "output.h"
#include <stdlib.h>
#include <string.h>

bool diff_whole_takes(struct diff_whole *whole, const struct bt_change *change, bool renamed)
{
	const struct bt_entry *entry = change->after ? change->after : change->before;
	size_t length = whole->path ? strlen(whole->path) : 0;

	if (!whole->path || change->kind != whole->kind || strncmp(change->path, whole->path, length) != 0 ||
	    change->path[length] != '/')
		return false;
	whole->entries++;
	if (entry->type == BT_FILE) {
		whole->files++;
		whole->bytes += entry->size;
		whole->renamed += renamed;
	}
	return true;
}

bool diff_whole_begins(struct diff_whole *whole, const struct bt_change *change, const struct tool_rename *rename)
{
	bool alone = change->kind == BT_CHANGE_ADDED || change->kind == BT_CHANGE_REMOVED;

	if (!alone || !diff_is_directory(change) || !*change->path)
		return false;
	*whole = (struct diff_whole){.kind = change->kind, .path = tool_format("%s", change->path), .rename = rename};
	return true;
}

void diff_whole_end(struct diff_whole *whole)
{
	free(whole->path);
	*whole = (struct diff_whole){0};
}

/* A pair has its line where the entry came, unless that is only counted there. */
static void rename_print(const struct tool_rename *rename, enum bt_change_kind kind, bool directory)
{
	const char *slash = directory ? "/" : "";
	tool_auto char *line = tool_format("R %s%s -> %s%s", rename->from, slash, rename->to, slash);

	if ((kind == BT_CHANGE_REMOVED) == rename->to_inside)
		tool_path_print(line, false);
}

static void whole_print(const struct diff_whole *whole)
{
	tool_auto char *path = tool_escape(whole->path), *bytes = tool_bytes(whole->bytes);
	tool_auto char *files = tool_count(whole->files, "file", "files");
	tool_auto char *entries = tool_count(whole->entries, "entry", "entries");
	tool_auto char *renamed = tool_format(", %llu renamed", (unsigned long long)whole->renamed);

	printf("%c %s/  (", whole->kind == BT_CHANGE_ADDED ? '+' : '-', path);
	if (whole->files)
		printf("%s, %s%s)\n", files, bytes, whole->renamed ? renamed : "");
	else
		printf("%s)\n", whole->entries ? entries : "empty");
}

static void end_whole(struct diff *diff)
{
	struct diff_whole *whole = &diff->whole;

	if (!whole->path)
		return;
	if (whole->rename)
		rename_print(whole->rename, whole->kind, true);
	else
		whole_print(whole);
	diff_whole_end(whole);
}

void diff_short_add(struct diff *diff, const struct bt_change *change)
{
	const struct tool_rename *rename = tool_renames_find(&diff->renames, change);

	if (diff_whole_takes(&diff->whole, change, rename))
		return;
	end_whole(diff);
	if (diff_whole_begins(&diff->whole, change, rename))
		return;
	if (rename)
		rename_print(rename, change->kind, false);
	else
		diff_line_print(diff, change);
}

void diff_short_end(struct diff *diff)
{
	end_whole(diff);
}
