/* SPDX-License-Identifier: MIT */
/* The two paths of a mount. */
#ifndef FS_PATHS_H
#define FS_PATHS_H

#include <stdbool.h>

/* Whether one of two real paths lies in the other, or both are the same. */
bool paths_overlap(const char *a, const char *b);

#endif
