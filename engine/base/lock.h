/* SPDX-License-Identifier: MIT */
/*
 * The store's locks: open file description locks (fcntl F_OFD_SETLK) on bytes of one file, gone with their last
 * descriptor. Each kind is taken on its own. Who needs two takes BT_LOCK_PRUNER first: nobody waits for that one while
 * holding another, so nobody waits in a circle.
 */
#ifndef BT_BASE_LOCK_H
#define BT_BASE_LOCK_H

#include <backuptool/error.h>
#include <backuptool/observer.h>

enum bt_lock_kind {
	BT_LOCK_SHARED,	   /* nothing that was there when it was taken is deleted */
	BT_LOCK_EXCLUSIVE, /* nobody has that one: taken to delete */
	BT_LOCK_PRUNER,	   /* the right to work towards deleting, one at a time; shared ones are not in its way */
};

struct bt_lock_wait {
	int ms;				    /* 0: not at all, -1: forever */
	const struct bt_observer *observer; /* asked to give up, and told whom it waits for; NULL is fine */
};

/* Opens (creating it 0600) and locks. BT_E_LOCKED on time-out, with who has it in detail; BT_E_CANCELLED;
 * BT_E_UNSUPPORTED where the file system has no locks. A read-only file system gives BT_E_SYSTEM with sys == EROFS. */
int bt_lock_take(int dirfd, const char *name, enum bt_lock_kind kind, const struct bt_lock_wait *wait, int *ret_fd,
		 struct bt_error *error);

/* Asks once more for a lock that was taken, through the same descriptor: on a network file system it may have been lost
 * without a word. 0 or -errno, -EAGAIN when somebody else has it now. That it is given again does not mean that nobody
 * had it meanwhile. */
int bt_lock_again(int fd, enum bt_lock_kind kind);

/* The same file has 2^62 further locks, which have nothing to do with those and with each other: takes one of them
 * alone, without waiting. BT_E_LOCKED when somebody has it. */
int bt_lock_claim(int dirfd, const char *name, uint64_t number, int *ret_fd, struct bt_error *error);

/* Marks a file that is open for writing as somebody's, until its last descriptor is closed. 0 or -errno, as when it is
 * marked already. */
int bt_lock_mark(int fd);

#endif
