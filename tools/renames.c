/* SPDX-License-Identifier: MIT */
#include "renames.h"
#include "output.h"
#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX 200000
#define BYTES_MAX   ((size_t)32 << 20)

struct noted {
	struct bt_digest digest;
	bool directory, came, inside;
	char *path;
};

static bool is_alone(const struct bt_change *change)
{
	return change->kind == BT_CHANGE_ADDED || change->kind == BT_CHANGE_REMOVED;
}

static const struct bt_entry *entry_of(const struct bt_change *change)
{
	return change->after ? change->after : change->before;
}

/* Empty files are all alike. */
static bool is_known(const struct bt_entry *entry)
{
	return entry->has_digest && (entry->type == BT_DIR || (entry->type == BT_FILE && entry->size));
}

void tool_renames_note(struct tool_renames *renames, const struct bt_change *change, bool inside)
{
	const struct bt_entry *entry = entry_of(change);
	size_t length = strlen(change->path) + 1;

	if (!is_alone(change) || !is_known(entry) || renames->full)
		return;
	renames->full = renames->noted_count == ENTRIES_MAX || renames->bytes + length > BYTES_MAX;
	if (renames->full)
		return;
	if (renames->noted_count == renames->room) {
		renames->room = renames->room ? 2 * renames->room : 64;
		renames->noted = tool_realloc(renames->noted, renames->room * sizeof(*renames->noted));
	}
	renames->noted[renames->noted_count++] = (struct noted){.digest = entry->digest,
								.directory = entry->type == BT_DIR,
								.came = change->kind == BT_CHANGE_ADDED,
								.inside = inside,
								.path = tool_format("%s", change->path)};
	renames->bytes += length;
}

static int by_content(const void *left, const void *right)
{
	const struct noted *a = left, *b = right;

	return a->directory != b->directory ? a->directory - b->directory
					    : memcmp(&a->digest, &b->digest, sizeof(a->digest));
}

static int by_from(const void *left, const void *right)
{
	const struct tool_rename *const *a = left, *const *b = right;

	return strcmp((*a)->from, (*b)->from);
}

static int by_to(const void *left, const void *right)
{
	const struct tool_rename *const *a = left, *const *b = right;

	return strcmp((*a)->to, (*b)->to);
}

/* Takes over both paths. */
static void add_pair(struct tool_renames *renames, struct noted *one, struct noted *other)
{
	struct noted *from = one->came ? other : one, *to = one->came ? one : other;
	struct tool_rename *pair = tool_alloc(sizeof(*pair));

	*pair = (struct tool_rename){from->path, to->path, from->inside, to->inside};
	from->path = to->path = NULL;
	renames->by_from[renames->count] = renames->by_to[renames->count] = pair;
	renames->count++;
}

static void find_pairs(struct tool_renames *renames)
{
	size_t end;

	qsort(renames->noted, renames->noted_count, sizeof(*renames->noted), by_content);
	for (size_t begin = 0; begin < renames->noted_count; begin = end) {
		struct noted *first = renames->noted + begin;

		for (end = begin + 1; end < renames->noted_count; end++)
			if (by_content(first, &renames->noted[end]) != 0)
				break;
		if (end - begin == 2 && first[0].came != first[1].came)
			add_pair(renames, &first[0], &first[1]);
	}
}

void tool_renames_match(struct tool_renames *renames)
{
	if (renames->noted_count && !renames->full) {
		renames->by_from = tool_alloc(renames->noted_count * sizeof(struct tool_rename *));
		renames->by_to = tool_alloc(renames->noted_count * sizeof(struct tool_rename *));
		find_pairs(renames);
		qsort(renames->by_from, renames->count, sizeof(struct tool_rename *), by_from);
		qsort(renames->by_to, renames->count, sizeof(struct tool_rename *), by_to);
	}
	for (size_t i = 0; i < renames->noted_count; i++)
		free(renames->noted[i].path);
	free(renames->noted);
	renames->noted = NULL;
	renames->noted_count = 0;
}

const struct tool_rename *tool_renames_find(const struct tool_renames *renames, const struct bt_change *change)
{
	const bool came = change->kind == BT_CHANGE_ADDED;
	struct tool_rename wanted = {.from = (char *)change->path, .to = (char *)change->path}, *key = &wanted, **found;

	if (!is_alone(change) || !renames->count)
		return NULL;
	found = bsearch(&key, came ? renames->by_to : renames->by_from, renames->count, sizeof(key),
			came ? by_to : by_from);
	return found ? *found : NULL;
}

void tool_renames_free(struct tool_renames *renames)
{
	for (size_t i = 0; i < renames->count; i++) {
		free(renames->by_from[i]->from);
		free(renames->by_from[i]->to);
		free(renames->by_from[i]);
	}
	free(renames->by_from);
	free(renames->by_to);
	*renames = (struct tool_renames){0};
}
