/* SPDX-License-Identifier: MIT */
/* Files of all kinds. */
#ifndef BT_TESTS_SNAPSHOT_KINDS_H
#define BT_TESTS_SNAPSHOT_KINDS_H

#include "snapshot_world.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

void put_sparse(struct world *world, const char *name);
void set_mtime(const char *path, int64_t seconds, long nanoseconds);
void put_all_kinds(struct world *world);

#endif
