/* SPDX-License-Identifier: MIT */
/*
 * Follows the store with a watch on its directory, or where there can be none by looking at it once a second, and tells
 * the kernel exactly what changed in the root. This is a thread of its own, which holds no lock while it tells the
 * kernel: the answer may have to wait until a request is served.
 */
#ifndef FS_FOLLOW_H
#define FS_FOLLOW_H

#include "fs.h"

struct follow;
/* store: its path, which stays. */
int follow_start(struct fs *fs, const char *store, struct follow **ret_follow);
void follow_stop(struct follow *follow); /* NULL is fine */

#endif
