/* SPDX-License-Identifier: MIT */
/*
 * Descriptors of many store files within the process's limit: each is opened when it is used and kept, and the least
 * recently used one is closed when there are too many. A file that is opened again must be the same one. Thread-safe.
 */
#ifndef BT_STORE_FDS_H
#define BT_STORE_FDS_H

#include <backuptool/error.h>
#include <stdbool.h>
#include <sys/types.h>

struct bt_fds;
int bt_fds_new(unsigned limit, struct bt_fds **ret_fds); /* limit 0: a part of RLIMIT_NOFILE */
/* Descriptors that somebody else keeps, and that count, too. */
void bt_fds_count_others(struct bt_fds *fds, int change);
unsigned bt_fds_limit(const struct bt_fds *fds);
void bt_fds_free(struct bt_fds *fds); /* after all its descriptors; NULL is fine */
/* Opens for reading, closing others if need be: fd or -errno. The fd is not in the set. */
int bt_fds_open(struct bt_fds *fds, int dirfd, const char *path);

struct bt_fd;
/* Takes the fd over, also on failure. It stays open until bt_fd_share. */
int bt_fd_new(int fd, struct bt_fd **ret_fd);
void bt_fd_free(struct bt_fd *fd); /* NULL is fine */
/* From now on it may be closed when nobody uses it, and opened again as path in dirfd (both outlive it). */
int bt_fd_share(struct bt_fd *fd, struct bt_fds *fds, int dirfd, const char *path);
/* Its name is gone: it must stay open. False if it is not open. */
bool bt_fd_keep(struct bt_fd *fd);
/* Nobody will need it again: closed, when nobody uses it just now. */
void bt_fd_release(struct bt_fd *fd);
/* The descriptor, which stays open until bt_fd_put; or -errno, -ESTALE when another file has the name now. */
int bt_fd_get(struct bt_fd *fd);
void bt_fd_put(struct bt_fd *fd);

#endif
