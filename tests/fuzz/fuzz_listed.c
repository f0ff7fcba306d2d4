/* SPDX-License-Identifier: MIT */
/*
 * A list of files, its last line being a path that a walk asks about, component by component: what the sorted table
 * says is what a look at every line says.
 */
#include "base/path.h"
#include "fuzz.h"
#include "policy/listed.h"
#include <internal/policy.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 64 };

struct list {
	const char *paths[MOST];
	size_t count;
};

static void take_lines(char *text, size_t size, struct list *list)
{
	struct bt_lines lines;
	char *line, *tidy;

	if (bt_lines_begin(text, size, &lines))
		return;
	for (line = bt_lines_next(&lines); line && list->count < MOST; line = bt_lines_next(&lines)) {
		tidy = malloc(strlen(line) + 1);
		FUZZ_CHECK(tidy);
		if (bt_listed_path(line, tidy) == 0)
			list->paths[list->count++] = tidy;
		else
			free(tidy);
	}
}

static bool lies_below(const char *above, const char *path)
{
	size_t length = strlen(above);

	return length == 0 ? *path : strncmp(above, path, length) == 0 && path[length] == '/';
}

/* What the range of that path must be. */
static void check_range(const struct list *list, const char *path, const struct bt_listed_range *range)
{
	size_t below = 0;
	bool whole = false;

	for (size_t i = 0; i < list->count; i++) {
		bool again = false;

		for (size_t k = 0; k < i; k++)
			again |= strcmp(list->paths[k], list->paths[i]) == 0;
		below += !again && lies_below(path, list->paths[i]);
		whole |= strcmp(path, list->paths[i]) == 0 || lies_below(list->paths[i], path);
	}
	FUZZ_CHECK(range->whole == whole);
	FUZZ_CHECK(range->end - range->first == below);
}

static void walk(const struct list *list, struct bt_listed *listed, char *path)
{
	struct bt_listed_range range = bt_listed_root(listed);

	check_range(list, "", &range);
	for (char *slash = path; *path && slash;) {
		slash = strchr(slash, '/');
		if (slash)
			*slash = '\0';
		range = bt_listed_find(listed, &range, path);
		check_range(list, path, &range);
		if (slash)
			*slash++ = '/';
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct list list = {.count = 0};
	struct bt_listed *listed;
	size_t at = 0;

	FUZZ_CHECK(text);
	memcpy(text, data, size);
	text[size] = '\0';
	take_lines(text, size, &list);
	if (list.count) {
		char *path = (char *)list.paths[--list.count];

		FUZZ_CHECK(bt_listed_new(list.paths, list.count, &listed, NULL) == 0);
		walk(&list, listed, path);
		for (const char *lost = bt_listed_lost(listed, &at); lost; lost = bt_listed_lost(listed, &at))
			FUZZ_CHECK(strcmp(lost, path) != 0);
		bt_listed_free(listed);
		free(path);
	}
	for (size_t i = 0; i < list.count; i++)
		free((char *)list.paths[i]);
	free(text);
	return 0;
}
