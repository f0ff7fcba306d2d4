/* SPDX-License-Identifier: MIT */
/*
 * A file of a store that is open for reading. It stays the file that it was when it was opened: where something has to
 * be opened or asked for again, and the name is another file's by then, reading fails with -ESTALE. Thread-safe but
 * for closing.
 */
#ifndef BT_BACKEND_OBJECT_H
#define BT_BACKEND_OBJECT_H

#include "backend/backend.h"
#include <stdatomic.h>

struct bt_object;

/* listed: what a list told of it; another file is BT_E_DAMAGED [changed] then. NULL: the file that has the name now.
 * What is no file is BT_E_DAMAGED [not-a-file]. */
int bt_object_open(struct bt_backend *backend, const struct bt_backend_name *name, const struct bt_stored *listed,
		   struct bt_object **ret_object, struct bt_error *error);
/* A file of this machine that is open already, called name; what is no file is BT_E_DAMAGED [unknown-format]. The fd is
 * taken over, also on failure. */
int bt_object_of_fd(int fd, const char *name, struct bt_object **ret_object, struct bt_error *error);
struct bt_object *bt_object_ref(struct bt_object *object); /* closed once for each */
void bt_object_close(struct bt_object *object);		   /* NULL is fine */

uint64_t bt_object_size(const struct bt_object *object); /* when it was opened */
/* Until length or its end: bytes or -errno; -ESTALE: another file has the name now. */
ssize_t bt_object_pread(struct bt_object *object, void *data, size_t length, uint64_t offset);
/* The same without waiting for a medium or a network: what can be had at once, or -EAGAIN. Where that cannot be told,
 * it may wait. */
ssize_t bt_object_pread_at_once(struct bt_object *object, void *data, size_t length, uint64_t offset);

/* It is read from even when its name is gone. Unkept, it may be closed and opened again by name. False: it cannot be
 * kept, or is unkept now. */
bool bt_object_keep(struct bt_object *object, bool keep);
/* Nobody reads from it again. */
void bt_object_release(struct bt_object *object);
/* A descriptor to read it with, for the caller to close: its own where it has one, else that of a copy. 0 or -errno. */
int bt_object_copy_fd(struct bt_object *object, int *ret_fd);

/* What each kind is made of. */
struct bt_object_ops {
	ssize_t (*pread)(struct bt_object *object, void *data, size_t length, uint64_t offset);
	ssize_t (*pread_at_once)(struct bt_object *object, void *data, size_t length, uint64_t offset);
	bool (*keep)(struct bt_object *object, bool keep);
	void (*release)(struct bt_object *object);
	int (*copy_fd)(struct bt_object *object, int *ret_fd); /* NULL: it has no descriptor */
	void (*close)(struct bt_object *object);	       /* the last reference */
};
struct bt_object {
	const struct bt_object_ops *ops;
	atomic_uint references;
	uint64_t size;
};

#endif
