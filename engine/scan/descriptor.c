/* SPDX-License-Identifier: MIT */
#include "base/io.h"
#include "scan/private.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_MAX_DEFAULT 256
#define OPEN_MIN	 16

/* A quarter of what the process may open: files, the store and the caller need some, too. */
void bt_scan_fds_init(struct bt_scan_fds *fds)
{
	struct rlimit limit;

	*fds = (struct bt_scan_fds){.limit = OPEN_MAX_DEFAULT};
	pthread_mutex_init(&fds->lock, NULL);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur / 4 < fds->limit)
		fds->limit = limit.rlim_cur / 4 < OPEN_MIN ? OPEN_MIN : (size_t)limit.rlim_cur / 4;
}

void bt_scan_fds_destroy(struct bt_scan_fds *fds)
{
	pthread_mutex_destroy(&fds->lock);
}

static void unlink_unpinned(struct bt_scan_fds *fds, struct bt_scan_private *node)
{
	*(node->newer != NULL ? &node->newer->older : &fds->newest) = node->older;
	*(node->older != NULL ? &node->older->newer : &fds->oldest) = node->newer;
	node->newer = node->older = NULL;
}

static void link_newest(struct bt_scan_fds *fds, struct bt_scan_private *node)
{
	node->older = fds->newest;
	*(fds->newest != NULL ? &fds->newest->newer : &fds->oldest) = node;
	fds->newest = node;
}

static void close_down_to(struct bt_scan_fds *fds, size_t count)
{
	while (fds->open > count && fds->oldest != NULL) {
		struct bt_scan_private *node = fds->oldest;

		unlink_unpinned(fds, node);
		bt_close(&node->fd);
		fds->open--;
	}
}

static void pin(struct bt_scan_fds *fds, struct bt_scan_private *node)
{
	if (node->pins++ == 0)
		unlink_unpinned(fds, node);
}

static void unpin(struct bt_scan_fds *fds, struct bt_scan_private *node)
{
	if (--node->pins > 0)
		return;
	link_newest(fds, node);
	close_down_to(fds, fds->limit);
}

/* With the lock held. Another thread may have been faster: then its descriptor is as good. */
static void set_and_pin(struct bt_scan_fds *fds, struct bt_scan_private *node, int fd)
{
	if (node->fd >= 0) {
		pin(fds, node);
		close(fd);
		return;
	}
	node->fd = fd;
	node->pins = 1;
	fds->open++;
}

void bt_scan_fds_set(struct bt_scan_fds *fds, struct bt_scan_private *node, int fd)
{
	pthread_mutex_lock(&fds->lock);
	set_and_pin(fds, node, fd);
	pthread_mutex_unlock(&fds->lock);
}

void bt_scan_fds_drop(struct bt_scan_fds *fds, struct bt_scan_private *node)
{
	pthread_mutex_lock(&fds->lock);
	if (node->fd >= 0) {
		if (node->pins == 0)
			unlink_unpinned(fds, node);
		node->pins = 0;
		bt_close(&node->fd);
		fds->open--;
	}
	pthread_mutex_unlock(&fds->lock);
}

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
static int open_child(struct bt_scan *scan, int parent, const struct bt_found *self)
{
	int fd = bt_scan_open_directory(scan, parent, self->name, self->uid);
	struct stat stat;

	if (fd == -EMFILE || fd == -ENFILE) {
		pthread_mutex_lock(&scan->fds.lock);
		close_down_to(&scan->fds, scan->fds.open / 2);
		pthread_mutex_unlock(&scan->fds.lock);
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

/* Opens child, whose parent is pinned, and moves the pin to it. Lock held; let go while opening. */
static int step_down(struct bt_scan *scan, struct bt_scan_private *parent, struct bt_scan_private *child)
{
	struct bt_scan_fds *fds = &scan->fds;
	int fd;

	pthread_mutex_unlock(&fds->lock);
	fd = open_child(scan, parent->fd, &child->dir.self);
	pthread_mutex_lock(&fds->lock);
	if (fd >= 0)
		set_and_pin(fds, child, fd);
	unpin(fds, parent);
	return fd < 0 ? fd : 0;
}

/*
 * Opens up to WAYPOINTS directories on the way from the nearest open ancestor to node, and pins the last of them. What
 * is opened on the way stays in the list, so that a reader on its way up out of a deep tree finds it there.
 */
static int approach(struct bt_scan *scan, struct bt_scan_private *node, struct bt_scan_private **ret_reached)
{
	enum { WAYPOINTS = 64 };
	struct bt_scan_private *way[WAYPOINTS], *at = node;
	size_t steps = 0;
	int result = 0;

	for (; at->fd < 0; at = at->dir.parent->private)
		way[steps++ % WAYPOINTS] = at;
	pin(&scan->fds, at);
	for (size_t i = 0; i < WAYPOINTS && steps > 0 && result == 0; i++) {
		struct bt_scan_private *next = way[--steps % WAYPOINTS];

		result = step_down(scan, at, next);
		at = next;
	}
	*ret_reached = at;
	return result;
}

int bt_scan_fd_get(struct bt_scan *scan, struct bt_scan_dir *dir)
{
	struct bt_scan_fds *fds = &scan->fds;
	struct bt_scan_private *node = dir->private, *reached;
	int result;

	pthread_mutex_lock(&fds->lock);
	for (;;) {
		result = approach(scan, node, &reached);
		if (result < 0 || reached == node)
			break;
		unpin(fds, reached);
	}
	if (result == 0)
		result = node->fd;
	pthread_mutex_unlock(&fds->lock);
	return result;
}

void bt_scan_fd_put(struct bt_scan *scan, struct bt_scan_dir *dir)
{
	pthread_mutex_lock(&scan->fds.lock);
	unpin(&scan->fds, dir->private);
	pthread_mutex_unlock(&scan->fds.lock);
}
