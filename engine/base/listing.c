/* SPDX-License-Identifier: MIT */
#include "base/listing.h"

#include "base/fail.h"
#include "base/io.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>

static int begin_list(struct bt_listing *listing, int fd, uint64_t names, size_t bytes)
{
	*listing = (struct bt_listing){.names_left = names, .bytes_left = bytes, .result = fd < 0 ? fd : 0};
	if (fd < 0)
		return fd;
	listing->directory = fdopendir(fd);
	if (!listing->directory) {
		listing->result = -errno;
		bt_close(&fd);
	}
	return listing->result;
}

int bt_listing_begin(struct bt_listing *listing, int dirfd)
{
	int fd = dirfd < 0 ? dirfd : bt_openat(dirfd, ".", O_RDONLY | O_DIRECTORY, 0);

	return begin_list(listing, fd, BT_LISTED_MAX, SIZE_MAX);
}

int bt_listing_take(struct bt_listing *listing, int fd)
{
	int r = begin_list(listing, fd, UINT64_MAX, BT_NAMES_MAX);

	if (!r)
		rewinddir(listing->directory);
	return r;
}

static const struct dirent *read_next(struct bt_listing *listing)
{
	const struct dirent *entry;

	do {
		errno = 0;
		entry = readdir(listing->directory);
	} while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
	if (!entry)
		listing->result = -errno;
	return entry;
}

const char *bt_listing_next(struct bt_listing *listing)
{
	const struct dirent *entry = listing->result ? NULL : read_next(listing);
	size_t bytes;

	if (!entry)
		return NULL;
	bytes = strlen(entry->d_name) + 1;
	if (!listing->names_left || bytes > listing->bytes_left) {
		listing->result = -EOVERFLOW;
		return NULL;
	}
	listing->names_left--;
	listing->bytes_left -= bytes;
	listing->type = entry->d_type;
	return entry->d_name;
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
		return bt_fail_sys(error, -result, path, "list the directory");
	return bt_fail(
		error, BT_E_UNSUPPORTED, path,
		"more than 4,194,304 names are listed here, as in no directory of a store: is this the right one, "
		"and does its file system work?");
}
