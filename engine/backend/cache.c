/* SPDX-License-Identifier: MIT */
/* Where what is derived from a store is kept. */
#include "backend/backend.h"
#include "base/io.h"
#include "base/made.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define CACHE_DIR "cache"

/* fd or -errno */
static int open_in(int dirfd, const char *name, bool make)
{
	int fd = bt_openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	return fd == -ENOENT && make ? bt_open_subdirectory(dirfd, name) : fd;
}

/* What others could have put there is of no use; nor is what this one would put where others can exchange it. */
int bt_cache_open(struct bt_backend *backend, const char *path)
{
	struct stat status;
	int top = bt_backend_local_fd(backend, BT_AREA_TOP), fd = -1;
	if (top >= 0)
		fd = open_in(top, CACHE_DIR, !bt_backend_read_only(backend));
	else if (path)
		fd = open_in(AT_FDCWD, path, true);
	if (fd >= 0 && (fstat(fd, &status) || !bt_is_own(&status)))
		bt_close(&fd);
	return fd < 0 ? -1 : fd;
}
