/* SPDX-License-Identifier: MIT */
/*
 * badfs ERRNO MOUNTPOINT [FUSE options]: a file system as network ones are on a bad day. Names that begin with "no" are
 * listed, but looking them up gives ERRNO; those with "bad" are looked up, but opening them, listing them or reading
 * their target gives it. The list of "half" ends after some names with EIO. With ERRNO 0 all is well, but for names
 * that begin with "gone": each is removed between being listed and being looked up, opened or listed.
 */
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fuse.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT "text\n"
enum { HALF = 100, WHOLE = 200 };

static int failure;
static const char *const leaving[] = {"gone", "gonefile", "gonedir"};
enum { LEAVING = sizeof(leaving) / sizeof(*leaving) };
static bool left[LEAVING];

static const char *base(const char *path)
{
	return strrchr(path, '/') + 1;
}

static bool begins(const char *name, const char *with)
{
	return strncmp(name, with, strlen(with)) == 0;
}

/* Removes what has this name from the list; false: it is another one. */
static bool leaves(const char *name)
{
	for (int i = 0; i < LEAVING; i++)
		if (strcmp(name, leaving[i]) == 0)
			return left[i] = true;
	return false;
}

static int later(const char *path)
{
	if (leaves(base(path)))
		return -ENOENT;
	return begins(base(path), "bad") ? -failure : 0;
}

static int get_attributes(const char *path, struct stat *status, struct fuse_file_info *file)
{
	const char *name = base(path);

	if (begins(name, "no") && failure)
		return -failure;
	if (strcmp(name, leaving[0]) == 0 && leaves(name))
		return -ENOENT;
	*status = (struct stat){.st_nlink = 1, .st_mtime = 1000 + failure, .st_ctime = 1000};
	for (int i = 0; i < LEAVING && !*name; i++)
		status->st_mtime += left[i];
	if (!*name || strstr(name, "dir") || strcmp(name, "half") == 0) {
		status->st_mode = S_IFDIR | 0755;
		status->st_nlink = 2;
	} else if (strstr(name, "link")) {
		status->st_mode = S_IFLNK | 0777;
		status->st_size = 2;
	} else {
		status->st_mode = S_IFREG | 0644;
		status->st_size = strlen(TEXT);
	}
	return 0;
}

static int list_half(void *buffer, fuse_fill_dir_t fill, off_t offset)
{
	char name[16];

	if (offset >= HALF && failure)
		return -EIO;
	for (off_t i = offset; i < (failure ? HALF : WHOLE); i++) {
		snprintf(name, sizeof(name), "f%03d", (int)i);
		if (fill(buffer, name, NULL, i + 1, 0))
			return 0;
	}
	return 0;
}

static int list(const char *path, void *buffer, fuse_fill_dir_t fill, off_t offset, struct fuse_file_info *file,
		enum fuse_readdir_flags flags)
{
	static const char *const names[] = {"badfile", "badlink", "dir", "file", "half"};
	const struct stat directory = {.st_mode = S_IFDIR}, regular = {.st_mode = S_IFREG};

	if (later(path))
		return later(path);
	if (strcmp(path, "/half") == 0)
		return list_half(buffer, fill, offset);
	if (path[1]) {
		fill(buffer, "file", NULL, 0, 0);
		return 0;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		fill(buffer, names[i], NULL, 0, 0);
	for (int i = 0; i < LEAVING && !failure; i++)
		if (!left[i])
			fill(buffer, leaving[i], NULL, 0, 0);
	fill(buffer, "baddir", &directory, 0, 0);
	fill(buffer, "no\xe4", &regular, 0, 0);
	fill(buffer, "nodir\xe4", &directory, 0, 0);
	fill(buffer, "nobody knows", NULL, 0, 0);
	return 0;
}

static int open_any(const char *path, struct fuse_file_info *file)
{
	return later(path);
}

static int read_link(const char *path, char *buffer, size_t size)
{
	snprintf(buffer, size, "to");
	return later(path);
}

static int read_file(const char *path, char *buffer, size_t size, off_t offset, struct fuse_file_info *file)
{
	const size_t length = strlen(TEXT);

	if (offset < 0 || (size_t)offset >= length)
		return 0;
	if (size > length - (size_t)offset)
		size = length - (size_t)offset;
	memcpy(buffer, &TEXT[offset], size);
	return (int)size;
}

static const struct fuse_operations operations = {.getattr = get_attributes,
						  .readdir = list,
						  .opendir = open_any,
						  .open = open_any,
						  .readlink = read_link,
						  .read = read_file};

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	failure = atoi(argv[1]);
	argv[1] = argv[0];
	return fuse_main(argc - 1, argv + 1, &operations, NULL);
}
