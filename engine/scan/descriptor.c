/* SPDX-License-Identifier: MIT */
#include "base/io.h"
#include "scan/private.h"
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_MAX 256

int bt_scan_open_directory(const struct bt_scan *scan, int parent, const char *name, uint32_t uid)
{
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK;
	int noatime = scan->privileged || uid == scan->owner ? O_NOATIME : 0;
	int fd = bt_openat(parent, name, flags | noatime, 0);

	if (fd == -EPERM && noatime)
		fd = bt_openat(parent, name, flags, 0);
	return fd == -ELOOP ? -ENOTDIR : fd;
}

/* The descriptor of the directory that the parent saw, or a negative errno. */
static int descend(struct bt_ways *ways, int parent, struct bt_way *child)
{
	const struct bt_scan_private *node =
		(const struct bt_scan_private *)((char *)child - offsetof(struct bt_scan_private, way));
	const struct bt_scan *scan = (const struct bt_scan *)((char *)ways - offsetof(struct bt_scan, fds));
	const struct bt_found *self = &node->dir.self;
	int fd = bt_scan_open_directory(scan, parent, self->name, self->uid);
	struct stat stat;

	if (fd == -EMFILE || fd == -ENFILE) {
		bt_ways_spare(ways);
		fd = bt_scan_open_directory(scan, parent, self->name, self->uid);
	}
	if (fd < 0)
		return fd;
	if (fstat(fd, &stat) < 0) {
		int error = -errno;

		close(fd);
		return error;
	}
	if (stat.st_dev != self->dev || stat.st_ino != self->inode) {
		close(fd);
		return -ESTALE;
	}
	return fd;
}

void bt_scan_fds_init(struct bt_scan *scan)
{
	bt_ways_init(&scan->fds, OPEN_MAX, descend);
}

int bt_scan_fd_get(struct bt_scan *scan, struct bt_scan_dir *dir)
{
	return bt_ways_get(&scan->fds, &dir->private->way);
}

void bt_scan_fd_put(struct bt_scan *scan, struct bt_scan_dir *dir)
{
	bt_ways_put(&scan->fds, &dir->private->way);
}
