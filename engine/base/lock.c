/* SPDX-License-Identifier: MIT */
#include "base/lock.h"

#include "base/fail.h"
#include "base/holder.h"
#include "base/io.h"
#include "base/made.h"
#include "base/voice.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

enum { POLL_MS = 20, TELL_AFTER_MS = 1000 };

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Each lock is a range of the file: the first byte for the store, the next for pruning, and those from here for
 * claims. */
#define CLAIMS ((off_t)1 << 62)

/* 0 or an errno. */
static int try_lock(int fd, const struct flock *wanted)
{
	struct flock range = *wanted;
	int r;

	do {
		r = fcntl(fd, F_OFD_SETLK, &range);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? errno : 0;
}

static int fail_locked(int fd, const char *name, const struct flock *range, struct bt_error *error)
{
	char holder[BT_HOLDER_SIZE];

	bt_lock_holder(fd, name, range, holder, sizeof(holder));
	return bt_fail(error, BT_E_LOCKED, name, holder);
}

static bool has_no_locks(int sys)
{
	return sys == ENOLCK || sys == ENOSYS || sys == EINVAL || sys == EOPNOTSUPP;
}

static int fail_without_locks(int sys, const char *name, struct bt_error *error)
{
	bool first = error && !error->code;
	int r = bt_fail(error, BT_E_UNSUPPORTED, name, "the file system of the store has no locks");

	if (first)
		error->sys = sys;
	return r;
}

static void tell_holder(int fd, const char *name, const struct flock *range, const struct bt_observer *observer)
{
	char holder[BT_HOLDER_SIZE];

	bt_lock_holder(fd, name, range, holder, sizeof(holder));
	observer->waiting(observer->arg, holder);
}

/* Polls instead of sleeping in the kernel, so that a signal can end it. */
static int lock_until(int fd, const char *name, const struct flock *range, const struct bt_lock_wait *wait,
		      struct bt_error *error)
{
	const struct bt_observer *observer = wait->observer;
	int64_t start = now_ms();
	bool told = !observer || !observer->waiting;

	for (;;) {
		int sys = try_lock(fd, range);

		if (sys == 0)
			return 0;
		if (has_no_locks(sys))
			return fail_without_locks(sys, name, error);
		if (sys != EAGAIN && sys != EACCES)
			return bt_fail_sys(error, sys, name, "lock the file");
		int64_t waited = now_ms() - start, left = wait->ms < 0 ? POLL_MS : wait->ms - waited;
		if (left <= 0)
			return fail_locked(fd, name, range, error);
		if (bt_cancelled(observer))
			return bt_fail(error, BT_E_CANCELLED, NULL, NULL);
		if (!told && waited >= TELL_AFTER_MS) {
			tell_holder(fd, name, range, observer);
			told = true;
		}
		int64_t nap = left < POLL_MS ? left : POLL_MS;
		nanosleep(&(struct timespec){.tv_nsec = nap * 1000000}, NULL);
	}
}

static int open_lock(int dirfd, const char *name, int access)
{
	int fd;

	do {
		fd = bt_open_file(dirfd, name, access);
		if (fd != -ENOENT)
			return fd;
		fd = bt_openat(dirfd, name, access | O_CREAT | O_EXCL, 0600);
	} while (fd == -EEXIST);
	if (fd >= 0) {
		bt_made_mode(fd, 0600);
		bt_made_owner(fd, dirfd);
	}
	return fd;
}

static bool may_only_read(int fd)
{
	return fd == -EACCES || fd == -EPERM || fd == -EROFS;
}

/* A lock that is taken for reading alone needs no more than a readable descriptor: so somebody else's store can be
 * locked, too. */
static int open_for(enum bt_lock_kind kind, int dirfd, const char *name)
{
	int fd = kind == BT_LOCK_SHARED ? -EACCES : open_lock(dirfd, name, O_RDWR);

	if ((kind == BT_LOCK_SHARED || kind == BT_LOCK_RAISABLE) && may_only_read(fd))
		fd = open_lock(dirfd, name, O_RDONLY);
	return fd;
}

static int take_range(int dirfd, int fd, const char *name, const struct flock *range, const struct bt_lock_wait *wait,
		      int *ret_fd, struct bt_error *error)
{
	/* what is locked there is not this store, or cannot be locked at all */
	if (fd == -EMEDIUMTYPE)
		return bt_fail(error, BT_E_UNSUPPORTED, name,
			       "it is not a file, so the store cannot be locked; remove it, and a new one is made");
	if (fd < 0)
		return bt_fail_sys_in(error, -fd, dirfd, name, "open");
	int r = lock_until(fd, name, range, wait, error);
	if (r)
		bt_close(&fd);
	else
		*ret_fd = fd;
	return r;
}

static struct flock range_of(enum bt_lock_kind kind)
{
	bool shared = kind == BT_LOCK_SHARED || kind == BT_LOCK_RAISABLE;

	return (struct flock){.l_type = shared ? F_RDLCK : F_WRLCK,
			      .l_whence = SEEK_SET,
			      .l_start = kind == BT_LOCK_PRUNER,
			      .l_len = 1};
}

int bt_lock_take(int dirfd, const char *name, enum bt_lock_kind kind, const struct bt_lock_wait *wait, int *ret_fd,
		 struct bt_error *error)
{
	const struct flock range = range_of(kind);

	return take_range(dirfd, open_for(kind, dirfd, name), name, &range, wait, ret_fd, error);
}

int bt_lock_again(int fd, enum bt_lock_kind kind)
{
	const struct flock range = range_of(kind);

	return -try_lock(fd, &range);
}

static struct flock range_of_claim(uint64_t number)
{
	return (struct flock){.l_type = F_WRLCK,
			      .l_whence = SEEK_SET,
			      .l_start = CLAIMS | (off_t)(number & (CLAIMS - 1)),
			      .l_len = 1};
}

bool bt_lock_claimed(int dirfd, const char *name, uint64_t number, char *holder)
{
	const struct flock wanted = range_of_claim(number);
	struct flock found = wanted;
	int fd = bt_open_file(dirfd, name, O_RDONLY);
	bool held = fd >= 0 && fcntl(fd, F_OFD_GETLK, &found) == 0 && found.l_type != F_UNLCK;

	if (held)
		bt_lock_holder(fd, name, &wanted, holder, BT_HOLDER_SIZE);
	bt_close(&fd);
	return held;
}

int bt_lock_claim(int dirfd, const char *name, uint64_t number, int *ret_fd, struct bt_error *error)
{
	const struct flock range = range_of_claim(number);

	return take_range(dirfd, open_lock(dirfd, name, O_RDWR), name, &range, &(struct bt_lock_wait){0}, ret_fd,
			  error);
}

/* Beyond the file's data: some network file systems do not let others read bytes that are locked. */
int bt_lock_mark(int fd)
{
	const struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = CLAIMS, .l_len = 1};

	return -try_lock(fd, &range);
}
