/* SPDX-License-Identifier: MIT */
/*
 * Whether extended attributes are served. The kernel remembers a "no" for the life of the mount (and `ls -l` gets twice
 * as fast), so it is only said where it stays true: with -o xattr=off, and with -o xattr=auto where one snapshot is
 * mounted that has none. Any other mount may see a snapshot with some at any moment.
 */
#ifndef FS_XATTR_H
#define FS_XATTR_H

#include "fs.h"

/* The same for the life of the mount. */
bool xattr_wanted(struct fs *fs);
/* The errno for an attribute that an entry lacks: ENODATA, or with -o xattr=auto EOPNOTSUPP as long as no snapshot has
 * any, since ls and the like then ask for one file instead of for each. */
int xattr_lack(struct fs *fs, const char *name);
/* What stat(2) shows of an entry, see attr_fill: no more rights than with its list of permissions when the kernel is
 * not told of that. */
void xattr_fill(struct fs *fs, const struct bt_entry *entry, uint64_t ino, struct stat *ret_stat);

#endif
