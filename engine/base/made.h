/* SPDX-License-Identifier: MIT */
/*
 * New files and directories. They get the requested mode even if the umask removes bits of the user. If root makes them
 * in a directory of a store, they get the owner and group of that directory, so that the owner of the store can still
 * use it.
 */
#ifndef BT_BASE_MADE_H
#define BT_BASE_MADE_H

#include <stdbool.h>

void bt_made_mode(int fd, unsigned mode);
/* Does nothing on a file system where root may not change owners. */
void bt_made_owner(int fd, int dirfd);

/* Makes a directory with mode 0700 or 0777, owned as its parent if in_store. 0 or -errno, such as -EEXIST. */
int bt_make_directory(int dirfd, const char *name, unsigned mode, bool in_store);
/* Opens a directory of a store. If it is missing, it is made and the directory above is synced. fd or -errno. */
int bt_open_subdirectory(int dirfd, const char *name);

/* Whether a file belongs to the effective user or root and nobody else may change it, so that its contents can be
 * trusted. */
struct stat;
bool bt_is_own(const struct stat *status);

#endif
