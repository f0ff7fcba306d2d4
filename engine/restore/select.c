/* SPDX-License-Identifier: MIT */
#include "restore/select.h"
#include "base/fail.h"
#include <stdlib.h>
#include <string.h>

/* Drops "." and empty components in place. */
char *bt_selection_path(const char *path)
{
	char *text = malloc(strlen(path) + 1), *end = text;

	if (!text)
		return NULL;
	while (*path) {
		size_t length = bt_component_length(path, 0);

		if (length && !(length == 1 && *path == '.')) {
			if (end > text)
				*end++ = '/';
			memcpy(end, path, length);
			end += length;
		}
		path += length;
		if (*path == '/')
			path++;
	}
	*end = 0;
	return text;
}

size_t bt_component_length(const char *path, size_t depth)
{
	return strcspn(path + depth, "/");
}

/* In the order of the walk: "/" sorts before every other byte. */
static int compare_paths(const void *left, const void *right)
{
	const unsigned char *a = *(unsigned char *const *)left, *b = *(unsigned char *const *)right;

	while (*a && *a == *b) {
		a++;
		b++;
	}
	int x = !*a ? 0 : *a == '/' ? 1 : *a + 1, y = !*b ? 0 : *b == '/' ? 1 : *b + 1;
	return x - y;
}

static bool covers(const char *above, const char *path)
{
	size_t length = strlen(above);

	return strncmp(above, path, length) == 0 && (path[length] == '/' || !path[length]);
}

static void drop_covered(struct bt_selection *selection)
{
	size_t kept = 0;

	for (size_t i = 0; i < selection->count; i++) {
		if (kept && covers(selection->paths[kept - 1], selection->paths[i]))
			free(selection->paths[i]);
		else
			selection->paths[kept++] = selection->paths[i];
	}
	selection->count = kept;
}

static int check_there(struct bt_store *store, const struct bt_entry *root, const char *path, struct bt_error *error)
{
	const struct bt_page *page = NULL;
	const struct bt_entry *entry;
	int r = bt_path_lookup(store, root, path, &page, &entry, error);

	if (!r)
		bt_page_put(store, page);
	return r;
}

int bt_selection_new(struct bt_store *store, const struct bt_entry *root, const char *const *paths, size_t count,
		     struct bt_selection *ret_selection, struct bt_error *error)
{
	struct bt_selection selection = {.paths = calloc(count + 1, sizeof(*selection.paths))};
	int r = selection.paths ? 0 : bt_fail(error, BT_E_NOMEM, NULL, "restore the snapshot");
	bool everything = !count;

	for (size_t i = 0; !r && i < count; i++) {
		char *path = bt_selection_path(paths[i]);

		if (!path) {
			r = bt_fail(error, BT_E_NOMEM, NULL, "restore the snapshot");
			break;
		}
		everything |= !*path;
		selection.paths[selection.count++] = path;
		r = check_there(store, root, path, error);
	}
	if (r) {
		bt_selection_free(&selection);
		return r;
	}
	qsort(selection.paths, selection.count, sizeof(*selection.paths), compare_paths);
	drop_covered(&selection);
	while (everything && selection.count)
		free(selection.paths[--selection.count]);
	*ret_selection = selection;
	return 0;
}

void bt_selection_free(struct bt_selection *selection)
{
	for (size_t i = 0; i < selection->count; i++)
		free(selection->paths[i]);
	free(selection->paths);
	*selection = (struct bt_selection){0};
}
