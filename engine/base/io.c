/* SPDX-License-Identifier: MIT */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* off_t is signed; the kernel refuses what lies beyond it, and so do we before the conversion changes it. */
static bool offset_fits(uint64_t offset, size_t length)
{
	uint64_t end;

	return !__builtin_add_overflow(offset, (uint64_t)length, &end) && end <= INT64_MAX;
}

int bt_write_all(int fd, const void *data, size_t length)
{
	const unsigned char *bytes = data;

	while (length > 0) {
		ssize_t n = write(fd, bytes, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		bytes += n;
		length -= (size_t)n;
	}
	return 0;
}

int bt_pwrite_all(int fd, const void *data, size_t length, uint64_t offset)
{
	const unsigned char *bytes = data;

	if (!offset_fits(offset, length))
		return -EFBIG;
	while (length > 0) {
		ssize_t n = pwrite(fd, bytes, length, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		bytes += n;
		length -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

ssize_t bt_read_some(int fd, void *data, size_t length)
{
	unsigned char *bytes = data;
	size_t done = 0;

	while (done < length) {
		ssize_t n = read(fd, bytes + done, length - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

ssize_t bt_pread_some(int fd, void *data, size_t length, uint64_t offset)
{
	unsigned char *bytes = data;
	size_t done = 0;

	if (!offset_fits(offset, length))
		return -EINVAL;
	while (done < length) {
		ssize_t n = pread(fd, bytes + done, length - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int bt_openat(int dirfd, const char *name, int flags, unsigned mode)
{
	int fd;

	do {
		fd = openat(dirfd, name, flags | O_CLOEXEC, (mode_t)mode);
	} while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

/* To open a device can do something: so it is looked at first, and again for what may have come in between. */
int bt_open_file(int dirfd, const char *name, int access)
{
	struct stat status;
	int fd;

	if (fstatat(dirfd, name, &status, AT_SYMLINK_NOFOLLOW))
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EMEDIUMTYPE;
	fd = bt_openat(dirfd, name, access | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0)
		return fd == -ELOOP || fd == -ENXIO || fd == -EISDIR ? -EMEDIUMTYPE : fd;
	int failed = fstat(fd, &status) ? errno : S_ISREG(status.st_mode) ? 0 : EMEDIUMTYPE;
	if (failed)
		bt_close(&fd);
	return failed ? -failed : fd;
}

size_t bt_share_of_descriptors(unsigned parts, size_t least, size_t most)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur / parts > most)
		return most;
	return limit.rlim_cur / parts < least ? least : (size_t)(limit.rlim_cur / parts);
}

void bt_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}
