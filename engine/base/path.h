/* SPDX-License-Identifier: MIT */
/* Paths of who knows only the directory above. */
#ifndef BT_BASE_PATH_H
#define BT_BASE_PATH_H

#include "base/buf.h"

/* The directory above, and the name in it; NULL: there is none, and no name. */
typedef const void *bt_path_up(const void *dir, const char **ret_name, size_t *ret_length);

/* The path from the top to name in dir, or to dir itself (NULL), in place of what path holds; a NUL is behind it. 0 or
 * BT_E_NOMEM. */
int bt_path_of(struct bt_buf *path, bt_path_up *up, const void *dir, const char *name);
/* The same, allocated; NULL on out of memory. */
char *bt_path_new(bt_path_up *up, const void *dir, const char *name);

#endif
