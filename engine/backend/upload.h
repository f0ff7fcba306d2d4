/* SPDX-License-Identifier: MIT */
/*
 * A file on its way into a store: nobody sees it until it is published, and then all of it is there and durable. One
 * thread at a time.
 *
 * The kinds of a back end differ in where the bytes wait (a file without a name in the store's own directory, a file of
 * TMPDIR that is sent at the end, memory), so nothing is asked of an upload but what follows.
 */
#ifndef BT_BACKEND_UPLOAD_H
#define BT_BACKEND_UPLOAD_H

#include <backuptool/error.h>
#include <sys/types.h>

struct bt_upload;

int bt_upload_write(struct bt_upload *upload, const void *data, size_t length); /* appends: 0 or -errno */
/* What was written, until length or its end: bytes or -errno. */
ssize_t bt_upload_pread(struct bt_upload *upload, void *data, size_t length, uint64_t offset);
/* BT_E_EXISTS: the name is taken, and nothing was changed; call again with another name. After 0 nothing is left to do
 * but to close it. */
int bt_upload_publish(struct bt_upload *upload, const char *name, struct bt_error *error);
/* A second one that is never published: for what has to wait until it can be written to the first. */
int bt_upload_spool(const struct bt_upload *upload, struct bt_upload **ret_spool, struct bt_error *error);
/* An error of write or pread. If somebody removed what the bytes wait in, BT_E_LOCKED with sys ENOLCK. */
int bt_upload_failed(const struct bt_upload *upload, int sys, struct bt_error *error);
void bt_upload_close(struct bt_upload *upload); /* abandons it if it is not published; NULL is fine */

/* Into any directory, with its owner (see made.h), which outlives it. */
int bt_upload_to_directory(int dirfd, struct bt_upload **ret_upload, struct bt_error *error);
/* To a descriptor, which is borrowed, and has its name or gets none: it cannot be published. */
int bt_upload_to_fd(int fd, struct bt_upload **ret_upload, struct bt_error *error);

/* A file without a name, in TMPDIR, /tmp or memory: fd or -errno. */
int bt_scratch_file(void);

/* What each kind is made of; each function is the one above, but for publish, which may be NULL. */
struct bt_upload_ops {
	int (*write)(struct bt_upload *upload, const void *data, size_t length);
	ssize_t (*pread)(struct bt_upload *upload, void *data, size_t length, uint64_t offset);
	int (*publish)(struct bt_upload *upload, const char *name, struct bt_error *error);
	int (*spool)(const struct bt_upload *upload, struct bt_upload **ret_spool, struct bt_error *error);
	int (*failed)(const struct bt_upload *upload, int sys, struct bt_error *error);
	void (*close)(struct bt_upload *upload);
};
struct bt_upload {
	const struct bt_upload_ops *ops;
};

#endif
