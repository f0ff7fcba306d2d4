/* SPDX-License-Identifier: MIT */
/*
 * A file of a store that is open for reading. An object always reads the file that it was opened for: if it has to open
 * the file again and the name belongs to another file by then, reading fails with -ESTALE. Thread-safe except for
 * closing.
 */
#ifndef BT_BACKEND_OBJECT_H
#define BT_BACKEND_OBJECT_H

#include "backend/backend.h"
#include <stdatomic.h>

struct bt_object;

/* listed: the file as a listing gave it; if another file has the name now, BT_E_DAMAGED [changed]. NULL: any file that
 * has the name now. If it is not a regular file, BT_E_DAMAGED [not-a-file]. */
int bt_object_open(struct bt_backend *backend, const struct bt_backend_name *name, const struct bt_stored *listed,
		   struct bt_object **ret_object, struct bt_error *error);
/* A file of this machine that is open already; errors call it name. If it is not a regular file, BT_E_DAMAGED
 * [unknown-format]. The fd is taken over, also on failure. */
int bt_object_of_fd(int fd, const char *name, struct bt_object **ret_object, struct bt_error *error);
struct bt_object *bt_object_ref(struct bt_object *object); /* each reference is closed once */
void bt_object_close(struct bt_object *object);		   /* NULL is fine */

uint64_t bt_object_size(const struct bt_object *object); /* its size when it was opened */
/* Reads up to length bytes, fewer only at the end: their number, or -errno. -ESTALE: another file has the name now. */
ssize_t bt_object_pread(struct bt_object *object, void *data, size_t length, uint64_t offset);
/* The same without waiting for a disk or a network: the bytes that are in memory, or -EAGAIN if the first one is not. A
 * back end that cannot tell fails with another -errno, or waits. */
ssize_t bt_object_pread_at_once(struct bt_object *object, void *data, size_t length, uint64_t offset);

/* keep: it stays readable even after its name is removed. Otherwise it may be closed and opened again by name. Returns
 * whether it is kept now. */
bool bt_object_keep(struct bt_object *object, bool keep);
/* Call when nobody reads from it any more. */
void bt_object_release(struct bt_object *object);
/* A descriptor to read it with, which the caller closes: of the file itself if the object has one, otherwise of a copy.
 * 0 or -errno. */
int bt_object_copy_fd(struct bt_object *object, int *ret_fd);

/* The functions of each kind of object. */
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
