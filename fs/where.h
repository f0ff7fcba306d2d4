/* SPDX-License-Identifier: MIT */
/* Where a file lies that cannot be read, for the log. */
#ifndef FS_WHERE_H
#define FS_WHERE_H

#include "dirs.h"

#define WHERE_SIZE 1024

/* "SNAPSHOT/PATH" of one snapshot that shows it, or as much of the end as is known and fits. */
const char *where_is(struct fs *fs, fuse_ino_t node, const struct bt_entry *entry, char text[WHERE_SIZE]);

#endif
