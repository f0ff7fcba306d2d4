/* SPDX-License-Identifier: MIT */
/* The bytes of a file in a snapshot, piece by piece. */
#ifndef TOOLS_BYTES_H
#define TOOLS_BYTES_H

#include <backuptool/view.h>

/*
 * Calls take with the file's bytes in order, after they were verified; data is NULL for a hole or a piece of one. A
 * result != 0 of take ends it and is returned. BT_E_DAMAGED after the last byte if the digest of the whole file
 * differs. BT_E_CANCELLED after a signal, if signals are watched.
 */
int tool_bytes_read(struct bt_store *store, const struct bt_entry *file,
		    int (*take)(void *arg, const void *data, uint64_t length), void *arg, struct bt_error *error);

/* The same to a descriptor, holes as zeros. */
int tool_bytes_write(struct bt_store *store, const struct bt_entry *file, int fd, struct bt_error *error);

#endif
