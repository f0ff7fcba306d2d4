/* SPDX-License-Identifier: MIT */
#include "base/publish.h"

#include "base/bytes.h"
#include "base/fail.h"
#include "base/io.h"
#include "base/lock.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TEMP_PREFIX ".tmp-"
enum { TEMP_RANDOM = 8, TEMP_ATTEMPTS = 100, STALE_SECONDS = 24 * 3600, COPY_BUFFER = 1 << 20 };

static int make_temp_name(char name[32])
{
	unsigned char random[TEMP_RANDOM];
	ssize_t n;

	do {
		n = getrandom(random, sizeof(random), 0);
	} while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(random))
		return n < 0 ? -errno : -EIO;
	memcpy(name, TEMP_PREFIX, strlen(TEMP_PREFIX));
	bt_hex_encode(name + strlen(TEMP_PREFIX), random, sizeof(random));
	name[strlen(TEMP_PREFIX) + 2 * sizeof(random)] = 0;
	return 0;
}

/* Without /proc an unnamed file could never get a name: found out here, and not after everything is written. */
static bool can_be_named(int fd, char path[32])
{
	snprintf(path, 32, "/proc/self/fd/%d", fd);
	return access(path, F_OK) == 0;
}

/* File systems and kernels without O_TMPFILE say so in various ways; a file system that refuses for another reason
 * refuses a named file, too. */
static int open_unnamed(int dirfd)
{
	char path[32];
	int fd = bt_openat(dirfd, ".", O_TMPFILE | O_RDWR, 0600);

	if (fd >= 0 && !can_be_named(fd, path))
		bt_close(&fd);
	return fd;
}

int bt_publish_begin_named(struct bt_publish *publish, int dirfd, struct bt_error *error)
{
	int fd = -EEXIST;
	char temp[32];

	for (int attempt = 0; fd == -EEXIST && attempt < TEMP_ATTEMPTS; attempt++) {
		int r = make_temp_name(temp);
		fd = r < 0 ? r : bt_openat(dirfd, temp, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW, 0600);
	}
	if (fd < 0)
		return bt_fail_sys_in(error, -fd, dirfd, NULL, "create a temporary file");
	bt_lock_mark(fd); /* where it cannot be marked, none is swept */
	*publish = (struct bt_publish){.fd = fd, .dirfd = dirfd};
	memcpy(publish->temp, temp, sizeof(temp));
	return 0;
}

int bt_publish_begin(struct bt_publish *publish, int dirfd, struct bt_error *error)
{
	int fd = open_unnamed(dirfd);

	if (fd < 0)
		return bt_publish_begin_named(publish, dirfd, error);
	*publish = (struct bt_publish){.fd = fd, .dirfd = dirfd};
	return 0;
}

static int sync_fd(int fd)
{
	int r;

	do {
		r = fsync(fd);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

static int link_unnamed(const struct bt_publish *publish, const char *name)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", publish->fd);
	return linkat(AT_FDCWD, path, publish->dirfd, name, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

/* Where renameat2 cannot refuse to replace, link can; the second name goes after the first is safe. */
int bt_publish_link_named(const struct bt_publish *publish, const char *name)
{
	if (linkat(publish->dirfd, publish->temp, publish->dirfd, name, 0) < 0)
		return -errno;
	unlinkat(publish->dirfd, publish->temp, 0);
	return 0;
}

static int rename_named(const struct bt_publish *publish, const char *name)
{
	if (renameat2(publish->dirfd, publish->temp, publish->dirfd, name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	return bt_publish_link_named(publish, name);
}

/* Some network file systems cannot sync a directory and do it with every call. */
static int sync_directory(int dirfd)
{
	int r = sync_fd(dirfd);

	return r == -EINVAL || r == -EOPNOTSUPP ? 0 : r;
}

int bt_publish_commit(struct bt_publish *publish, const char *name, struct bt_error *error)
{
	int r = sync_fd(publish->fd);

	if (r < 0)
		return bt_fail_sys(error, -r, name, "fsync");
	r = publish->temp[0] ? rename_named(publish, name) : link_unnamed(publish, name);
	if (r == -EEXIST)
		return bt_fail(error, BT_E_EXISTS, name, NULL);
	if (r < 0)
		return bt_fail_sys(error, -r, name, "link");
	publish->temp[0] = 0;
	r = sync_directory(publish->dirfd);
	if (r < 0) {
		unlinkat(publish->dirfd, name, 0);
		return bt_fail_sys(error, -r, name, "fsync of the directory");
	}
	return 0;
}

/* Only a rename replaces, so an unnamed file gets a temporary name first. */
static int name_temporarily(struct bt_publish *publish)
{
	char temp[32];
	int r = -EEXIST;

	for (int attempt = 0; r == -EEXIST && attempt < TEMP_ATTEMPTS; attempt++) {
		r = make_temp_name(temp);
		if (r == 0)
			r = link_unnamed(publish, temp);
	}
	if (r == 0)
		memcpy(publish->temp, temp, sizeof(temp));
	return r;
}

int bt_publish_replace(struct bt_publish *publish, const char *name, struct bt_error *error)
{
	int r = publish->temp[0] ? 0 : name_temporarily(publish);

	if (r < 0)
		return bt_fail_sys(error, -r, name, "link");
	if (renameat(publish->dirfd, publish->temp, publish->dirfd, name) < 0)
		return bt_fail_sys(error, errno, name, "rename");
	publish->temp[0] = 0;
	return 0;
}

void bt_publish_abort(struct bt_publish *publish)
{
	if (publish->temp[0])
		unlinkat(publish->dirfd, publish->temp, 0);
	publish->temp[0] = 0;
	bt_close(&publish->fd);
}

static int copy_all(int from, int to)
{
	unsigned char *buffer = malloc(COPY_BUFFER);
	ssize_t n = buffer ? 1 : -ENOMEM;

	while (n > 0) {
		n = bt_read_some(from, buffer, COPY_BUFFER);
		int r = n > 0 ? bt_write_all(to, buffer, (size_t)n) : 0;
		n = r < 0 ? r : n;
	}
	free(buffer);
	return (int)n;
}

static int copy(int from, int dirfd, const char *name, struct bt_error *error)
{
	struct bt_publish publish;
	int result = bt_publish_begin(&publish, dirfd, error), r;

	if (result)
		return result;
	r = copy_all(from, publish.fd);
	result = r < 0 ? bt_fail_sys(error, -r, name, "copy") : bt_publish_commit(&publish, name, error);
	bt_publish_abort(&publish);
	return result;
}

static bool may_copy(int sys)
{
	return sys == EPERM || sys == EOPNOTSUPP || sys == ENOSYS || sys == EMLINK;
}

int bt_publish_twin(int dirfd, const char *name, int twin_dirfd, const char *twin, struct bt_error *error)
{
	if (linkat(dirfd, name, twin_dirfd, twin, 0) == 0)
		return 0;
	if (errno == EEXIST)
		return bt_fail(error, BT_E_EXISTS, twin, NULL);
	if (!may_copy(errno))
		return bt_fail_sys(error, errno, name, "link");
	int fd = bt_openat(dirfd, name, O_RDONLY | O_NOFOLLOW, 0);
	if (fd < 0)
		return bt_fail_sys(error, -fd, name, "open");
	int result = copy(fd, twin_dirfd, twin, error);
	bt_close(&fd);
	return result;
}

static bool is_temp_name(const char *name)
{
	unsigned char random[TEMP_RANDOM];
	size_t prefix = strlen(TEMP_PREFIX);

	if (!strcmp(name, BT_TEMP_RETAGGED) || !strcmp(name, BT_TEMP_REPAIRED))
		return true;
	return strncmp(name, TEMP_PREFIX, prefix) == 0 && strlen(name) == prefix + 2 * sizeof(random) &&
	       bt_hex_decode(random, sizeof(random), name + prefix);
}

static bool is_older(int dirfd, const char *name, int64_t seconds)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	       (!seconds || st.st_mtime < time(NULL) - seconds);
}

static void remove_left(int dirfd, const char *name)
{
	int fd = bt_openat(dirfd, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);

	if (fd >= 0 && bt_lock_mark(fd) == 0)
		unlinkat(dirfd, name, 0);
	bt_close(&fd);
}

void bt_publish_sweep(int dirfd, bool alone)
{
	int fd = bt_openat(dirfd, ".", O_RDONLY | O_DIRECTORY, 0);
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;

	if (!directory) {
		bt_close(&fd);
		return;
	}
	for (struct dirent *entry; (entry = readdir(directory));) {
		if (is_temp_name(entry->d_name) && is_older(dirfd, entry->d_name, alone ? 0 : STALE_SECONDS))
			remove_left(dirfd, entry->d_name);
	}
	closedir(directory);
}
