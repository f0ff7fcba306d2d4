/* SPDX-License-Identifier: MIT */
/*
 * Snapshots that were removed while the mount lives. What they need of the store's files is held for those who are
 * inside, and given back after them, so that the space that a prune frees is free.
 */
#ifndef FS_REMOVED_H
#define FS_REMOVED_H

#include "fs.h"

/* True when there is nothing left to give back. From the thread that follows the store: the kernel is told to forget
 * what nobody uses. */
bool removed_release(struct fs *fs);
/* The same as things are, without a word to the kernel. */
bool removed_release_unused(struct fs *fs);

#endif
