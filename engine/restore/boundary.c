/* SPDX-License-Identifier: MIT */
#include "restore/boundary.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define LOOK (AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC)

bool bt_is_boundary(int dirfd, const char *name, dev_t above)
{
	struct statx status;

	if (statx(dirfd, name, LOOK, 0, &status))
		return false;
	if (status.stx_attributes & STATX_ATTR_MOUNT_ROOT)
		return true;
	/* In layered file systems only directories have the device of the whole. Without a mode, the file system keeps
	 * this user out, so it is mounted. */
	return (!status.stx_mode || S_ISDIR(status.stx_mode)) &&
	       makedev(status.stx_dev_major, status.stx_dev_minor) != above;
}

bool bt_is_snapshot_mount(struct bt_scan_mounts *mounts, int dirfd, const char *name)
{
	struct statx status;

	return statx(dirfd, name, LOOK, STATX_MNT_ID, &status) == 0 &&
	       bt_scan_is_ours(bt_scan_mounted(mounts, &status));
}
