/* SPDX-License-Identifier: MIT */
/* Where another file system begins: a mount point, also of the same file system (a bind mount), or a btrfs subvolume.
 */
#ifndef BT_RESTORE_BOUNDARY_H
#define BT_RESTORE_BOUNDARY_H

#include "scan/mounts.h"
#include <stdbool.h>
#include <sys/types.h>

/* Whether name in dirfd ("": that itself) is one; above: the device that it is in. Asks the file system itself nothing,
 * nor mounts anything, so that one that does not answer, or not this user, is known as well. */
bool bt_is_boundary(int dirfd, const char *name, dev_t above);
/* Whether such a name is a mount of snapshots (backupfs). Asks as little. */
bool bt_is_snapshot_mount(struct bt_scan_mounts *mounts, int dirfd, const char *name);

#endif
