/* SPDX-License-Identifier: MIT */
/*
 * Files and directories that were made a moment ago. They get the mode that was asked for also where the umask takes
 * the user's own bits away; and what root makes in a directory of a store belongs to the owner and the group of that
 * directory, so that the owner of the store can go on using it.
 */
#ifndef BT_BASE_MADE_H
#define BT_BASE_MADE_H

#include <stdbool.h>

void bt_made_mode(int fd, unsigned mode);
/* A file system where root may not give things away keeps it as it is. */
void bt_made_owner(int fd, int dirfd);

/* Makes a directory of mode (0700 or 0777), owned as its parent if in_store: 0 or -errno, as -EEXIST. */
int bt_make_directory(int dirfd, const char *name, unsigned mode, bool in_store);
/* A directory of a store; when it is missing it is made, with a durable name. fd or -errno. */
int bt_open_subdirectory(int dirfd, const char *name);

/* Belongs to the effective user or to root, and nobody else may change it: what it says can be believed as far as what
 * this user wrote. */
struct stat;
bool bt_is_own(const struct stat *status);

#endif
