/* SPDX-License-Identifier: MIT */
/* Watches the store's directory, or if that is impossible looks at it once a second, and tells the kernel exactly what
 * changed in the root. A thread of its own does this. It holds no lock while it tells the kernel, which may have to
 * wait until a request is served. */
#ifndef FS_FOLLOW_H
#define FS_FOLLOW_H

#include "fs.h"

struct follow;
/* store: its path, which stays valid. */
int follow_start(struct fs *fs, const char *store, struct follow **ret_follow);
void follow_stop(struct follow *follow); /* NULL is fine */

#endif
