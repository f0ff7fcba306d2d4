/* SPDX-License-Identifier: MIT */
/* Paths put together from names and parents. */
#ifndef BT_BASE_PATH_H
#define BT_BASE_PATH_H

#include "base/buf.h"
#include <stdbool.h>

/* Returns the directory above dir and the name of dir in it; NULL for the top, which has no name. */
typedef const void *bt_path_up(const void *dir, const char **ret_name, size_t *ret_length);

/* Replaces path by the path from the top to name in dir, or to dir itself if name is NULL. A NUL follows it, which
 * length does not count. 0 or BT_E_NOMEM. */
int bt_path_of(struct bt_buf *path, bt_path_up *up, const void *dir, const char *name);
/* The same, allocated; NULL on out of memory. */
char *bt_path_new(bt_path_up *up, const void *dir, const char *name);

/* Which of two tidy paths comes first in a walk, in which "/" sorts before every other byte. */
int bt_path_order(const char *a, const char *b);
/* Whether the path is that one, or lies below it; both are tidy, and above is not "". */
bool bt_path_covers(const char *above, const char *path);
/* Writes the path without empty components and ".": "a/b", or "". There is room for strlen(path) + 1. */
void bt_path_tidy(const char *path, char *ret_tidy);

#endif
