/* SPDX-License-Identifier: MIT */
/* Mounts, as /proc/self/mountinfo shows them to this process. A mount is identified by its device, so that it is found
 * again after it was moved or a directory above it was renamed. Only mounts_is_dead asks the driver. */
#ifndef FS_MOUNTS_H
#define FS_MOUNTS_H

#include <stdbool.h>
#include <sys/types.h>

/* The device of the file that a path leads to. */
int mounts_device(const char *path, dev_t *ret_device);
/* Whether the path itself is a mount point. */
bool mounts_has(const char *path);
/* Whether the device is a mounted store; *ret_user runs its driver. */
bool mounts_is_store(dev_t device, uid_t *ret_user);
/* Whether the driver of the mount has ended. Waits for a driver that is just ending. */
bool mounts_is_dead(const char *path);

/* Unmounts a store's device wherever it is mounted and nothing is mounted over it; with dead_only only if its driver
 * has ended. False if a mount of it is left, or the list cannot be read. */
bool mounts_end(dev_t device, bool dead_only);

/* Makes the kernel follow no symbolic links below the mount at this path. */
int mounts_follow_no_links(const char *path);

#endif
