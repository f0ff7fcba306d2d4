/* SPDX-License-Identifier: MIT */
/*
 * Follows the store: a watch on its directory (or a look at it once a second where none can be had), and word to the
 * kernel of exactly what changed in the root. A thread of its own, which holds no lock while it tells the kernel: the
 * answer may have to wait until a request is served.
 */
#ifndef FS_FOLLOW_H
#define FS_FOLLOW_H

#include "fs.h"

struct follow;
/* store: its path, which stays. */
int follow_start(struct fs *fs, const char *store, struct follow **ret_follow); /* 0 or an errno */
void follow_stop(struct follow *follow);					/* NULL is fine */

#endif
