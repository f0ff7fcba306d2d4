/* SPDX-License-Identifier: MIT */
#include "store/fds.h"
#include "base/io.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define LIMIT_DEFAULT 256
#define LIMIT_MIN     8

struct bt_fds {
	pthread_mutex_t lock;
	unsigned limit, open;
	int others;
	struct bt_fd *newest, *oldest; /* open and shared */
};

struct bt_fd {
	struct bt_fds *fds; /* NULL: always open */
	int fd;
	unsigned users;
	bool keep;
	int dirfd;
	char *path;
	struct stat st; /* as it was first opened */
	struct bt_fd *newer, *older;
};

/* Half of what the process may have: the rest is for its other business. */
static unsigned limit_default(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur / 2 > LIMIT_DEFAULT)
		return LIMIT_DEFAULT;
	return limit.rlim_cur / 2 < LIMIT_MIN ? LIMIT_MIN : (unsigned)(limit.rlim_cur / 2);
}

int bt_fds_new(unsigned limit, struct bt_fds **ret_fds)
{
	struct bt_fds *fds = calloc(1, sizeof(*fds));
	if (!fds)
		return BT_E_NOMEM;
	pthread_mutex_init(&fds->lock, NULL);
	fds->limit = limit ? limit : limit_default();
	*ret_fds = fds;
	return 0;
}

unsigned bt_fds_limit(const struct bt_fds *fds)
{
	return fds->limit;
}

void bt_fds_count_others(struct bt_fds *fds, int change)
{
	pthread_mutex_lock(&fds->lock);
	fds->others += change;
	pthread_mutex_unlock(&fds->lock);
}

void bt_fds_free(struct bt_fds *fds)
{
	if (!fds)
		return;
	pthread_mutex_destroy(&fds->lock);
	free(fds);
}

static void list_remove(struct bt_fds *fds, struct bt_fd *fd)
{
	*(fd->newer ? &fd->newer->older : &fds->newest) = fd->older;
	*(fd->older ? &fd->older->newer : &fds->oldest) = fd->newer;
	fd->newer = fd->older = NULL;
}

static void list_push(struct bt_fds *fds, struct bt_fd *fd)
{
	fd->older = fds->newest;
	fd->newer = NULL;
	*(fds->newest ? &fds->newest->newer : &fds->oldest) = fd;
	fds->newest = fd;
}

static void close_listed(struct bt_fds *fds, struct bt_fd *fd)
{
	list_remove(fds, fd);
	bt_close(&fd->fd);
	fds->open--;
}

/* Closes the least recently used one that nobody needs now. */
static bool close_one(struct bt_fds *fds)
{
	for (struct bt_fd *fd = fds->oldest; fd; fd = fd->newer) {
		if (fd->users || fd->keep)
			continue;
		close_listed(fds, fd);
		return true;
	}
	return false;
}

static int open_locked(struct bt_fds *fds, int dirfd, const char *path)
{
	while ((int64_t)fds->open + fds->others >= fds->limit && close_one(fds))
		;
	for (;;) {
		int fd = bt_open_file(dirfd, path, O_RDONLY);
		if ((fd != -EMFILE && fd != -ENFILE) || !close_one(fds))
			return fd;
	}
}

int bt_fds_open(struct bt_fds *fds, int dirfd, const char *path)
{
	pthread_mutex_lock(&fds->lock);
	int fd = open_locked(fds, dirfd, path);
	pthread_mutex_unlock(&fds->lock);
	return fd;
}

int bt_fd_new(int fd, struct bt_fd **ret_fd)
{
	struct bt_fd *handle = calloc(1, sizeof(*handle));
	if (!handle) {
		bt_close(&fd);
		return BT_E_NOMEM;
	}
	handle->fd = fd;
	*ret_fd = handle;
	return 0;
}

void bt_fd_free(struct bt_fd *fd)
{
	if (!fd)
		return;
	struct bt_fds *fds = fd->fds;
	if (fds)
		pthread_mutex_lock(&fds->lock);
	if (fds && fd->fd >= 0) {
		list_remove(fds, fd);
		fds->open--;
	}
	if (fds)
		pthread_mutex_unlock(&fds->lock);
	bt_close(&fd->fd);
	free(fd->path);
	free(fd);
}

int bt_fd_share(struct bt_fd *fd, struct bt_fds *fds, int dirfd, const char *path)
{
	if (fstat(fd->fd, &fd->st))
		return BT_E_SYSTEM;
	fd->path = strdup(path);
	if (!fd->path)
		return BT_E_NOMEM;
	fd->dirfd = dirfd;
	fd->fds = fds;
	pthread_mutex_lock(&fds->lock);
	list_push(fds, fd);
	fds->open++;
	pthread_mutex_unlock(&fds->lock);
	return 0;
}

bool bt_fd_keep(struct bt_fd *fd)
{
	if (!fd->fds)
		return true;
	pthread_mutex_lock(&fd->fds->lock);
	bool open = fd->fd >= 0;
	fd->keep = open;
	pthread_mutex_unlock(&fd->fds->lock);
	return open;
}

void bt_fd_release(struct bt_fd *fd)
{
	struct bt_fds *fds = fd->fds;
	if (!fds)
		return;
	pthread_mutex_lock(&fds->lock);
	fd->keep = false;
	if (fd->fd >= 0 && !fd->users)
		close_listed(fds, fd);
	pthread_mutex_unlock(&fds->lock);
}

/* Numbers of files are used again, so that their times have to be the same, too. */
static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int reopen(struct bt_fd *handle)
{
	struct stat st;
	int fd = open_locked(handle->fds, handle->dirfd, handle->path);
	if (fd < 0)
		return fd == -EMEDIUMTYPE ? -ESTALE : fd;
	if (fstat(fd, &st) || !is_same(&st, &handle->st)) {
		bt_close(&fd);
		return -ESTALE;
	}
	handle->fd = fd;
	handle->fds->open++;
	list_push(handle->fds, handle);
	return fd;
}

int bt_fd_get(struct bt_fd *fd)
{
	struct bt_fds *fds = fd->fds;
	if (!fds)
		return fd->fd;
	pthread_mutex_lock(&fds->lock);
	int r = fd->fd;
	if (r < 0) {
		r = reopen(fd);
	} else if (fds->newest != fd) {
		list_remove(fds, fd);
		list_push(fds, fd);
	}
	if (r >= 0)
		fd->users++;
	pthread_mutex_unlock(&fds->lock);
	return r;
}

void bt_fd_put(struct bt_fd *fd)
{
	if (!fd->fds)
		return;
	pthread_mutex_lock(&fd->fds->lock);
	fd->users--;
	pthread_mutex_unlock(&fd->fds->lock);
}
