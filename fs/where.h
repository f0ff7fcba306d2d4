/* SPDX-License-Identifier: MIT */
/* Names the place of a file that cannot be read, for the log. */
#ifndef FS_WHERE_H
#define FS_WHERE_H

#include "dirs.h"

#define WHERE_SIZE 1024

/* "SNAPSHOT/PATH" in one snapshot that has the file, or as much of its end as is known and fits. */
const char *where_is(struct fs *fs, fuse_ino_t node, const struct bt_entry *entry, char text[WHERE_SIZE]);

#endif
