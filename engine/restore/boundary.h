/* SPDX-License-Identifier: MIT */
/* Boundaries: directories where another file system begins, which is a mount point (also of the same file system, a
 * bind mount) or a btrfs subvolume. */
#ifndef BT_RESTORE_BOUNDARY_H
#define BT_RESTORE_BOUNDARY_H

#include "scan/mounts.h"
#include <stdbool.h>
#include <sys/types.h>

/* Whether name in dirfd ("": dirfd itself) is a boundary. above: the device of the directory that it is in. The file
 * system itself is not asked, and nothing is mounted, so that this also works for one that does not answer, or not to
 * this user. */
bool bt_is_boundary(int dirfd, const char *name, dev_t above);
/* Whether the boundary at name is a mount of snapshots (backupfs). The file system is not asked either. */
bool bt_is_snapshot_mount(struct bt_scan_mounts *mounts, int dirfd, const char *name);

#endif
