/* SPDX-License-Identifier: MIT */
/*
 * The store that is restored from outlives the restore, wherever in the output directory it lies: it is neither removed
 * nor written to. It is known by device and inode, whatever name leads to it. Where snapshot files just lie in some
 * directory, the store is these files, and with --delete the directory stays, too.
 */
#ifndef BT_RESTORE_GUARD_H
#define BT_RESTORE_GUARD_H

#include "store/store.h"
#include <sys/stat.h>

struct bt_guard {
	struct bt_store *store;
	struct bt_guarded {
		dev_t dev;
		ino_t ino;
	} * chain; /* the store's directory, and those above it */
	size_t count, room;
	bool loose; /* just files in some directory */
};

/* Before the process is confined. The store is borrowed. */
int bt_guard_init(struct bt_guard *guard, struct bt_store *store, struct bt_error *error);
void bt_guard_free(struct bt_guard *guard);

/* BT_E_INVALID if output, which is fd or is to be made in it, is the store or would lie in it. */
int bt_guard_check_output(const struct bt_guard *guard, int fd, const char *output, struct bt_error *error);

/* 1: the store's directory, 2: the one above it, and so on; 0: none of them. */
size_t bt_guard_rank(const struct bt_guard *guard, const struct stat *status);
/* Whether name in that directory must stay as it is, there being what status tells. */
bool bt_guard_keeps(const struct bt_guard *guard, const struct stat *directory, const char *name,
		    const struct stat *status);

#endif
