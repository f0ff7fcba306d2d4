/* SPDX-License-Identifier: MIT */
/* A look at one entry, which stops at mount points that are not to be entered before it touches what is mounted. */
#include "scan/private.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define UNTOUCHED (AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC)

void bt_scan_born(struct bt_found *found, const struct statx *stat)
{
	found->born = stat->stx_btime.tv_sec;
	found->born_nanoseconds = stat->stx_btime.tv_nsec;
	/* Inodes that a tool made while the file system was not mounted may have 0 instead. */
	found->has_btime = (stat->stx_mask & STATX_BTIME) && (found->born || found->born_nanoseconds);
}

void bt_scan_fill(const struct bt_scan *scan, struct bt_found *found, const struct statx *stat)
{
	found->size = stat->stx_size;
	found->inode = stat->stx_ino;
	found->dev = makedev(stat->stx_dev_major, stat->stx_dev_minor);
	found->links = stat->stx_nlink;
	found->rdev = makedev(stat->stx_rdev_major, stat->stx_rdev_minor);
	found->mtime = (struct bt_time){stat->stx_mtime.tv_sec, stat->stx_mtime.tv_nsec};
	found->ctime = (struct bt_time){stat->stx_ctime.tv_sec, stat->stx_ctime.tv_nsec};
	found->mode = stat->stx_mode;
	found->uid = stat->stx_uid;
	found->gid = stat->stx_gid;
	found->nodump = stat->stx_attributes & STATX_ATTR_NODUMP;
	found->has_btime = false;
	if (scan->options.birth_times)
		bt_scan_born(found, stat);
}

/* The type of a boundary: subvolumes are file systems of their own within one mount. */
static const char *type_of(struct bt_scan *scan, const struct statx *status)
{
	const char *type = bt_scan_mounted(&scan->mounts, status);

	return strcmp(type, "btrfs") == 0 && !(status->stx_attributes & STATX_ATTR_MOUNT_ROOT) ? "btrfs-subvolume"
											       : type;
}

/* What a directory in dir is to the scan: the type of another file system that is not entered, else NULL. Mounted
 * snapshots are a copy of the store, of any number of earlier copies of the target. */
static const char *boundary_of(struct bt_scan *scan, const struct bt_scan_dir *dir, const struct statx *status)
{
	const uint64_t dev = makedev(status->stx_dev_major, status->stx_dev_minor);

	if (dev == scan->root_dev || dev == dir->self.dev)
		return NULL;
	const char *type = type_of(scan, status);
	return scan->options.one_file_system || bt_scan_is_ours(type) ? type : NULL;
}

/* Of what is mounted there only that is taken which the kernel knows without asking; if it has nothing, the directory
 * is the user's whose directory it lies in. */
static void fill_boundary(const struct bt_scan *scan, const struct bt_scan_dir *dir, int dirfd, uint64_t dev,
			  struct bt_found *found)
{
	struct statx status;

	if (statx(dirfd, found->name, UNTOUCHED, scan->statx_mask, &status) == 0 && (status.stx_mode & 07777) != 0) {
		bt_scan_fill(scan, found, &status);
		return;
	}
	found->mode = S_IFDIR | 0755;
	found->uid = dir->self.uid;
	found->gid = dir->self.gid;
	found->dev = dev;
}

/* Whether found is a mount point that is not entered: then all of it is filled. An empty mask is answered by the kernel
 * alone, also where what is mounted is dead, silent, or keeps this user out. */
static bool is_boundary(struct bt_scan *scan, const struct bt_scan_dir *dir, int dirfd, struct bt_found *found)
{
	struct statx status;

	if (statx(dirfd, found->name, UNTOUCHED, 0, &status) < 0)
		return false;
	if (status.stx_mode != 0 ? !S_ISDIR(status.stx_mode) : !(status.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return false;
	found->boundary = boundary_of(scan, dir, &status);
	if (!found->boundary)
		return false;
	fill_boundary(scan, dir, dirfd, makedev(status.stx_dev_major, status.stx_dev_minor), found);
	return true;
}

uint64_t bt_scan_size(int dirfd, const char *name)
{
	struct statx status;

	if (statx(dirfd, name, UNTOUCHED, STATX_TYPE | STATX_SIZE, &status) < 0 || !S_ISREG(status.stx_mode))
		return BT_SIZE_UNKNOWN;
	return status.stx_size;
}

static void look(struct bt_scan *scan, const struct bt_scan_dir *dir, int dirfd, struct bt_found *found)
{
	struct statx status;

	if (statx(dirfd, found->name, scan->statx_flags, scan->statx_mask, &status) < 0) {
		found->error = errno;
		/* Where mounting fails is a directory all the same. */
		if (errno != ENOENT ||
		    statx(dirfd, found->name, scan->statx_flags | AT_NO_AUTOMOUNT, scan->statx_mask, &status) < 0)
			return;
		found->error = S_ISDIR(status.stx_mode) ? ENOENT : 0;
	}
	bt_scan_fill(scan, found, &status);
	if (S_ISDIR(found->mode) && found->error == 0)
		found->boundary = boundary_of(scan, dir, &status);
}

void bt_scan_look(struct bt_scan *scan, const struct bt_scan_dir *dir, int dirfd, unsigned char type,
		  struct bt_found *found)
{
	bool directory = type == DT_DIR || type == DT_UNKNOWN;

	found->mode = DTTOIF(type);
	if (found->name_length > NAME_MAX) {
		found->error = ENAMETOOLONG;
		return;
	}
	if (directory && scan->asks_first && is_boundary(scan, dir, dirfd, found))
		return;
	look(scan, dir, dirfd, found);
	if (directory && found->error != 0 && !scan->asks_first && is_boundary(scan, dir, dirfd, found))
		found->error = 0;
}
