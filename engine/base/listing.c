/* SPDX-License-Identifier: MIT */
#include "base/listing.h"

#include "base/fail.h"
#include "base/io.h"
#include <errno.h>
#include <fcntl.h>

int bt_listing_begin(struct bt_listing *listing, int dirfd)
{
	int fd = dirfd < 0 ? dirfd : bt_openat(dirfd, ".", O_RDONLY | O_DIRECTORY, 0);

	*listing = (struct bt_listing){.result = fd < 0 ? fd : 0};
	if (fd < 0)
		return fd;
	listing->directory = fdopendir(fd);
	if (!listing->directory) {
		listing->result = -errno;
		bt_close(&fd);
	}
	return listing->result;
}

const char *bt_listing_next(struct bt_listing *listing)
{
	const struct dirent *entry;

	if (listing->result)
		return NULL;
	errno = 0;
	entry = readdir(listing->directory);
	if (!entry)
		listing->result = -errno;
	else if (++listing->listed > BT_LISTED_MAX)
		listing->result = -EOVERFLOW;
	return listing->result || !entry ? NULL : entry->d_name;
}

int bt_listing_end(struct bt_listing *listing)
{
	if (listing->directory)
		closedir(listing->directory);
	listing->directory = NULL;
	return listing->result;
}

int bt_listing_fail(struct bt_error *error, int result, const char *path)
{
	if (result != -EOVERFLOW)
		return bt_fail_sys(error, -result, path, "list");
	return bt_fail(
		error, BT_E_UNSUPPORTED, path,
		"more than 4,194,304 names are listed here, as in no directory of a store: is this the right one, "
		"and does its file system work?");
}
