/* SPDX-License-Identifier: MIT */
/* Where file systems are mounted. */
#ifndef TOOLS_MOUNT_POINT_H
#define TOOLS_MOUNT_POINT_H

/* The mount point of an absolute path, which need not be there yet, if what is mounted there can be pulled out: a disk
 * at USB or a card, or what the desktop mounts for a user. NULL: it cannot. Allocated. */
char *mount_point_removable(const char *path);

#endif
