/* SPDX-License-Identifier: MIT */
#include "policy/listed.h"
#include "base/arena.h"
#include "base/fail.h"
#include "base/path.h"
#include <internal/policy.h>
#include <stdlib.h>
#include <string.h>

struct bt_listed {
	struct bt_arena arena;
	const char **paths; /* in the order of a walk, each once */
	bool *found;
	size_t count;
};

static bool climbs(const char *path)
{
	for (; *path; path += path[0] == '/') {
		size_t length = strcspn(path, "/");

		if (length == 2 && memcmp(path, "..", 2) == 0)
			return true;
		path += length;
	}
	return false;
}

int bt_listed_path(const char *path, char *ret_tidy)
{
	if (*path == '/' || climbs(path))
		return BT_E_INVALID;
	bt_path_tidy(path, ret_tidy);
	return 0;
}

static int by_place(const void *left, const void *right)
{
	return bt_path_order(*(const char *const *)left, *(const char *const *)right);
}

static int add_path(struct bt_listed *listed, const char *path, struct bt_error *error)
{
	char *tidy = bt_arena_alloc(&listed->arena, strlen(path) + 1);

	if (!tidy)
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	if (bt_listed_path(path, tidy))
		return bt_fail(error, BT_E_INVALID, path, "not a path below the directory");
	listed->paths[listed->count++] = tidy;
	return 0;
}

static void sort(struct bt_listed *listed)
{
	size_t kept = 0;

	qsort(listed->paths, listed->count, sizeof(*listed->paths), by_place);
	for (size_t i = 0; i < listed->count; i++)
		if (!kept || strcmp(listed->paths[kept - 1], listed->paths[i]) != 0)
			listed->paths[kept++] = listed->paths[i];
	listed->count = kept;
}

int bt_listed_new(const char *const *paths, size_t count, struct bt_listed **ret_listed, struct bt_error *error)
{
	struct bt_listed *listed = calloc(1, sizeof(*listed));
	int r = 0;

	if (!listed)
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	listed->paths = calloc(count + 1, sizeof(*listed->paths));
	listed->found = calloc(count + 1, sizeof(*listed->found));
	if (!listed->paths || !listed->found)
		r = bt_fail(error, BT_E_NOMEM, NULL, NULL);
	for (size_t i = 0; i < count && !r; i++)
		r = add_path(listed, paths[i], error);
	if (r) {
		bt_listed_free(listed);
		return r;
	}
	sort(listed);
	*ret_listed = listed;
	return 0;
}

void bt_listed_free(struct bt_listed *listed)
{
	if (!listed)
		return;
	bt_arena_free(&listed->arena);
	free(listed->paths);
	free(listed->found);
	free(listed);
}

static void set_found(struct bt_listed *listed, size_t index)
{
	if (!__atomic_load_n(&listed->found[index], __ATOMIC_RELAXED))
		__atomic_store_n(&listed->found[index], true, __ATOMIC_RELAXED);
}

struct bt_listed_range bt_listed_root(struct bt_listed *listed)
{
	bool whole = listed->count && !*listed->paths[0];

	if (whole)
		set_found(listed, 0);
	return (struct bt_listed_range){whole, listed->count, whole};
}

struct bt_listed_range bt_listed_find(struct bt_listed *listed, const struct bt_listed_range *above, const char *path)
{
	struct bt_listed_range range = {above->first, above->end, above->whole};
	size_t low = above->first, high = above->end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (bt_path_order(listed->paths[middle], path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < above->end && strcmp(listed->paths[low], path) == 0) {
		set_found(listed, low++);
		range.whole = true;
	}
	range.first = low;
	for (high = above->end; low < high;) {
		size_t middle = low + (high - low) / 2;

		if (bt_path_covers(path, listed->paths[middle]))
			low = middle + 1;
		else
			high = middle;
	}
	range.end = low;
	return range;
}

void bt_listed_pass(struct bt_listed *listed, const struct bt_listed_range *range)
{
	for (size_t i = range->first; i < range->end; i++)
		set_found(listed, i);
}

const char *bt_listed_lost(const struct bt_listed *listed, size_t *at)
{
	while (*at < listed->count) {
		size_t index = (*at)++;

		if (!listed->found[index])
			return listed->paths[index];
	}
	return NULL;
}
