/* SPDX-License-Identifier: MIT */
/*
 * logdisk BASE LOG MOUNTPOINT [OPTION…]: shows the image BASE as the file MOUNTPOINT/disk, for a loop device, and
 * appends to LOG what is written to it and when it is flushed.
 *
 * A record is three 64-bit numbers, 'W' or 'F', offset and size, followed by the bytes of a write.
 */
#define FUSE_USE_VERSION 312
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

struct disk {
	int base, log;
	pthread_mutex_t mutex;
};

static struct disk *disk_here(void)
{
	return fuse_get_context()->private_data;
}

/* A log that lacks something would prove nothing. */
static void record(struct disk *disk, char what, off_t offset, const char *data, size_t size)
{
	uint64_t head[3] = {(uint64_t)what, (uint64_t)offset, size};
	const struct iovec parts[2] = {{head, sizeof(head)}, {(void *)data, size}};

	if (writev(disk->log, parts, size ? 2 : 1) != (ssize_t)(sizeof(head) + size))
		abort();
}

static int disk_getattr(const char *path, struct stat *st, struct fuse_file_info *file)
{
	struct stat base;

	memset(st, 0, sizeof(*st));
	if (!strcmp(path, "/")) {
		st->st_mode = S_IFDIR | 0755;
		st->st_nlink = 2;
		return 0;
	}
	if (strcmp(path, "/disk") || fstat(disk_here()->base, &base))
		return -ENOENT;
	st->st_mode = S_IFREG | 0600;
	st->st_nlink = 1;
	st->st_size = base.st_size;
	return 0;
}

static int disk_open(const char *path, struct fuse_file_info *file)
{
	return strcmp(path, "/disk") ? -ENOENT : 0;
}

static int disk_read(const char *path, char *data, size_t size, off_t offset, struct fuse_file_info *file)
{
	ssize_t got = pread(disk_here()->base, data, size, offset);

	return got < 0 ? -errno : (int)got;
}

static int disk_write(const char *path, const char *data, size_t size, off_t offset, struct fuse_file_info *file)
{
	struct disk *disk = disk_here();

	pthread_mutex_lock(&disk->mutex);
	ssize_t put = pwrite(disk->base, data, size, offset);
	if (put > 0)
		record(disk, 'W', offset, data, (size_t)put);
	pthread_mutex_unlock(&disk->mutex);
	return put < 0 ? -errno : (int)put;
}

static int disk_fsync(const char *path, int data_only, struct fuse_file_info *file)
{
	struct disk *disk = disk_here();

	pthread_mutex_lock(&disk->mutex);
	record(disk, 'F', 0, NULL, 0);
	pthread_mutex_unlock(&disk->mutex);
	return 0;
}

static const struct fuse_operations operations = {
	.getattr = disk_getattr,
	.open = disk_open,
	.read = disk_read,
	.write = disk_write,
	.fsync = disk_fsync,
};

int main(int argc, char **argv)
{
	struct disk disk = {.mutex = PTHREAD_MUTEX_INITIALIZER};

	if (argc < 4) {
		fprintf(stderr, "usage: logdisk BASE LOG MOUNTPOINT [OPTION...]\n");
		return 2;
	}
	disk.base = open(argv[1], O_RDWR | O_CLOEXEC);
	disk.log = open(argv[2], O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
	if (disk.base < 0 || disk.log < 0) {
		perror("logdisk");
		return 1;
	}
	argv[2] = argv[0];
	return fuse_main(argc - 2, argv + 2, &operations, &disk);
}
