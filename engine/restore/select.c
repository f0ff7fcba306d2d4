/* SPDX-License-Identifier: MIT */
#include "restore/select.h"
#include "base/fail.h"
#include "base/path.h"
#include <stdlib.h>
#include <string.h>

char *bt_selection_path(const char *path)
{
	char *text = malloc(strlen(path) + 1);

	if (text)
		bt_path_tidy(path, text);
	return text;
}

size_t bt_component_length(const char *path, size_t depth)
{
	return strcspn(path + depth, "/");
}

static int by_place(const void *left, const void *right)
{
	return bt_path_order(*(const char *const *)left, *(const char *const *)right);
}

static void drop_covered(struct bt_selection *selection)
{
	size_t kept = 0;

	for (size_t i = 0; i < selection->count; i++) {
		if (kept && bt_path_covers(selection->paths[kept - 1], selection->paths[i]))
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
	qsort(selection.paths, selection.count, sizeof(*selection.paths), by_place);
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
