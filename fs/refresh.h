/* SPDX-License-Identifier: MIT */
/*
 * Follows the store: a watch on its directory (or a look at it once a second where none can be had), and word to the
 * kernel of exactly what changed in the root. A thread of its own, since the kernel may hold back its answer until a
 * request is served.
 */
#ifndef FS_REFRESH_H
#define FS_REFRESH_H

#include "fs.h"

struct refresh;
/* store: its path, which stays. */
int refresh_start(struct fs *fs, const char *store, struct refresh **ret_refresh); /* 0 or an errno */
void refresh_stop(struct refresh *refresh);					   /* NULL is fine */

#endif
