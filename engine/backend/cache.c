/* SPDX-License-Identifier: MIT */
/* The directory for data derived from a store. */
#include "backend/backend.h"
#include "base/io.h"
#include "base/made.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define CACHE_DIR "cache"

/* fd or -errno */
static int open_in_store(int top, bool make)
{
	int fd = bt_openat(top, CACHE_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

	return fd == -ENOENT && make ? bt_open_subdirectory(top, CACHE_DIR) : fd;
}

static int open_apart(const char *path, bool make)
{
	if (make)
		bt_make_directory(AT_FDCWD, path, 0700, false);
	return bt_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
}

/* A directory that others own or may write to is of no use: they could have made the files in it, or could replace
 * ours. */
int bt_cache_open(struct bt_backend *backend, const char *path)
{
	struct stat status;
	bool make = !bt_backend_read_only(backend);
	int top = bt_backend_local_fd(backend, BT_AREA_TOP), fd = -1;

	if (top >= 0)
		fd = open_in_store(top, make);
	else if (path)
		fd = open_apart(path, make);
	if (fd >= 0 && (fstat(fd, &status) || !bt_is_own(&status)))
		bt_close(&fd);
	return fd < 0 ? -1 : fd;
}
