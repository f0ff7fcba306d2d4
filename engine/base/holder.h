/* SPDX-License-Identifier: MIT */
#ifndef BT_BASE_HOLDER_H
#define BT_BASE_HOLDER_H

#include <fcntl.h>
#include <stddef.h>

/*
 * Who has a lock on a file of this name that is in the way of wanted, as the kernel tells it now: "backuptool snapshot
 * (process 1234)"; "another backuptool" when it does not tell, which is so for processes of other users and other
 * containers. The name may hold any bytes.
 */
void bt_lock_holder(int fd, const char *name, const struct flock *wanted, char *text, size_t size);

#endif
