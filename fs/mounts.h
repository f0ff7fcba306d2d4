/* SPDX-License-Identifier: MIT */
/*
 * Mounts, as /proc/self/mountinfo shows them to this process. A mount is known by its device, so that it is found again
 * after it was moved, or after a directory above it got another name. Only mounts_is_dead asks the driver anything.
 */
#ifndef FS_MOUNTS_H
#define FS_MOUNTS_H

#include <stdbool.h>
#include <sys/types.h>

/* The device of what a path leads to. */
int mounts_device(const char *path, dev_t *ret_device);
/* Whether something is mounted at the path itself. */
bool mounts_has(const char *path);
/* Whether this is the device of a mounted store, and whose driver serves it. */
bool mounts_is_store(dev_t device, uid_t *ret_user);
/* Whether the driver of what is mounted there has ended. Waits for one that is just ending. */
bool mounts_is_dead(const char *path);

/* Unmounts a store's device wherever it is mounted and nothing lies on top of it; with dead_only only if its driver has
 * ended. False if a mount of it is left, or if nobody can tell. */
bool mounts_end(dev_t device, bool dead_only);

/* From now on the kernel follows no symbolic link below the mount at this path. */
int mounts_follow_no_links(const char *path);

#endif
