/* SPDX-License-Identifier: MIT */
#include "base/made.h"

#include "base/io.h"
#include "base/publish.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

void bt_made_mode(int fd, unsigned mode)
{
	struct stat status;

	if (fstat(fd, &status) == 0 && (status.st_mode & mode) != mode)
		(void)!fchmod(fd, (status.st_mode & 07777) | mode);
}

void bt_made_owner(int fd, int dirfd)
{
	struct stat status, directory;

	if (geteuid() == 0 && fstat(dirfd, &directory) == 0 && directory.st_uid != 0 && fstat(fd, &status) == 0 &&
	    status.st_uid == 0)
		(void)!fchown(fd, directory.st_uid, directory.st_gid);
}

bool bt_is_own(const struct stat *status)
{
	return (status->st_uid == geteuid() || status->st_uid == 0) && !(status->st_mode & (S_IWGRP | S_IWOTH));
}

/* Without the right to read it, it can only be opened as a place. */
static void make_readable(int dirfd, const char *name)
{
	struct stat status;

	if (fstatat(dirfd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode) &&
	    status.st_uid == geteuid() && (status.st_mode & 0700) != 0700)
		(void)!fchmodat(dirfd, name, (status.st_mode & 07777) | 0700, AT_SYMLINK_NOFOLLOW);
}

int bt_make_directory(int dirfd, const char *name, unsigned mode, bool in_store)
{
	int fd;

	if (mkdirat(dirfd, name, mode))
		return -errno;
	make_readable(dirfd, name);
	fd = in_store ? bt_openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0) : -1;
	if (fd >= 0)
		bt_made_owner(fd, dirfd);
	bt_close(&fd);
	return 0;
}

int bt_open_subdirectory(int dirfd, const char *name)
{
	int r = bt_make_directory(dirfd, name, 0700, true);

	if (!r)
		r = bt_sync_directory(dirfd);
	if (r < 0 && r != -EEXIST)
		return r;
	return bt_openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
}
