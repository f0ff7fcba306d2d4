/* SPDX-License-Identifier: MIT */
/*
 * The locks of the store: open file description locks (fcntl F_OFD_SETLK) on bytes of one file, which end with their
 * last descriptor. Each kind is taken on its own. A program that needs two takes BT_LOCK_PRUNER first: nobody waits for
 * that one while holding another, so there are no deadlocks.
 */
#ifndef BT_BASE_LOCK_H
#define BT_BASE_LOCK_H

#include <backuptool/error.h>
#include <backuptool/observer.h>

enum bt_lock_kind {
	BT_LOCK_SHARED,	   /* nothing that exists when it is taken is deleted */
	BT_LOCK_EXCLUSIVE, /* nobody has the shared one: taken to delete */
	BT_LOCK_PRUNER, /* the right to prepare a deletion, one program at a time; does not conflict with the shared one
			 */
};

struct bt_lock_wait {
	int ms;				    /* 0: not at all, -1: forever */
	const struct bt_observer *observer; /* asked whether to give up, and told who holds the lock; may be NULL */
};

/* Opens the file (creating it with mode 0600) and locks it. BT_E_LOCKED on time-out, with the holder in detail;
 * BT_E_CANCELLED; BT_E_UNSUPPORTED if the file system has no locks. On a read-only file system BT_E_SYSTEM with sys
 * EROFS. */
int bt_lock_take(int dirfd, const char *name, enum bt_lock_kind kind, const struct bt_lock_wait *wait, int *ret_fd,
		 struct bt_error *error);

/* Takes a lock again that was taken before, through the same descriptor: on a network file system it may have been lost
 * silently. 0 or -errno; -EAGAIN if somebody else has it now. Success does not mean that nobody had it meanwhile. */
int bt_lock_again(int fd, enum bt_lock_kind kind);

/* The same file has 2^62 further locks, independent of those above and of each other. Takes one of them alone, without
 * waiting. BT_E_LOCKED if somebody has it. */
int bt_lock_claim(int dirfd, const char *name, uint64_t number, int *ret_fd, struct bt_error *error);

/* Marks a file that is open for writing as in use, until its last descriptor is closed. 0 or -errno, also if it is
 * marked already. */
int bt_lock_mark(int fd);

#endif
