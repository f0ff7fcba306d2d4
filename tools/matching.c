/* SPDX-License-Identifier: MIT */
#include "matching.h"
#include "output.h"
#include "selection.h"
#include <backuptool/search.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

bool tool_has_wildcards(const char *text)
{
	return text[strcspn(text, "*?[")];
}

char *tool_pattern_of_name(const char *name)
{
	char *pattern = tool_alloc(2 * strlen(name) + 1), *end = pattern;

	for (; *name; name++) {
		if (strchr("*?[]\\!# ", *name))
			*end++ = '\\';
		*end++ = *name;
	}
	return pattern;
}

struct matching {
	struct tool_texts paths;
	void *known; /* the same, for tsearch */
	size_t most;
	bool more;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int by_place(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int found(void *arg, const struct bt_match *match)
{
	struct matching *matching = arg;
	char *path;

	if (tfind(match->path, &matching->known, by_text))
		return 0;
	matching->more = matching->paths.count == matching->most;
	if (matching->more)
		return BT_E_CANCELLED;
	path = tool_format("%s", match->path);
	tool_texts_add(&matching->paths, path);
	(void)tsearch(path, &matching->known, by_text);
	return 0;
}

static void leave(void *text)
{
}

struct tool_texts tool_matching(const struct tool *tool, struct bt_store *store, const char *pattern, size_t most,
				bool *ret_more)
{
	tool_auto const char **names = tool_alloc((bt_store_snapshot_count(store) + 1) * sizeof(*names));
	const struct bt_observer observer = {.size = sizeof(observer), .cancelled = tool_signals_cancel};
	const struct bt_search wanted = {.size = sizeof(wanted),
					 .pattern = pattern,
					 .names = names,
					 .name_count = tool->filter ? tool_selected(tool, store, names) : 0};
	struct matching matching = {.most = most};
	struct bt_error error = {0};

	if (!tool->filter || wanted.name_count)
		bt_search_run(store, &wanted, found, &matching, &observer, &error);
	tdestroy(matching.known, leave);
	if (matching.paths.count)
		qsort(matching.paths.items, matching.paths.count, sizeof(*matching.paths.items), by_place);
	*ret_more = matching.more;
	return matching.paths;
}

void tool_matching_free(struct tool_texts *paths)
{
	for (size_t i = 0; i < paths->count; i++)
		free((char *)paths->items[i]);
	free(paths->items);
	*paths = (struct tool_texts){0};
}
