/* SPDX-License-Identifier: MIT */
#include "backend/directory_inside.h"
#include "base/bytes.h"
#include "base/fail.h"
#include "base/io.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

#define LIMIT_DEFAULT 256
#define LIMIT_MIN     8

struct bt_fds {
	pthread_mutex_t lock;
	unsigned limit, open;
	bool lasting;		      /* as in bt_stored_of */
	struct file *newest, *oldest; /* open */
};

struct file {
	struct bt_object object;
	struct bt_fds *fds; /* NULL: always open */
	int fd;
	unsigned users;
	bool kept;
	int dirfd;
	char *path;
	struct bt_stored stored; /* when it was first opened */
	struct file *newer, *older;
};

int bt_fds_new(unsigned limit, bool lasting, struct bt_fds **ret_fds)
{
	struct bt_fds *fds = calloc(1, sizeof(*fds));

	if (!fds)
		return BT_E_NOMEM;
	pthread_mutex_init(&fds->lock, NULL);
	fds->limit = limit ? limit : (unsigned)bt_share_of_descriptors(2, LIMIT_MIN, LIMIT_DEFAULT);
	fds->lasting = lasting;
	*ret_fds = fds;
	return 0;
}

unsigned bt_fds_limit(const struct bt_fds *fds)
{
	return fds->limit;
}

void bt_fds_free(struct bt_fds *fds)
{
	if (!fds)
		return;
	pthread_mutex_destroy(&fds->lock);
	free(fds);
}

static struct file *file_of(struct bt_object *object)
{
	return (struct file *)object;
}

static void list_remove(struct bt_fds *fds, struct file *file)
{
	*(file->newer ? &file->newer->older : &fds->newest) = file->older;
	*(file->older ? &file->older->newer : &fds->oldest) = file->newer;
	file->newer = file->older = NULL;
}

static void list_push(struct bt_fds *fds, struct file *file)
{
	file->older = fds->newest;
	file->newer = NULL;
	*(fds->newest ? &fds->newest->newer : &fds->oldest) = file;
	fds->newest = file;
}

static void add_open(struct bt_fds *fds, struct file *file, int fd)
{
	file->fd = fd;
	fds->open++;
	list_push(fds, file);
}

static void close_listed(struct bt_fds *fds, struct file *file)
{
	list_remove(fds, file);
	bt_close(&file->fd);
	fds->open--;
}

/* Closes the least recently used file that is not in use. */
static bool close_one(struct bt_fds *fds)
{
	for (struct file *file = fds->oldest; file; file = file->newer) {
		if (file->users || file->kept)
			continue;
		close_listed(fds, file);
		return true;
	}
	return false;
}

static int open_locked(struct bt_fds *fds, int dirfd, const char *path)
{
	while (fds->open >= fds->limit && close_one(fds))
		;
	for (;;) {
		int fd = bt_open_file(dirfd, path, O_RDONLY);

		if ((fd != -EMFILE && fd != -ENFILE) || !close_one(fds))
			return fd;
	}
}

/* File systems use inode numbers again, so the times have to be the same, too. */
static bool is_same(const struct bt_stored *a, const struct bt_stored *b)
{
	return a->size == b->size && bt_time_equal(&a->mtime, &b->mtime) && bt_stamp_same(&a->stamp, &b->stamp);
}

static int reopen(struct file *file)
{
	struct stat st;
	int fd = open_locked(file->fds, file->dirfd, file->path);

	if (fd < 0)
		return fd == -EMEDIUMTYPE ? -ESTALE : fd;
	struct bt_stored now = fstat(fd, &st) ? (struct bt_stored){0} : bt_stored_of(&st, file->fds->lasting);
	if (!is_same(&now, &file->stored)) {
		bt_close(&fd);
		return -ESTALE;
	}
	add_open(file->fds, file, fd);
	return fd;
}

/* The descriptor, which stays open until put, or -errno. */
static int get(struct file *file)
{
	struct bt_fds *fds = file->fds;

	if (!fds)
		return file->fd;
	pthread_mutex_lock(&fds->lock);
	int r = file->fd;
	if (r < 0) {
		r = reopen(file);
	} else if (fds->newest != file) {
		list_remove(fds, file);
		list_push(fds, file);
	}
	file->users += r >= 0;
	pthread_mutex_unlock(&fds->lock);
	return r;
}

static void put(struct file *file)
{
	if (!file->fds)
		return;
	pthread_mutex_lock(&file->fds->lock);
	file->users--;
	pthread_mutex_unlock(&file->fds->lock);
}

static ssize_t pread_file(struct bt_object *object, void *data, size_t length, uint64_t offset)
{
	int fd = get(file_of(object));

	if (fd < 0)
		return fd;
	ssize_t n = bt_pread_some(fd, data, length, offset);
	put(file_of(object));
	return n;
}

/* Only an open descriptor can tell which bytes are in memory. */
static ssize_t pread_file_at_once(struct bt_object *object, void *data, size_t length, uint64_t offset)
{
	struct iovec part = {.iov_base = data, .iov_len = length};
	int fd = get(file_of(object));

	if (fd < 0)
		return fd;
	ssize_t n = preadv2(fd, &part, 1, (off_t)offset, RWF_NOWAIT);
	n = n < 0 ? -errno : n;
	put(file_of(object));
	return n;
}

static bool keep_file(struct bt_object *object, bool keep)
{
	struct file *file = file_of(object);

	if (!file->fds)
		return keep;
	pthread_mutex_lock(&file->fds->lock);
	bool kept = keep && file->fd >= 0;
	file->kept = kept;
	pthread_mutex_unlock(&file->fds->lock);
	return kept;
}

static void release_file(struct bt_object *object)
{
	struct file *file = file_of(object);

	if (!file->fds)
		return;
	pthread_mutex_lock(&file->fds->lock);
	file->kept = false;
	if (file->fd >= 0 && !file->users)
		close_listed(file->fds, file);
	pthread_mutex_unlock(&file->fds->lock);
}

static int copy_fd(struct bt_object *object, int *ret_fd)
{
	int fd = get(file_of(object));

	if (fd < 0)
		return fd;
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0), r = copy < 0 ? -errno : 0;
	put(file_of(object));
	if (!r)
		*ret_fd = copy;
	return r;
}

static void close_file(struct bt_object *object)
{
	struct file *file = file_of(object);
	struct bt_fds *fds = file->fds;

	if (fds)
		pthread_mutex_lock(&fds->lock);
	if (fds && file->fd >= 0)
		close_listed(fds, file);
	if (fds)
		pthread_mutex_unlock(&fds->lock);
	bt_close(&file->fd);
	free(file->path);
	free(file);
}

static const struct bt_object_ops file_ops = {pread_file, pread_file_at_once, keep_file, release_file,
					      copy_fd,	  close_file};

static struct file *file_new(int fd, const char *path, const struct bt_stored *stored)
{
	struct file *file = calloc(1, sizeof(*file));

	if (!file)
		return NULL;
	file->stored = *stored;
	file->object = (struct bt_object){&file_ops, 1, file->stored.size};
	file->fd = fd;
	file->path = strdup(path);
	if (file->path)
		return file;
	free(file);
	return NULL;
}

/* Compares only mtime and size: on some file systems the inode numbers differ each time. */
static bool is_listed(const struct stat *status, const struct bt_stored *listed)
{
	return !listed ||
	       ((uint64_t)status->st_size == listed->size && status->st_mtim.tv_sec == listed->mtime.seconds &&
		(uint32_t)status->st_mtim.tv_nsec == listed->mtime.nanoseconds);
}

static int open_file(struct bt_fds *fds, int dirfd, const char *path, const struct bt_stored *listed,
		     struct file **ret_file)
{
	struct stat status;
	int fd = open_locked(fds, dirfd, path), r = 0;

	if (fd < 0)
		return fd;
	if (fstat(fd, &status))
		r = -errno;
	else if (!is_listed(&status, listed))
		r = -ESTALE;
	struct bt_stored stored = r ? (struct bt_stored){0} : bt_stored_of(&status, fds->lasting);
	struct file *file = r ? NULL : file_new(fd, path, &stored);
	if (!file) {
		bt_close(&fd);
		return r ? r : -ENOMEM;
	}
	file->dirfd = dirfd;
	file->fds = fds;
	add_open(fds, file, fd);
	*ret_file = file;
	return 0;
}

int bt_fds_open(struct bt_fds *fds, int dirfd, const char *path, const struct bt_stored *listed,
		struct bt_object **ret_object)
{
	struct file *file;

	pthread_mutex_lock(&fds->lock);
	int r = open_file(fds, dirfd, path, listed, &file);
	pthread_mutex_unlock(&fds->lock);
	if (!r)
		*ret_object = &file->object;
	return r;
}

int bt_object_of_fd(int fd, const char *name, struct bt_object **ret_object, struct bt_error *error)
{
	struct stat status;
	int r = fstat(fd, &status) ? bt_fail_sys(error, errno, name, "stat") : 0;

	if (!r && !S_ISREG(status.st_mode))
		r = bt_fail_damaged(error, BT_R_UNKNOWN_FORMAT, name, 0);
	struct bt_stored stored = r ? (struct bt_stored){0} : bt_stored_of(&status, true);
	struct file *file = r ? NULL : file_new(fd, name, &stored);
	if (!r && !file)
		r = bt_fail(error, BT_E_NOMEM, name, NULL);
	if (r)
		bt_close(&fd);
	else
		*ret_object = &file->object;
	return r;
}
