/* SPDX-License-Identifier: MIT */
#ifndef INTERNAL_WATCH_H
#define INTERNAL_WATCH_H

#include <stdbool.h>

/* Whether an open directory is on a file system that does not report every change, so that it has to be read. */
bool bt_watch_foreign(int directory);

#endif
