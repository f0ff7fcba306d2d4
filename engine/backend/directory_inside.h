/* SPDX-License-Identifier: MIT */
/*
 * Files of a directory that are open for reading, within the limit of the process. Each is opened when it is used, and
 * stays open; if there are too many, the least recently used one is closed. A file that is opened again must be the
 * same one. Thread-safe.
 */
#ifndef BT_BACKEND_DIRECTORY_INSIDE_H
#define BT_BACKEND_DIRECTORY_INSIDE_H

#include "backend/ops.h"

struct stat;

struct bt_fds;
/* limit 0: a part of RLIMIT_NOFILE. lasting: as in bt_stored_of. */
int bt_fds_new(unsigned limit, bool lasting, struct bt_fds **ret_fds);
unsigned bt_fds_limit(const struct bt_fds *fds);
void bt_fds_free(struct bt_fds *fds); /* after all its files; NULL is fine */
/* Opens path in dirfd, which must outlive the object. 0 or -errno; -ESTALE: it is not the file that was listed. */
int bt_fds_open(struct bt_fds *fds, int dirfd, const char *path, const struct bt_stored *listed,
		struct bt_object **ret_object);

/* Sets all members except trusted. lasting: the file system never gives another inode number to the same file. */
struct bt_stored bt_stored_of(const struct stat *status, bool lasting);

#endif
