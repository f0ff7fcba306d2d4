/* SPDX-License-Identifier: MIT */
/* The paths to restore: sorted, none below another, so that the walker can follow them through the tree. */
#ifndef BT_RESTORE_SELECT_H
#define BT_RESTORE_SELECT_H

#include <backuptool/view.h>

struct bt_selection {
	char **paths; /* "a/b/c" */
	size_t count; /* 0: everything */
};

/* root: what they are below. BT_E_NOT_FOUND if one of the paths is not there. */
int bt_selection_new(struct bt_store *store, const struct bt_entry *root, const char *const *paths, size_t count,
		     struct bt_selection *ret_selection, struct bt_error *error);
/* A path without "." and needless slashes; allocated, NULL on out of memory. */
char *bt_selection_path(const char *path);
void bt_selection_free(struct bt_selection *selection);

/* The length of the path's component that begins at depth (0, or just after a slash). */
size_t bt_component_length(const char *path, size_t depth);

#endif
