/* SPDX-License-Identifier: MIT */
/* Snapshots that were removed while they are mounted. The files of the store that they need are held for their users,
 * and let go afterwards, so that the space that a prune frees is free. */
#ifndef FS_REMOVED_H
#define FS_REMOVED_H

#include "fs.h"

/* Lets go of files. True when none are left. Only for the thread that follows the store: the kernel is told to forget
 * what is not used. */
bool removed_release(struct fs *fs);
/* The same, without telling the kernel. */
bool removed_release_unused(struct fs *fs);

#endif
