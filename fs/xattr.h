/* SPDX-License-Identifier: MIT */
/* Whether extended attributes are served. The kernel remembers a "no" for the life of the mount (and ls -l gets twice
 * as fast). So the answer is only no if that stays true: with -o xattr=off, and with -o xattr=auto if the one mounted
 * snapshot has no attributes. In any other mount a snapshot with attributes may appear at any moment. */
#ifndef FS_XATTR_H
#define FS_XATTR_H

#include "fs.h"

/* Does not change for the life of the mount. */
bool xattr_wanted(struct fs *fs);
/* The errno for an attribute that an entry lacks: ENODATA, or with -o xattr=auto EOPNOTSUPP as long as no snapshot has
 * attributes, since ls and others then ask for one file only. */
int xattr_lack(struct fs *fs, const char *name);
/* Fills in the attributes of an entry, see attr_fill. If the kernel is not told of lists of permissions, the mode
 * grants no more than the list does. */
void xattr_fill(struct fs *fs, const struct bt_entry *entry, uint64_t ino, struct stat *ret_stat);

#endif
