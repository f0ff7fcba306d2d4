/* SPDX-License-Identifier: MIT */
#ifndef BT_BASE_HOLDER_H
#define BT_BASE_HOLDER_H

#include <fcntl.h>
#include <stddef.h>

/*
 * Writes who holds a lock on the file of this name that conflicts with the wanted one: "backuptool snapshot (process
 * 1234)", or "another backuptool" if the kernel does not show it, as for processes of other users and containers. The
 * name may have any bytes.
 */
void bt_lock_holder(int fd, const char *name, const struct flock *wanted, char *text, size_t size);

#endif
