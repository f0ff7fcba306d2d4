/* SPDX-License-Identifier: MIT */
/* The store's lock: open file description locks (fcntl F_OFD_SETLK), gone with their last descriptor. Writers share it;
 * only what deletes takes it alone. */
#ifndef BT_BASE_LOCK_H
#define BT_BASE_LOCK_H

#include <backuptool/error.h>

enum bt_lock_kind { BT_LOCK_SHARED, BT_LOCK_EXCLUSIVE };

/* Opens (creating it 0600 if create) and locks; waits up to wait_ms (0: not at all, -1: forever). BT_E_LOCKED on
 * time-out. A read-only file system gives BT_E_SYSTEM with sys == EROFS. */
int bt_lock_take(int dirfd, const char *name, enum bt_lock_kind kind, int wait_ms, int *ret_fd, struct bt_error *error);

/* The same file has 2^62 further locks, which have nothing to do with that one and with each other: takes one of them
 * alone, without waiting. BT_E_LOCKED when somebody has it. */
int bt_lock_claim(int dirfd, const char *name, uint64_t number, int *ret_fd, struct bt_error *error);

#endif
