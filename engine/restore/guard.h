/* SPDX-License-Identifier: MIT */
/* Protects the store that is restored from, wherever in the output directory it lies: a restore neither removes it nor
 * writes to it. It is recognised by device and inode, whatever name leads to it. If snapshot files lie loose in a
 * directory, these files are the store, and --delete keeps the directory, too. */
#ifndef BT_RESTORE_GUARD_H
#define BT_RESTORE_GUARD_H

#include "store/store.h"
#include <sys/stat.h>

struct bt_guard {
	struct bt_store *store;
	struct bt_guarded {
		dev_t dev;
		ino_t ino;
	} * chain; /* the store's directory, and the directories above it */
	size_t count, room;
	bool loose; /* snapshot files in a directory that is no store otherwise */
};

/* Call it before the process is confined. The store is borrowed. */
int bt_guard_init(struct bt_guard *guard, struct bt_store *store, struct bt_error *error);
void bt_guard_free(struct bt_guard *guard);

/* BT_E_INVALID if output is the store or would lie in it. fd: output, or the directory that it is to be made in. */
int bt_guard_check_output(const struct bt_guard *guard, int fd, const char *output, struct bt_error *error);

/* How far the directory lies above the store: 1 for the store's directory, 2 for its parent and so on; 0 for any
 * other. */
size_t bt_guard_level(const struct bt_guard *guard, const struct stat *status);
/* Whether name in the directory must stay as it is. status: of name. */
bool bt_guard_keeps(const struct bt_guard *guard, const struct stat *directory, const char *name,
		    const struct stat *status);

#endif
