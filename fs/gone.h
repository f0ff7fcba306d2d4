/* SPDX-License-Identifier: MIT */
/*
 * Snapshots that were removed while the mount lives. What they need of the store's files is held for those who are
 * inside, and given back after them, so that the space that a prune frees is free.
 */
#ifndef FS_GONE_H
#define FS_GONE_H

#include "fs.h"

/* True when there is nothing left to give back. From a thread that serves no requests, without fs->lock. */
bool gone_release(struct fs *fs);

#endif
