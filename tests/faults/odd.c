/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into a program: its file systems have less than they should. ODD lists what they lack, as simple network
 * file systems do: "lock" (no locks), "link" (no hard links), "fsync" (directories cannot be synced), "holes" (they
 * cannot be asked for), each of which is told by ODD_ERRNO; "solid" (files have no holes, as far as is told), "rename2"
 * (no rename that does not replace), "tmpfile" (no files without a name), "end" (the list of the directory ODD_ENDLESS
 * goes on with names that begin with ODD_NAME, for ever), "torn" (readdir fails at its end).
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool lacks(const char *what)
{
	const char *list = getenv("ODD");

	return list && strstr(list, what);
}

/* -1 with errno: that of ODD_ERRNO, or the usual one. */
static int refuse(int usual)
{
	const char *number = getenv("ODD_ERRNO");

	errno = number ? atoi(number) : usual;
	return -1;
}

static int control(int fd, int command, void *argument)
{
	int (*next)(int, int, ...) = (int (*)(int, int, ...))dlsym(RTLD_NEXT, "fcntl64");
	bool locks = command == F_OFD_SETLK || command == F_OFD_SETLKW || command == F_OFD_GETLK;

	return locks && lacks("lock") ? refuse(ENOLCK) : next(fd, command, argument);
}

int fcntl(int fd, int command, ...)
{
	va_list arguments;

	va_start(arguments, command);
	void *argument = va_arg(arguments, void *);
	va_end(arguments);
	return control(fd, command, argument);
}

int fcntl64(int fd, int command, ...)
{
	va_list arguments;

	va_start(arguments, command);
	void *argument = va_arg(arguments, void *);
	va_end(arguments);
	return control(fd, command, argument);
}

int linkat(int from, const char *path, int to, const char *name, int flags)
{
	int (*next)(int, const char *, int, const char *, int) =
		(int (*)(int, const char *, int, const char *, int))dlsym(RTLD_NEXT, "linkat");

	if (lacks("link"))
		return refuse(EPERM);
	return next(from, path, to, name, flags);
}

int renameat2(int from, const char *path, int to, const char *name, unsigned flags)
{
	int (*next)(int, const char *, int, const char *, unsigned) =
		(int (*)(int, const char *, int, const char *, unsigned))dlsym(RTLD_NEXT, "renameat2");

	if (lacks("rename2") && flags) {
		errno = EINVAL;
		return -1;
	}
	return next(from, path, to, name, flags);
}

int fsync(int fd)
{
	int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
	struct stat status;

	if (lacks("fsync") && fstat(fd, &status) == 0 && S_ISDIR(status.st_mode))
		return refuse(EINVAL);
	return next(fd);
}

static off64_t seek(const char *call, int fd, off64_t offset, int whence)
{
	off64_t (*next)(int, off64_t, int) = (off64_t(*)(int, off64_t, int))dlsym(RTLD_NEXT, call);
	struct stat status;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return next(fd, offset, whence);
	if (lacks("holes"))
		return refuse(EINVAL);
	if (!lacks("solid") || fstat(fd, &status))
		return next(fd, offset, whence);
	if (offset < 0 || offset >= status.st_size) {
		errno = ENXIO;
		return -1;
	}
	return next(fd, whence == SEEK_DATA ? offset : status.st_size, SEEK_SET);
}

off_t lseek(int fd, off_t offset, int whence)
{
	return seek("lseek", fd, offset, whence);
}

off64_t lseek64(int fd, off64_t offset, int whence)
{
	return seek("lseek64", fd, offset, whence);
}

static int open_as(const char *call, int dirfd, const char *path, int flags, mode_t mode)
{
	int (*next)(int, const char *, int, ...) = (int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, call);

	if ((flags & O_TMPFILE) == O_TMPFILE && lacks("tmpfile")) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return next(dirfd, path, flags, mode);
}

int openat(int dirfd, const char *path, int flags, ...)
{
	va_list arguments;

	va_start(arguments, flags);
	mode_t mode = va_arg(arguments, mode_t);
	va_end(arguments);
	return open_as("openat", dirfd, path, flags, mode);
}

int openat64(int dirfd, const char *path, int flags, ...)
{
	va_list arguments;

	va_start(arguments, flags);
	mode_t mode = va_arg(arguments, mode_t);
	va_end(arguments);
	return open_as("openat64", dirfd, path, flags, mode);
}

static _Thread_local DIR *endless; /* its real names have been given */
static _Thread_local struct dirent made;
static _Thread_local unsigned long count;

static bool is_endless(int fd)
{
	const char *wanted = getenv("ODD_ENDLESS");
	char link[64], path[4096];
	ssize_t length;

	if (!wanted || (!lacks("end") && !lacks("torn")))
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	return length == (ssize_t)strlen(wanted) && memcmp(path, wanted, (size_t)length) == 0;
}

static struct dirent *next_name(DIR *directory, const char *call)
{
	struct dirent *(*next)(DIR *) = (struct dirent * (*)(DIR *)) dlsym(RTLD_NEXT, call);
	struct dirent *entry = endless == directory ? NULL : next(directory);

	if (entry || (endless != directory && !is_endless(dirfd(directory))))
		return entry;
	if (lacks("torn")) {
		errno = EIO;
		return NULL;
	}
	if (endless != directory)
		count = 0;
	endless = directory;
	made.d_type = DT_REG;
	snprintf(made.d_name, sizeof(made.d_name), "%s%lu.json", getenv("ODD_NAME"), ++count);
	return &made;
}

struct dirent *readdir(DIR *directory)
{
	return next_name(directory, "readdir");
}

struct dirent64 *readdir64(DIR *directory)
{
	return (struct dirent64 *)next_name(directory, "readdir64");
}

/* A buffer full of them. */
static ssize_t more_records(void *buffer, size_t size)
{
	size_t length = offsetof(struct dirent64, d_name) + 256, at = 0;

	for (; at + length <= size; at += length) {
		struct dirent64 *record = (void *)((char *)buffer + at);

		*record = (struct dirent64){.d_ino = 1, .d_reclen = (unsigned short)length, .d_type = DT_REG};
		snprintf(record->d_name, 256, "%s%lu.json", getenv("ODD_NAME"), ++count);
	}
	return (ssize_t)at;
}

ssize_t getdents64(int fd, void *buffer, size_t size)
{
	ssize_t (*next)(int, void *, size_t) = (ssize_t(*)(int, void *, size_t))dlsym(RTLD_NEXT, "getdents64");
	ssize_t result = next(fd, buffer, size);

	return !result && lacks("end") && is_endless(fd) ? more_records(buffer, size) : result;
}

int closedir(DIR *directory)
{
	int (*next)(DIR *) = (int (*)(DIR *))dlsym(RTLD_NEXT, "closedir");

	if (endless == directory)
		endless = NULL;
	return next(directory);
}
