/* SPDX-License-Identifier: MIT */
/*
 * The locks of a store: open file description locks (fcntl F_OFD_SETLK) on bytes of one file. A lock ends when its last
 * descriptor is closed. Each kind is taken on its own. A program that needs two takes BT_LOCK_PRUNER first; nobody
 * waits for that one while holding another, so there are no deadlocks.
 */
#ifndef BT_BASE_LOCK_H
#define BT_BASE_LOCK_H

#include <backuptool/error.h>
#include <backuptool/observer.h>
#include <stdbool.h>

enum bt_lock_kind {
	BT_LOCK_SHARED,	   /* files that exist when it is taken are not deleted while it is held */
	BT_LOCK_EXCLUSIVE, /* taken to delete; conflicts with the shared one */
	BT_LOCK_PRUNER,	   /* taken by one program at a time to prepare a deletion; conflicts with no other kind */
	BT_LOCK_RAISABLE,  /* the shared one, which bt_lock_again can make the exclusive one, if the file may be
			      written to */
};

struct bt_lock_wait {
	int ms; /* 0: not at all, -1: forever */
	const struct bt_observer
		*observer; /* is asked whether to give up, and is told who holds the lock; may be NULL */
};

/* Opens the file (creating it with mode 0600) and locks it. BT_E_LOCKED on time-out, with the holder in detail;
 * BT_E_CANCELLED; BT_E_UNSUPPORTED if the file system has no locks. On a read-only file system BT_E_SYSTEM with sys
 * EROFS. */
int bt_lock_take(int dirfd, const char *name, enum bt_lock_kind kind, const struct bt_lock_wait *wait, int *ret_fd,
		 struct bt_error *error);

/* Takes a lock again through the descriptor that has it: on a network file system it may have been lost silently. 0 or
 * -errno; -EAGAIN if somebody else has it now. After success somebody else may still have had it for a while. With
 * another kind the lock becomes one of that kind, or stays as it is. */
int bt_lock_again(int fd, enum bt_lock_kind kind);

/* Takes one of 2^62 further exclusive locks of the same file, which are independent of those above and of each other.
 * Does not wait: BT_E_LOCKED if somebody has it. */
int bt_lock_claim(int dirfd, const char *name, uint64_t number, int *ret_fd, struct bt_error *error);

/* Whether somebody has that lock, and who: holder has BT_HOLDER_SIZE bytes, and gets what detail would have. */
#define BT_HOLDER_SIZE 120
bool bt_lock_claimed(int dirfd, const char *name, uint64_t number, char *holder);

/* Marks a file that is open for writing as being in use, until its last descriptor is closed. 0 or -errno; fails also
 * if it is marked already. */
int bt_lock_mark(int fd);

#endif
