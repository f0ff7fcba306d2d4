/* SPDX-License-Identifier: MIT */
/*
 * Whether extended attributes are served. The kernel remembers a "no" for the life of the mount (and `ls -l` gets twice
 * as fast), so with -o xattr=auto it is decided when the first one is asked for: are there any in a snapshot?
 */
#ifndef FS_XATTR_H
#define FS_XATTR_H

#include "fs.h"

bool xattr_wanted(struct fs *fs);
/* What stat(2) shows of an entry, see attr_fill: no more rights than with its list of permissions when the kernel is
 * not told of that. */
void xattr_fill(struct fs *fs, const struct bt_entry *entry, uint64_t ino, struct stat *ret_stat);
/* A snapshot that came later: says in the log when its attributes cannot be shown without a new mount. */
void xattr_new_snapshot(struct fs *fs, uint32_t serial);

#endif
