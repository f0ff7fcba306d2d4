/* SPDX-License-Identifier: MIT */
/*
 * A file that is being written into a store. It is invisible until it is published; then it is complete and durable.
 * One thread at a time may use an upload.
 *
 * Back ends differ in where the bytes wait (in a file without a name in the store's own directory, in a file in TMPDIR
 * that is sent at the end, in memory), so this interface is small.
 */
#ifndef BT_BACKEND_UPLOAD_H
#define BT_BACKEND_UPLOAD_H

#include <backuptool/error.h>
#include <sys/types.h>

struct bt_upload;

int bt_upload_write(struct bt_upload *upload, const void *data, size_t length); /* appends: 0 or -errno */
/* Reads back up to length bytes, fewer only at the end: their number, or -errno. */
ssize_t bt_upload_pread(struct bt_upload *upload, void *data, size_t length, uint64_t offset);
/* Gives the file its name. BT_E_EXISTS: the name is taken, and nothing was changed; call again with another name. After
 * 0 the caller only has to close the upload. */
int bt_upload_publish(struct bt_upload *upload, const char *name, struct bt_error *error);
/* The same, but it replaces the file that has the name, and a power cut may take it: for what nobody needs. */
int bt_upload_replace(struct bt_upload *upload, const char *name, struct bt_error *error);
/* A second upload that is never published, for data that has to wait until it can be written to the first one. */
int bt_upload_spool(const struct bt_upload *upload, struct bt_upload **ret_spool, struct bt_error *error);
/* Fills error after a failure of write or pread. If another process removed the file that the bytes wait in, this is
 * BT_E_LOCKED with sys ENOLCK. */
int bt_upload_failed(const struct bt_upload *upload, int sys, struct bt_error *error);
void bt_upload_close(struct bt_upload *upload); /* drops the file if it is not published; NULL is fine */

/* An upload into any directory, which must outlive it. The file gets the owner of the directory (see made.h). */
int bt_upload_to_directory(int dirfd, struct bt_upload **ret_upload, struct bt_error *error);
/* An upload to a borrowed descriptor. It cannot be published. */
int bt_upload_to_fd(int fd, struct bt_upload **ret_upload, struct bt_error *error);

/* Opens a file without a name, in TMPDIR, /tmp or memory: fd or -errno. */
int bt_scratch_file(void);

/* The functions of each kind of upload, as above. publish and replace may be NULL. */
struct bt_upload_ops {
	int (*write)(struct bt_upload *upload, const void *data, size_t length);
	ssize_t (*pread)(struct bt_upload *upload, void *data, size_t length, uint64_t offset);
	int (*publish)(struct bt_upload *upload, const char *name, struct bt_error *error);
	int (*spool)(const struct bt_upload *upload, struct bt_upload **ret_spool, struct bt_error *error);
	int (*failed)(const struct bt_upload *upload, int sys, struct bt_error *error);
	void (*close)(struct bt_upload *upload);
	int (*replace)(struct bt_upload *upload, const char *name, struct bt_error *error);
};
struct bt_upload {
	const struct bt_upload_ops *ops;
};

#endif
