/* SPDX-License-Identifier: MIT */
/*
 * The functions of a back end. Each implements the function of the same name in backend.h (object.h, upload.h); the
 * functions that are not here are built on these.
 *
 * The requirements are few: there are whole files under names, a list shows every published file, and if several
 * programs publish the same name, one of them gets it. A back end without renames moves by copying and removing: a
 * digest stands for the same bytes wherever they lie, so an interruption between the two does no harm. Without hard
 * links a twin is a copy, and is_twin never recognises it. If each call is durable by itself, settle does nothing.
 * Functions that only a directory of this machine can have are marked: local.
 */
#ifndef BT_BACKEND_OPS_H
#define BT_BACKEND_OPS_H

#include "backend/object.h"
#include "backend/upload.h"

struct bt_backend_ops {
	void (*close)(struct bt_backend *backend, bool undo);

	int (*look)(struct bt_backend *backend, enum bt_area area, const char *name, struct bt_stored *ret_stored);
	int (*find)(struct bt_backend *backend, enum bt_area area);
	int (*reach)(struct bt_backend *backend, enum bt_area area, struct bt_error *error);
	int (*list)(struct bt_backend *backend, enum bt_area area, const struct bt_list_visitor *visitor,
		    struct bt_error *error);
	bool (*changed)(struct bt_backend *backend);
	struct bt_time (*area_time)(const struct bt_backend *backend, enum bt_area area);

	int (*open)(struct bt_backend *backend, const struct bt_backend_name *name, const struct bt_stored *listed,
		    struct bt_object **ret_object, struct bt_error *error);
	int (*create)(struct bt_backend *backend, enum bt_area area, struct bt_upload **ret_upload,
		      struct bt_error *error);

	int (*move)(struct bt_backend *backend, const struct bt_backend_name *from, const struct bt_backend_name *to);
	int (*twin)(struct bt_backend *backend, const struct bt_backend_name *from, const struct bt_backend_name *to,
		    struct bt_error *error);
	int (*replace)(struct bt_backend *backend, const struct bt_backend_name *from, const char *name,
		       struct bt_error *error);
	int (*remove)(struct bt_backend *backend, const struct bt_backend_name *name);
	int (*settle)(struct bt_backend *backend, enum bt_area area);
	void (*sweep)(struct bt_backend *backend, bool alone);

	int (*lock)(struct bt_backend *backend, enum bt_lock_kind kind, const struct bt_lock_wait *wait, int *ret_fd,
		    struct bt_error *error);
	int (*claim)(struct bt_backend *backend, uint64_t number, int *ret_fd, struct bt_error *error);
	int (*lock_again)(struct bt_backend *backend, int fd, enum bt_lock_kind kind);
	bool (*claimed)(struct bt_backend *backend, uint64_t number, char *holder);

	int (*local_fd)(struct bt_backend *backend, enum bt_area area); /* local; NULL: -1 */
};

struct bt_backend {
	const struct bt_backend_ops *ops;
	bool read_only;
	unsigned open_limit; /* number of objects that can be kept; 0: none can */
};

/* directory.c: a directory of a file system. */
int bt_directory_open(const char *path, const struct bt_backend_options *options, struct bt_backend **ret_backend,
		      struct bt_error *error);

#endif
