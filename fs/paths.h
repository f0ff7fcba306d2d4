/* SPDX-License-Identifier: MIT */
/* The two places of a mount. */
#ifndef FS_PATHS_H
#define FS_PATHS_H

#include <stdbool.h>

/* Whether one real path lies in the other or is the same. */
bool paths_overlap(const char *a, const char *b);

#endif
