/* SPDX-License-Identifier: MIT */
#include "diff.h"
#include "output.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct diff_level {
	char *path;
	uint64_t counts[BT_CHANGE_KINDS];
	uint64_t added_bytes, removed_bytes;
};

TOOL_GETTER(struct diff_level, directory, TOOL_TEXT, text, self ? "directory" : NULL)

static const struct tool_column columns[] = {
	{"change", NULL, TOOL_GET(get_directory)},
	{"path", NULL, TOOL_MEMBER(TOOL_TEXT, struct diff_level, path)},
	{"added", NULL, TOOL_MEMBER(TOOL_COUNT, struct diff_level, counts[BT_CHANGE_ADDED])},
	{"removed", NULL, TOOL_MEMBER(TOOL_COUNT, struct diff_level, counts[BT_CHANGE_REMOVED])},
	{"content", NULL, TOOL_MEMBER(TOOL_COUNT, struct diff_level, counts[BT_CHANGE_CONTENT])},
	{"types", NULL, TOOL_MEMBER(TOOL_COUNT, struct diff_level, counts[BT_CHANGE_TYPE])},
	{"metadata", NULL, TOOL_MEMBER(TOOL_COUNT, struct diff_level, counts[BT_CHANGE_METADATA])},
	{"added_bytes", NULL, TOOL_MEMBER(TOOL_BYTES, struct diff_level, added_bytes)},
	{"removed_bytes", NULL, TOOL_MEMBER(TOOL_BYTES, struct diff_level, removed_bytes)},
	{0},
};

static void level_print(const struct diff *diff, const struct diff_level *level)
{
	const uint64_t *counts = level->counts;
	tool_auto char *path = tool_escape(level->path);
	tool_auto char *added = tool_bytes(level->added_bytes), *removed = tool_bytes(level->removed_bytes);

	if (diff->tool->json)
		tool_object_print(columns, level);
	else
		printf("%8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64 "  %10s  %10s  %s/\n",
		       counts[BT_CHANGE_ADDED], counts[BT_CHANGE_REMOVED], counts[BT_CHANGE_CONTENT],
		       counts[BT_CHANGE_TYPE] + counts[BT_CHANGE_METADATA], added, removed, path);
}

/* The directories that are left have all their changes. */
static void pop_to(struct diff *diff, size_t count)
{
	while (diff->level_count > count) {
		struct diff_level *level = &diff->levels[--diff->level_count];

		level_print(diff, level);
		free(level->path);
	}
}

/* How much of the path is the directory at that depth around the change, or the change itself; 0: there is none. */
static size_t directory_end(const struct bt_change *change, size_t begin)
{
	size_t length = strcspn(change->path + begin, "/");
	bool last = !change->path[begin + length];

	return length && (!last || diff_is_directory(change)) ? begin + length : 0;
}

static bool is_below(const struct bt_change *change, const struct diff_level *level)
{
	size_t length = strlen(level->path);

	return strncmp(change->path, level->path, length) == 0 &&
	       (change->path[length] == '/' || (!change->path[length] && diff_is_directory(change)));
}

static void push(struct diff *diff, const struct bt_change *change)
{
	size_t most = diff->options->depth ? diff->options->depth : 1;
	size_t begin = diff->level_count ? strlen(diff->levels[diff->level_count - 1].path) + 1 : 0;

	while (diff->level_count < most && begin <= strlen(change->path)) {
		size_t end = directory_end(change, begin);

		if (!end)
			break;
		diff->levels = tool_realloc(diff->levels, (diff->level_count + 1) * sizeof(*diff->levels));
		diff->levels[diff->level_count++] =
			(struct diff_level){.path = tool_format("%.*s", (int)end, change->path)};
		begin = end + 1;
	}
}

static uint64_t size_of(const struct bt_entry *entry)
{
	return entry && entry->type == BT_FILE ? entry->size : 0;
}

static void count(struct diff_level *level, const struct bt_change *change)
{
	uint64_t old = size_of(change->before), new = size_of(change->after);

	level->counts[change->kind]++;
	level->added_bytes += new > old ? new - old : 0;
	level->removed_bytes += old > new ? old - new : 0;
}

void diff_stat_add(struct diff *diff, const struct bt_change *change)
{
	size_t kept = 0;

	if (!diff->levels && !diff->tool->json)
		printf("%8s %8s %8s %8s  %10s  %10s  %s\n", "ADDED", "REMOVED", "CHANGED", "OTHER", "+BYTES", "-BYTES",
		       "DIRECTORY");
	while (kept < diff->level_count && is_below(change, &diff->levels[kept]))
		kept++;
	pop_to(diff, kept);
	push(diff, change);
	for (size_t i = 0; i < diff->level_count; i++)
		count(&diff->levels[i], change);
}

void diff_stat_end(struct diff *diff)
{
	pop_to(diff, 0);
	free(diff->levels);
	diff->levels = NULL;
}
