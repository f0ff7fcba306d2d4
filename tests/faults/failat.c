/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into a program: makes one of its calls fail.
 *
 *   FAILAT_WHAT   memory: allocations, also those of libraries; files: calls that touch files
 *   FAILAT_AT     the number of the call that fails, from 1, over all threads; 0: none
 *   FAILAT_ERRNO  what it fails with, as a number
 *   FAILAT_ON     if set, every later call fails, too
 *   FAILAT_COUNT  a file that gets the number of calls when the program ends
 *
 * Unlike a tracer this works below a leak checker, too.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EARLY_SIZE (64 << 10)

static long fail_at;
static int fail_with;
static bool fail_on, memory, started;
static long count_fd = -1;
static atomic_long calls;
/* Of this thread nothing fails. The model is one without allocations. */
static _Thread_local bool spared __attribute__((tls_model("initial-exec")));

/* What is allocated before the next allocator is known is never given back. */
static _Alignas(16) char early[EARLY_SIZE];
static size_t early_used;

static struct {
	void *(*malloc)(size_t);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	void (*free)(void *);
} next;

static bool fails(bool of_memory)
{
	if (!started || spared || of_memory != memory)
		return false;
	long number = atomic_fetch_add(&calls, 1) + 1;
	if (!fail_at || (fail_on ? number < fail_at : number != fail_at))
		return false;
	errno = of_memory ? ENOMEM : fail_with;
	return true;
}

static long number_of(const char *name)
{
	const char *text = getenv(name);

	return text ? strtol(text, NULL, 10) : 0;
}

static void find_next(void)
{
	static bool finding;

	if (finding)
		return;
	finding = true;
	*(void **)&next.malloc = dlsym(RTLD_NEXT, "malloc");
	*(void **)&next.calloc = dlsym(RTLD_NEXT, "calloc");
	*(void **)&next.realloc = dlsym(RTLD_NEXT, "realloc");
	*(void **)&next.free = dlsym(RTLD_NEXT, "free");
}

/* Before the program gives up its right to write there, and out of the way of its own descriptors. */
static void open_count(void)
{
	const char *path = getenv("FAILAT_COUNT");
	long fd = path ? syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;

	if (fd < 0)
		return;
	count_fd = syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 500);
	syscall(SYS_close, fd);
}

__attribute__((constructor)) static void start(void)
{
	const char *what = getenv("FAILAT_WHAT");

	find_next();
	open_count();
	memory = what && !strcmp(what, "memory");
	fail_at = number_of("FAILAT_AT");
	fail_with = (int)number_of("FAILAT_ERRNO");
	fail_on = getenv("FAILAT_ON");
	started = what;
}

/* By system calls, as what is called here would be counted. */
__attribute__((destructor)) static void end(void)
{
	char text[32];

	started = false;
	if (count_fd < 0)
		return;
	int length = snprintf(text, sizeof(text), "%ld\n", atomic_load(&calls));
	syscall(SYS_write, count_fd, text, length);
	syscall(SYS_close, count_fd);
}

static void *take_early(size_t size)
{
	size_t at = early_used;

	if (size > EARLY_SIZE - at)
		return NULL;
	early_used += (size + 15) & ~(size_t)15;
	return early + at;
}

static bool is_early(const void *memory_of)
{
	uintptr_t at = (uintptr_t)memory_of;

	return at >= (uintptr_t)early && at < (uintptr_t)early + EARLY_SIZE;
}

void *malloc(size_t size)
{
	if (!next.malloc)
		find_next();
	if (!next.malloc)
		return take_early(size);
	return fails(true) ? NULL : next.malloc(size);
}

void *calloc(size_t count, size_t size)
{
	if (!next.calloc)
		find_next();
	if (!next.calloc) /* the array is zero */
		return take_early(count * size);
	return fails(true) ? NULL : next.calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	if (!next.realloc)
		find_next();
	if (is_early(old)) {
		void *copy = malloc(size);
		size_t rest = (size_t)(early + EARLY_SIZE - (char *)old);

		if (copy)
			memcpy(copy, old, size < rest ? size : rest);
		return copy;
	}
	return fails(true) ? NULL : next.realloc(old, size);
}

void free(void *old)
{
	if (next.free && !is_early(old))
		next.free(old);
}

/* AddressSanitizer asks for it when a thread starts, and takes no refusal. */
int pthread_getattr_np(pthread_t thread, pthread_attr_t *attributes)
{
	int (*function)(pthread_t, pthread_attr_t *);
	int r;

	spared = true;
	*(void **)&function = dlsym(RTLD_NEXT, "pthread_getattr_np");
	r = function(thread, attributes);
	spared = false;
	return r;
}

/* A function of the C library that touches files: the name that programs link to, and its parameters. */
#define CALL(type, failed, name, parameters, arguments)                                                                \
	type name parameters                                                                                           \
	{                                                                                                              \
		static type(*_Atomic following) parameters;                                                            \
		type(*function) parameters = atomic_load(&following);                                                  \
		if (!function) {                                                                                       \
			*(void **)&function = dlsym(RTLD_NEXT, #name);                                                 \
			atomic_store(&following, function);                                                            \
		}                                                                                                      \
		return fails(false) ? failed : function arguments;                                                     \
	}

CALL(ssize_t, -1, read, (int fd, void *data, size_t size), (fd, data, size))
CALL(ssize_t, -1, write, (int fd, const void *data, size_t size), (fd, data, size))
CALL(ssize_t, -1, pread64, (int fd, void *data, size_t size, int64_t at), (fd, data, size, at))
CALL(ssize_t, -1, pwrite64, (int fd, const void *data, size_t size, int64_t at), (fd, data, size, at))
CALL(ssize_t, -1, getdents64, (int fd, void *data, size_t size), (fd, data, size))
CALL(int, -1, fsync, (int fd), (fd))
CALL(int, -1, ftruncate64, (int fd, int64_t size), (fd, size))
CALL(int, -1, fstat64, (int fd, struct stat64 *st), (fd, st))
CALL(int, -1, fstatat64, (int fd, const char *path, struct stat64 *st, int flags), (fd, path, st, flags))
CALL(int, -1, statx, (int fd, const char *path, int flags, unsigned mask, struct statx *st),
     (fd, path, flags, mask, st))
CALL(int, -1, linkat, (int from, const char *old, int to, const char *path, int flags), (from, old, to, path, flags))
CALL(int, -1, renameat, (int from, const char *old, int to, const char *path), (from, old, to, path))
CALL(int, -1, renameat2, (int from, const char *old, int to, const char *path, unsigned flags),
     (from, old, to, path, flags))
CALL(int, -1, unlinkat, (int fd, const char *path, int flags), (fd, path, flags))
CALL(int, -1, mkdirat, (int fd, const char *path, mode_t mode), (fd, path, mode))
CALL(int, -1, mkdir, (const char *path, mode_t mode), (path, mode))
CALL(int, -1, symlinkat, (const char *target, int fd, const char *path), (target, fd, path))
CALL(ssize_t, -1, readlinkat, (int fd, const char *path, char *data, size_t size), (fd, path, data, size))
CALL(int, -1, fchmod, (int fd, mode_t mode), (fd, mode))
CALL(int, -1, fchownat, (int fd, const char *path, uid_t uid, gid_t gid, int flags), (fd, path, uid, gid, flags))
CALL(int, -1, futimens, (int fd, const struct timespec times[2]), (fd, times))
CALL(int64_t, -1, lseek64, (int fd, int64_t at, int whence), (fd, at, whence))

int openat64(int dirfd, const char *path, int flags, ...)
{
	static int (*_Atomic following)(int, const char *, int, ...);
	int (*function)(int, const char *, int, ...) = atomic_load(&following);
	va_list more;

	if (!function) {
		*(void **)&function = dlsym(RTLD_NEXT, "openat64");
		atomic_store(&following, function);
	}
	va_start(more, flags);
	unsigned mode = va_arg(more, unsigned);
	va_end(more);
	return fails(false) ? -1 : function(dirfd, path, flags, mode);
}
