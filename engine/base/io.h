/* SPDX-License-Identifier: MIT */
/* Whole reads and writes on descriptors: short transfers and EINTR are continued. */
#ifndef BT_BASE_IO_H
#define BT_BASE_IO_H

#include <backuptool/error.h>
#include <sys/types.h>

int bt_write_all(int fd, const void *data, size_t length); /* 0 or -errno */
ssize_t bt_read_some(int fd, void *data, size_t length);   /* until length or end of file: bytes or -errno */
ssize_t bt_pread_some(int fd, void *data, size_t length, uint64_t offset);   /* likewise */
int bt_pwrite_all(int fd, const void *data, size_t length, uint64_t offset); /* 0 or -errno */
int bt_openat(int dirfd, const char *name, int flags, unsigned mode); /* O_CLOEXEC added, EINTR retried: fd or -errno */
/* Opens a regular file and nothing else: follows no link, waits for no pipe, opens no device. access is O_RDONLY or
 * O_RDWR. fd or -errno; -EMEDIUMTYPE if it is not a regular file. */
int bt_open_file(int dirfd, const char *name, int access);
/* A share of the descriptors that the process may have open: 1/parts of them, at least least and at most most. */
size_t bt_share_of_descriptors(unsigned parts, size_t least, size_t most);
void bt_close(int *fd); /* closes if >= 0, sets -1, keeps errno */

#endif
