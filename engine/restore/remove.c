/* SPDX-License-Identifier: MIT */
#include "base/io.h"
#include "restore/place.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Without O_PATH there is no way to a directory that even its owner may not read. */
static int permit(int dirfd, const char *name)
{
	char path[32];
	struct stat status;
	int result = -EACCES, fd = bt_openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return fd;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fstat(fd, &status) == 0 && status.st_uid == geteuid() && chmod(path, (status.st_mode & 07777) | 0700) == 0)
		result = 0;
	bt_close(&fd);
	return result;
}

int bt_open_directory(int dirfd, const char *name)
{
	int fd = bt_openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd == -EACCES && permit(dirfd, name) == 0)
		fd = bt_openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	return fd;
}

int bt_list_names(int fd, struct bt_buf *names)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	int result = 0;
	if (!dir) {
		result = -errno;
		bt_close(&copy);
		return result;
	}
	rewinddir(dir); /* the position is shared with fd */
	for (;;) {
		errno = 0;
		struct dirent *entry = readdir(dir);
		if (!entry)
			break;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (bt_buf_append(names, entry->d_name, strlen(entry->d_name) + 1)) {
			errno = ENOMEM;
			break;
		}
	}
	result = -errno;
	closedir(dir);
	return result;
}

/* A directory that is being emptied. Only the last one is open; the way back is "..", which must lead where it came
 * from. */
struct emptied {
	struct bt_buf names;
	size_t next; /* in names */
	dev_t dev;
	ino_t ino;
};

struct removal {
	const struct bt_guard *guard;
	struct emptied *levels;
	size_t depth, capacity;
	int fd;	    /* of the last level */
	int failed; /* the first failure */
};

static int note(struct removal *removal, int result)
{
	if (result && !removal->failed)
		removal->failed = result;
	return result;
}

static int add_level(struct removal *removal, int fd, const struct stat *status)
{
	if (removal->depth == removal->capacity) {
		size_t capacity = removal->capacity ? 2 * removal->capacity : 16;
		struct emptied *levels = reallocarray(removal->levels, capacity, sizeof(*levels));
		if (!levels)
			return -ENOMEM;
		removal->levels = levels;
		removal->capacity = capacity;
	}
	struct emptied *level = &removal->levels[removal->depth++];
	*level = (struct emptied){.dev = status->st_dev, .ino = status->st_ino};
	int result = bt_list_names(fd, &level->names);
	if (result)
		bt_buf_free(&removal->levels[--removal->depth].names);
	return result;
}

/* Goes down into the directory name of dirfd. */
static int enter(struct removal *removal, int dirfd, const char *name)
{
	struct stat above, status;
	int fd = bt_open_directory(dirfd, name);
	if (fd < 0)
		return fd;
	int result = fstat(dirfd, &above) || fstat(fd, &status) ? -errno : 0;
	if (!result && above.st_dev != status.st_dev)
		result = -EXDEV;
	if (!result && bt_guard_rank(removal->guard, &status))
		result = -EBUSY;
	if (!result && (status.st_mode & 0700) != 0700 && status.st_uid == geteuid())
		(void)!fchmod(fd, (status.st_mode & 07777) | 0700);
	if (!result)
		result = add_level(removal, fd, &status);
	if (result) {
		bt_close(&fd);
		return result;
	}
	if (removal->depth > 1)
		bt_close(&removal->fd);
	removal->fd = fd;
	return 0;
}

/* 0, or 1 if it is a directory with something in it, or -errno. */
static int remove_one(int dirfd, const char *name)
{
	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	int first = errno;
	if (first != EISDIR && first != EPERM)
		return -first;
	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno == ENOTEMPTY || errno == EEXIST)
		return 1;
	return errno == ENOTDIR ? -first : -errno;
}

/* Back to the directory above, where the emptied one is removed. */
static int leave(struct removal *removal, int dirfd, const char *name)
{
	struct stat status;
	bt_buf_free(&removal->levels[--removal->depth].names);
	if (!removal->depth) {
		bt_close(&removal->fd);
		int result = remove_one(dirfd, name);
		return note(removal, result > 0 ? -ENOTEMPTY : result);
	}
	struct emptied *level = &removal->levels[removal->depth - 1];
	int up = bt_openat(removal->fd, "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	bt_close(&removal->fd);
	removal->fd = up;
	if (up < 0)
		return up;
	if (fstat(up, &status) || status.st_dev != level->dev || status.st_ino != level->ino)
		return -ESTALE;
	const char *emptied = (const char *)level->names.data + level->next;
	level->next += strlen(emptied) + 1;
	int result = remove_one(up, emptied);
	note(removal, result > 0 ? -ENOTEMPTY : result);
	return 0;
}

static int remove_next(struct removal *removal)
{
	struct emptied *level = &removal->levels[removal->depth - 1];
	const char *name = (const char *)level->names.data + level->next;
	int result = remove_one(removal->fd, name);
	if (result > 0) {
		result = enter(removal, removal->fd, name);
		if (!result)
			return 0;
		level = &removal->levels[removal->depth - 1];
	}
	note(removal, result);
	level->next += strlen(name) + 1;
	return result == -ENOMEM ? result : 0;
}

int bt_remove_tree(int dirfd, const char *name, const struct bt_guard *guard)
{
	struct removal removal = {.guard = guard, .fd = -1};
	int result = remove_one(dirfd, name);
	if (result > 0)
		result = enter(&removal, dirfd, name);
	while (!result && removal.depth) {
		struct emptied *level = &removal.levels[removal.depth - 1];
		result = level->next < level->names.length ? remove_next(&removal) : leave(&removal, dirfd, name);
	}
	while (removal.depth)
		bt_buf_free(&removal.levels[--removal.depth].names);
	bt_close(&removal.fd);
	free(removal.levels);
	return removal.failed ? removal.failed : result;
}
