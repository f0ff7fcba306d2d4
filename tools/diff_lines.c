/* SPDX-License-Identifier: MIT */
#include "diff.h"
#include "entry.h"
#include "output.h"
#include "unified.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool diff_is_directory(const struct bt_change *change)
{
	return (change->after ? change->after : change->before)->type == BT_DIR;
}

static const char letters[BT_CHANGE_KINDS + 1] = "+-MTU";

/* A change as JSON has it. */
struct shown {
	const struct bt_change *change;
	const struct tool_rename *rename; /* NULL: it is not renamed, as far as is known */
};

#define BEFORE	     self->change->before
#define AFTER	     self->change->after
#define SIZED(entry) ((entry) && (entry)->type == BT_FILE ? TOOL_BYTES : TOOL_NOTHING)
static struct tool_value get_change(const void *row)
{
	static const char *const names[] = {"added", "removed", "content", "type", "metadata"};
	const struct shown *self = row;

	return (struct tool_value){.kind = TOOL_TEXT, .text = names[self->change->kind]};
}
TOOL_GETTER(struct shown, path, TOOL_TEXT, text, self->change->path)
TOOL_GETTER(struct shown, type, TOOL_TEXT, text, tool_type_name((AFTER ? AFTER : BEFORE)->type))
TOOL_GETTER(struct shown, old_type, BEFORE ? TOOL_TEXT : TOOL_NOTHING, text,
	    BEFORE ? tool_type_name(BEFORE->type) : NULL)
TOOL_GETTER(struct shown, old_size, SIZED(BEFORE), number, BEFORE ? BEFORE->size : 0)
TOOL_GETTER(struct shown, size, SIZED(AFTER), number, AFTER ? AFTER->size : 0)
TOOL_GETTER(struct shown, mtime, AFTER ? TOOL_TIME : TOOL_NOTHING, time, AFTER ? AFTER->mtime : (struct bt_time){0})
TOOL_GETTER(struct shown, old_mtime, BEFORE ? TOOL_TIME : TOOL_NOTHING, time,
	    BEFORE ? BEFORE->mtime : (struct bt_time){0})
TOOL_GETTER(struct shown, from, self->rename &&AFTER ? TOOL_TEXT : TOOL_NOTHING, text,
	    self->rename ? self->rename->from : NULL)
TOOL_GETTER(struct shown, to, self->rename &&BEFORE ? TOOL_TEXT : TOOL_NOTHING, text,
	    self->rename ? self->rename->to : NULL)

static const struct tool_column change_columns[] = {
	{"change", NULL, TOOL_GET(get_change)},
	{"path", NULL, TOOL_GET(get_path)},
	{"type", NULL, TOOL_GET(get_type)},
	{"old_type", NULL, TOOL_GET(get_old_type)},
	{"size", NULL, TOOL_GET(get_size)},
	{"old_size", NULL, TOOL_GET(get_old_size)},
	{"mtime", NULL, TOOL_GET(get_mtime)},
	{"old_mtime", NULL, TOOL_GET(get_old_mtime)},
	{"renamed_from", NULL, TOOL_GET(get_from)},
	{"renamed_to", NULL, TOOL_GET(get_to)},
	{0},
};

void diff_json_print(const struct diff *diff, const struct bt_change *change)
{
	tool_object_print(change_columns, &(struct shown){change, tool_renames_find(&diff->renames, change)});
}

TOOL_GETTER(struct diff, totals, TOOL_TEXT, text, self ? "totals" : NULL)

static const struct tool_column total_columns[] = {
	{"change", NULL, TOOL_GET(get_totals)},
	{"added", NULL, TOOL_MEMBER(TOOL_COUNT, struct diff, result.counts[BT_CHANGE_ADDED])},
	{"removed", NULL, TOOL_MEMBER(TOOL_COUNT, struct diff, result.counts[BT_CHANGE_REMOVED])},
	{"content", NULL, TOOL_MEMBER(TOOL_COUNT, struct diff, result.counts[BT_CHANGE_CONTENT])},
	{"types", NULL, TOOL_MEMBER(TOOL_COUNT, struct diff, result.counts[BT_CHANGE_TYPE])},
	{"metadata", NULL, TOOL_MEMBER(TOOL_COUNT, struct diff, result.counts[BT_CHANGE_METADATA])},
	{"renamed", NULL, TOOL_IF_ANY(TOOL_COUNT, struct diff, renames.count)},
	{"added_bytes", NULL, TOOL_MEMBER(TOOL_BYTES, struct diff, result.added_bytes)},
	{"removed_bytes", NULL, TOOL_MEMBER(TOOL_BYTES, struct diff, result.removed_bytes)},
	{"errors", NULL, TOOL_MEMBER(TOOL_COUNT, struct diff, result.errors)},
	{0},
};

/* The file as it is now: not one that a link leads to. */
static int open_live(const struct diff *diff, const struct bt_change *change)
{
	tool_auto char *path = tool_format("%s%s%s", diff->live, *change->path ? "/" : "", change->path);
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat status;

	if (fd >= 0 && (fstat(fd, &status) || !S_ISREG(status.st_mode))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* What is compared itself has no path below it: then it goes by its name. */
static const char *shown_path(const struct diff *diff, const char *path)
{
	const struct bt_entry *compared = diff->before.entry;

	return *path || compared->type == BT_DIR ? path : compared->name;
}

void diff_content_print(struct diff *diff, const struct bt_change *change)
{
	struct bt_error error = {0};
	int before, after, sys;

	if (change->kind != BT_CHANGE_CONTENT || change->after->type != BT_FILE)
		return;
	before = tool_unified_open(diff->before.pick.store, change->before, &error);
	after = before < 0   ? -1
		: diff->live ? open_live(diff, change)
			     : tool_unified_open(diff->after.pick.store, change->after, &error);
	if (error.code && error.code != BT_E_UNSUPPORTED) {
		tool_fail(diff->tool, &error);
	} else if (before >= 0 && after >= 0) {
		sys = tool_unified_print(before, after, shown_path(diff, change->path));
		if (sys)
			tool_say(diff->tool, "cannot run diff: %s", strerror(sys));
	} else {
		puts("  (too large to be shown)");
	}
	if (before >= 0)
		close(before);
	if (after >= 0)
		close(after);
}

void diff_line_print(const struct diff *diff, const struct bt_change *change)
{
	bool directory = diff_is_directory(change);
	const char *path = shown_path(diff, change->path);
	tool_auto char *line = tool_format("%c %s%s", letters[change->kind], *path ? path : ".", directory ? "/" : "");

	tool_path_print(line, diff->options->nul);
}

void diff_totals_print(const struct diff *diff)
{
	const struct bt_compare_result *result = &diff->result;
	tool_auto char *added = tool_bytes(result->added_bytes), *removed = tool_bytes(result->removed_bytes);
	uint64_t sum = 0;

	for (int kind = 0; kind < BT_CHANGE_KINDS; kind++)
		sum += result->counts[kind];
	if (diff->tool->json)
		tool_object_print(total_columns, diff);
	else if (!sum && !result->errors)
		puts("no differences");
	else
		printf("%" PRIu64 " added, %" PRIu64 " removed, %" PRIu64 " changed, %" PRIu64
		       " of another type, %" PRIu64 " only in metadata; +%s, -%s\n",
		       result->counts[BT_CHANGE_ADDED], result->counts[BT_CHANGE_REMOVED],
		       result->counts[BT_CHANGE_CONTENT], result->counts[BT_CHANGE_TYPE],
		       result->counts[BT_CHANGE_METADATA], added, removed);
}
