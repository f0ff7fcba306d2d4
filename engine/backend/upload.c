/* SPDX-License-Identifier: MIT */
/* Uploads into a directory, or to a descriptor. */
#include "backend/upload.h"
#include "base/fail.h"
#include "base/io.h"
#include "base/publish.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

#define WRITEBACK ((uint64_t)8 << 20)

struct local {
	struct bt_upload upload;
	struct bt_publish file;
	bool borrowed;
	uint64_t written, begun; /* begun: the bytes whose writing to the disk has been started */
};

int bt_upload_write(struct bt_upload *upload, const void *data, size_t length)
{
	return upload->ops->write(upload, data, length);
}

ssize_t bt_upload_pread(struct bt_upload *upload, void *data, size_t length, uint64_t offset)
{
	return upload->ops->pread(upload, data, length, offset);
}

int bt_upload_publish(struct bt_upload *upload, const char *name, struct bt_error *error)
{
	if (!upload->ops->publish)
		return bt_fail(error, BT_E_INVALID, name, "it can have no name");
	return upload->ops->publish(upload, name, error);
}

int bt_upload_replace(struct bt_upload *upload, const char *name, struct bt_error *error)
{
	if (!upload->ops->replace)
		return bt_fail(error, BT_E_INVALID, name, "it replaces nothing");
	return upload->ops->replace(upload, name, error);
}

int bt_upload_spool(const struct bt_upload *upload, struct bt_upload **ret_spool, struct bt_error *error)
{
	return upload->ops->spool(upload, ret_spool, error);
}

int bt_upload_failed(const struct bt_upload *upload, int sys, struct bt_error *error)
{
	return upload->ops->failed(upload, sys, error);
}

void bt_upload_close(struct bt_upload *upload)
{
	if (upload)
		upload->ops->close(upload);
}

static struct local *local_of(const struct bt_upload *upload)
{
	return (struct local *)(uintptr_t)upload;
}

/* Starts writing early, so that the sync at the end has less to wait for. Only a hint: its errors do not matter. */
static void begin_writeback(struct local *local)
{
	if (local->written - local->begun < WRITEBACK)
		return;
	sync_file_range(local->file.fd, (off_t)local->begun, (off_t)(local->written - local->begun),
			SYNC_FILE_RANGE_WRITE);
	local->begun = local->written;
}

static int write_local(struct bt_upload *upload, const void *data, size_t length)
{
	struct local *local = local_of(upload);
	int r = bt_write_all(local->file.fd, data, length);

	if (r)
		return r;
	local->written += length;
	begin_writeback(local);
	return 0;
}

/* A spool never has to reach the disk. */
static int write_spool(struct bt_upload *upload, const void *data, size_t length)
{
	return bt_write_all(local_of(upload)->file.fd, data, length);
}

static ssize_t pread_local(struct bt_upload *upload, void *data, size_t length, uint64_t offset)
{
	return bt_pread_some(local_of(upload)->file.fd, data, length, offset);
}

static int publish_local(struct bt_upload *upload, const char *name, struct bt_error *error)
{
	return bt_publish_commit(&local_of(upload)->file, name, error);
}

static int replace_local(struct bt_upload *upload, const char *name, struct bt_error *error)
{
	return bt_publish_replace(&local_of(upload)->file, name, error);
}

static int failed_local(const struct bt_upload *upload, int sys, struct bt_error *error)
{
	return bt_publish_failed(local_of(upload)->file.temp, sys, NULL, "write", error);
}

static void close_local(struct bt_upload *upload)
{
	struct local *local = local_of(upload);

	if (local->borrowed)
		local->file.fd = -1;
	bt_publish_abort(&local->file);
	free(local);
}

static int spool_beside(const struct bt_upload *upload, struct bt_upload **ret_spool, struct bt_error *error);
static int spool_apart(const struct bt_upload *upload, struct bt_upload **ret_spool, struct bt_error *error);

static const struct bt_upload_ops to_directory = {write_local,	pread_local, publish_local, spool_beside,
						  failed_local, close_local, replace_local};
static const struct bt_upload_ops to_fd = {write_spool,	 pread_local, NULL, spool_apart,
					   failed_local, close_local, NULL};

static struct local *local_new(const struct bt_upload_ops *ops)
{
	struct local *local = calloc(1, sizeof(*local));

	if (!local)
		return NULL;
	local->upload.ops = ops;
	local->file.fd = -1;
	return local;
}

static int begin_in(const struct bt_upload_ops *ops, int dirfd, struct bt_upload **ret_upload, struct bt_error *error)
{
	struct local *local = local_new(ops);

	if (!local)
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	int r = bt_publish_begin_in_store(&local->file, dirfd, error);
	if (r)
		free(local);
	else
		*ret_upload = &local->upload;
	return r;
}

int bt_upload_to_directory(int dirfd, struct bt_upload **ret_upload, struct bt_error *error)
{
	return begin_in(&to_directory, dirfd, ret_upload, error);
}

static int spool_beside(const struct bt_upload *upload, struct bt_upload **ret_spool, struct bt_error *error)
{
	return begin_in(&to_fd, local_of(upload)->file.dirfd, ret_spool, error);
}

int bt_upload_to_fd(int fd, struct bt_upload **ret_upload, struct bt_error *error)
{
	struct local *local = local_new(&to_fd);

	if (!local)
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	local->file.fd = fd;
	local->borrowed = true;
	*ret_upload = &local->upload;
	return 0;
}

static int spool_apart(const struct bt_upload *upload, struct bt_upload **ret_spool, struct bt_error *error)
{
	int fd = bt_scratch_file();

	if (fd < 0)
		return bt_fail_sys(error, -fd, NULL, "create a temporary file");
	int r = bt_upload_to_fd(fd, ret_spool, error);
	if (r)
		bt_close(&fd);
	else
		local_of(*ret_spool)->borrowed = false;
	return r;
}

int bt_scratch_file(void)
{
	const char *directory = secure_getenv("TMPDIR");
	int fd = bt_openat(AT_FDCWD, directory && *directory ? directory : "/tmp", O_TMPFILE | O_RDWR, 0600);

	if (fd < 0)
		fd = memfd_create("backuptool", MFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
