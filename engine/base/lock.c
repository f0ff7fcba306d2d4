/* SPDX-License-Identifier: MIT */
#include "base/lock.h"

#include "base/fail.h"
#include "base/io.h"
#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

enum { POLL_MS = 20 };

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A range of the file is a lock: the first byte that of the store, the others from here those that are claimed. */
#define CLAIMS ((off_t)1 << 62)

/* 0 or an errno. */
static int try_lock(int fd, const struct flock *wanted, bool wait)
{
	struct flock range = *wanted;
	int r;

	do {
		r = fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &range);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? errno : 0;
}

static int lock_until(int fd, const struct flock *range, int wait_ms)
{
	int64_t deadline = now_ms() + wait_ms;

	for (;;) {
		int sys = try_lock(fd, range, wait_ms < 0);
		if (sys != EAGAIN && sys != EACCES)
			return sys;
		int64_t left = deadline - now_ms();
		if (left <= 0)
			return EAGAIN;
		int64_t nap = left < POLL_MS ? left : POLL_MS;
		nanosleep(&(struct timespec){.tv_nsec = nap * 1000000}, NULL);
	}
}

static int take(int dirfd, const char *name, const struct flock *range, int wait_ms, int *ret_fd,
		struct bt_error *error)
{
	/* A read lock needs no more than a readable descriptor: so somebody else's store can be locked, too. */
	int access = range->l_type == F_RDLCK ? O_RDONLY : O_RDWR;
	int fd = bt_openat(dirfd, name, access | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);

	if (fd < 0)
		return bt_fail_sys(error, -fd, name, "open");
	int sys = lock_until(fd, range, wait_ms);
	if (sys != 0) {
		bt_close(&fd);
		if (sys == EAGAIN)
			return bt_fail(error, BT_E_LOCKED, name, NULL);
		return bt_fail_sys(error, sys, name, "lock");
	}
	*ret_fd = fd;
	return 0;
}

int bt_lock_take(int dirfd, const char *name, enum bt_lock_kind kind, int wait_ms, int *ret_fd, struct bt_error *error)
{
	const struct flock range = {
		.l_type = kind == BT_LOCK_SHARED ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};

	return take(dirfd, name, &range, wait_ms, ret_fd, error);
}

int bt_lock_claim(int dirfd, const char *name, uint64_t number, int *ret_fd, struct bt_error *error)
{
	const struct flock range = {.l_type = F_WRLCK,
				    .l_whence = SEEK_SET,
				    .l_start = CLAIMS | (off_t)(number & (CLAIMS - 1)),
				    .l_len = 1};

	return take(dirfd, name, &range, 0, ret_fd, error);
}
