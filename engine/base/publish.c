/* SPDX-License-Identifier: MIT */
#include "base/publish.h"

#include "base/bytes.h"
#include "base/fail.h"
#include "base/io.h"
#include "base/listing.h"
#include "base/lock.h"
#include "base/made.h"
#include "base/random.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TEMP_PREFIX ".tmp-"
enum { TEMP_RANDOM = 8, TEMP_ATTEMPTS = 100, STALE_SECONDS = 24 * 3600, COPY_BUFFER = 1 << 20 };

static int make_temp_name(char name[32])
{
	memcpy(name, TEMP_PREFIX, strlen(TEMP_PREFIX));
	name[strlen(TEMP_PREFIX) + 2 * TEMP_RANDOM] = 0;
	return bt_random_hex(name + strlen(TEMP_PREFIX), TEMP_RANDOM);
}

/* Without /proc an unnamed file could never get a name: found out here, and not after everything is written. */
static bool can_be_named(int fd, char path[32])
{
	snprintf(path, 32, "/proc/self/fd/%d", fd);
	return access(path, F_OK) == 0;
}

int bt_publish_temp_name(char name[32], struct bt_error *error)
{
	int r = make_temp_name(name);

	return r < 0 ? bt_fail_sys(error, -r, NULL, "get random bytes") : 0;
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

int bt_publish_failed(const char *temp, int sys, const char *name, const char *what, struct bt_error *error)
{
	if (*temp && (sys == ENOENT || sys == ESTALE))
		return bt_fail_lost(error, temp,
				    "another program or host removed this temporary file while it was "
				    "written; nothing more was changed");
	return bt_fail_sys(error, sys, name, what);
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
	bt_made_mode(fd, 0600);
	*publish = (struct bt_publish){.fd = fd, .dirfd = dirfd};
	memcpy(publish->temp, temp, sizeof(temp));
	return 0;
}

int bt_publish_begin(struct bt_publish *publish, int dirfd, struct bt_error *error)
{
	int fd = open_unnamed(dirfd);

	if (fd < 0)
		return bt_publish_begin_named(publish, dirfd, error);
	bt_made_mode(fd, 0600);
	*publish = (struct bt_publish){.fd = fd, .dirfd = dirfd};
	return 0;
}

int bt_publish_begin_in_store(struct bt_publish *publish, int dirfd, struct bt_error *error)
{
	int r = bt_publish_begin(publish, dirfd, error);

	if (!r)
		bt_made_owner(publish->fd, dirfd);
	return r;
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

/* This file cannot have another name, as on FAT; rclone and its kin say EIO. A disk that fails does so again at what is
 * done in place of it. */
static bool has_no_links(int sys)
{
	return sys == EPERM || sys == EOPNOTSUPP || sys == ENOSYS || sys == EMLINK || sys == EIO;
}

/* The claim has the name of a temporary file, so that one that was left by a killed program goes as they do. */
static int rename_claimed(int from_dirfd, const char *from, int to_dirfd, const char *to)
{
	unsigned char bytes[TEMP_RANDOM];
	uint64_t number = bt_hash_bytes(to, strlen(to), 0);
	char claim[32] = TEMP_PREFIX;
	struct stat status;
	int r;

	memcpy(bytes, &number, sizeof(bytes));
	bt_hex_encode(claim + strlen(TEMP_PREFIX), bytes, sizeof(bytes));
	int fd = bt_openat(to_dirfd, claim, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fd;
	bt_lock_mark(fd);
	if (fstatat(to_dirfd, to, &status, AT_SYMLINK_NOFOLLOW) == 0)
		r = -EEXIST;
	else if (errno != ENOENT)
		r = -errno;
	else
		r = renameat(from_dirfd, from, to_dirfd, to) ? -errno : 0;
	unlinkat(to_dirfd, claim, 0);
	bt_close(&fd);
	return r;
}

/* The file has both names: in the end it has one of them. */
static int unlink_first(int from_dirfd, const char *from, int to_dirfd, const char *to)
{
	if (unlinkat(from_dirfd, from, 0) == 0 || errno == ENOENT)
		return 0;
	int r = -errno;
	unlinkat(to_dirfd, to, 0);
	return r;
}

int bt_rename_new(int from_dirfd, const char *from, int to_dirfd, const char *to)
{
	if (renameat2(from_dirfd, from, to_dirfd, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
		return -errno;
	if (linkat(from_dirfd, from, to_dirfd, to, 0) == 0)
		return unlink_first(from_dirfd, from, to_dirfd, to);
	return has_no_links(errno) ? rename_claimed(from_dirfd, from, to_dirfd, to) : -errno;
}

int bt_sync_directory(int dirfd)
{
	int r = sync_fd(dirfd);

	return r == -EINVAL || r == -EOPNOTSUPP || r == -ENOSYS ? 0 : r;
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

/* An unnamed file gets its name by a link and by nothing else; what it has goes on with a name. */
static int copy_to_named(struct bt_publish *publish)
{
	struct bt_publish named;
	struct bt_error error = {0};
	struct stat status;
	int r = bt_publish_begin_named(&named, publish->dirfd, &error) ? -(error.sys ? error.sys : ENOMEM) : 0;

	if (r < 0)
		return r;
	if (fstat(publish->fd, &status) == 0 && status.st_uid != geteuid())
		bt_made_owner(named.fd, publish->dirfd);
	r = lseek(publish->fd, 0, SEEK_SET) < 0 ? -errno : copy_all(publish->fd, named.fd);
	if (!r)
		r = sync_fd(named.fd);
	if (r < 0) {
		bt_publish_abort(&named);
		return r;
	}
	bt_close(&publish->fd);
	*publish = named;
	return 0;
}

/* 0 or -errno; the file is synced and then has the name. */
static int give_name(struct bt_publish *publish, const char *name)
{
	int r = sync_fd(publish->fd);

	if (!r && !publish->temp[0]) {
		r = link_unnamed(publish, name);
		if (!r || !has_no_links(-r))
			return r;
		r = copy_to_named(publish);
	}
	return r < 0 ? r : bt_rename_new(publish->dirfd, publish->temp, publish->dirfd, name);
}

int bt_publish_commit(struct bt_publish *publish, const char *name, struct bt_error *error)
{
	int r = give_name(publish, name);

	if (r == -EEXIST)
		return bt_fail(error, BT_E_EXISTS, name, NULL);
	if (r < 0)
		return bt_publish_failed(publish->temp, -r, name, "write", error);
	publish->temp[0] = 0;
	r = bt_sync_directory(publish->dirfd);
	if (r < 0) {
		unlinkat(publish->dirfd, name, 0);
		return bt_fail_sys(error, -r, name, "sync the directory");
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
		if (!r)
			r = link_unnamed(publish, temp);
	}
	if (!r)
		memcpy(publish->temp, temp, sizeof(temp));
	return r;
}

int bt_publish_replace(struct bt_publish *publish, const char *name, struct bt_error *error)
{
	int r = publish->temp[0] ? 0 : name_temporarily(publish);

	if (r < 0)
		return bt_fail_sys(error, -r, name, "make the link");
	if (renameat(publish->dirfd, publish->temp, publish->dirfd, name) < 0)
		return bt_fail_sys(error, errno, name, "rename the file");
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

static int copy(int from, int dirfd, const char *name, struct bt_error *error)
{
	struct bt_publish publish;
	int r = bt_publish_begin_in_store(&publish, dirfd, error);

	if (r)
		return r;
	r = copy_all(from, publish.fd);
	r = r < 0 ? bt_fail_sys(error, -r, name, "copy the file") : bt_publish_commit(&publish, name, error);
	bt_publish_abort(&publish);
	return r;
}

int bt_publish_twin(int dirfd, const char *name, int twin_dirfd, const char *twin, struct bt_error *error)
{
	if (linkat(dirfd, name, twin_dirfd, twin, 0) == 0)
		return 0;
	if (errno == EEXIST)
		return bt_fail(error, BT_E_EXISTS, twin, NULL);
	if (!has_no_links(errno))
		return bt_fail_sys(error, errno, name, "make the link");
	int fd = bt_open_file(dirfd, name, O_RDONLY);
	if (fd < 0)
		return bt_fail_open(error, -fd, dirfd, name);
	int r = copy(fd, twin_dirfd, twin, error);
	bt_close(&fd);
	return r;
}

static bool is_temp_name(const char *name)
{
	unsigned char random[TEMP_RANDOM];
	size_t prefix = strlen(TEMP_PREFIX);

	if (!strcmp(name, ".tmp-retagged") || !strcmp(name, ".tmp-repaired")) /* of version 0.1.0 */
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
	struct bt_listing listing;

	bt_listing_begin(&listing, dirfd);
	for (const char *name; (name = bt_listing_next(&listing));) {
		if (is_temp_name(name) && is_older(dirfd, name, alone ? 0 : STALE_SECONDS))
			remove_left(dirfd, name);
	}
	bt_listing_end(&listing);
}
