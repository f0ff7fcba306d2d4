/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into a program: stops it, as a host that is suspended or cut off, right before a call.
 *
 *   HOLD        the call and a part of the name that it is given: "unlinkat .doomed"; the first such call is held
 *   HOLD_NTH    if set, not the first one but that one is held
 *   HOLD_ALL    if set, it and all that follow are held
 *   HOLD_LOSES  if set, the store's lock is gone then, as if a server had given it to somebody else
 *   HOLD_LOCAL  if set, locks succeed and mean nothing: they do not reach other hosts
 *
 * The program goes on with SIGCONT.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOCKS_MAX 16

static atomic_bool held;
static atomic_int calls;
static int locks[LOCKS_MAX];
static atomic_int lock_count;

static void lose(void)
{
	for (int i = 0; i < lock_count && i < LOCKS_MAX; i++) {
		struct flock range = {.l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 2};

		syscall(SYS_fcntl, locks[i], F_OFD_SETLK, &range);
	}
}

static void hold(const char *call, const char *one, const char *other)
{
	const char *wanted = getenv("HOLD"), *text = wanted ? strchr(wanted, ' ') : NULL, *nth = getenv("HOLD_NTH");

	if (!text || strncmp(wanted, call, (size_t)(text - wanted)) != 0 || strlen(call) != (size_t)(text - wanted))
		return;
	text++;
	if (!strstr(one, text) && !(other && strstr(other, text)))
		return;
	if (atomic_fetch_add(&calls, 1) + 1 < (nth ? atoi(nth) : 1) ||
	    (atomic_exchange(&held, true) && !getenv("HOLD_ALL")))
		return;
	if (getenv("HOLD_LOSES"))
		lose();
	kill(getpid(), SIGSTOP);
}

static int control(int fd, int command, void *argument)
{
	const struct flock *range = argument;

	if (command == F_OFD_SETLK && getenv("HOLD_LOCAL"))
		return 0;
	int r = (int)syscall(SYS_fcntl, fd, command, argument);
	if (!r && command == F_OFD_SETLK && range->l_type != F_UNLCK && range->l_start < 2 && !held) {
		int i = atomic_fetch_add(&lock_count, 1);

		if (i < LOCKS_MAX)
			locks[i] = fd;
	}
	return r;
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

int unlinkat(int dirfd, const char *name, int flags)
{
	hold("unlinkat", name, NULL);
	return (int)syscall(SYS_unlinkat, dirfd, name, flags);
}

int linkat(int from, const char *name, int to, const char *other, int flags)
{
	hold("linkat", name, other);
	return (int)syscall(SYS_linkat, from, name, to, other, flags);
}

int renameat(int from, const char *name, int to, const char *other)
{
	hold("renameat", name, other);
	return (int)syscall(SYS_renameat2, from, name, to, other, 0);
}

int renameat2(int from, const char *name, int to, const char *other, unsigned flags)
{
	hold("renameat2", name, other);
	return (int)syscall(SYS_renameat2, from, name, to, other, flags);
}

/* By way of others that are preloaded, too. */
static int open_at(int dirfd, const char *name, int flags, mode_t mode)
{
	int (*next)(int, const char *, int, ...) = (int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, "openat64");

	hold("openat", name, NULL);
	return next(dirfd, name, flags, mode);
}

int openat64(int dirfd, const char *name, int flags, ...)
{
	va_list arguments;

	va_start(arguments, flags);
	bool makes = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE;
	mode_t mode = makes ? va_arg(arguments, mode_t) : 0;
	va_end(arguments);
	return open_at(dirfd, name, flags, mode);
}

/* Builds with _FORTIFY_SOURCE call it. */
int __openat64_2(int dirfd, const char *name, int flags);
int __openat64_2(int dirfd, const char *name, int flags)
{
	return open_at(dirfd, name, flags, 0);
}
