/* SPDX-License-Identifier: MIT */
#include "store/file.h"
#include "base/fail.h"
#include "base/io.h"
#include "codec/base64.h"
#include "codec/frame.h"
#include "store/file_inside.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

/* Takes both descriptors over; *ret_file may be filled on failure, too. */
static int file_new(int fd, int source_fd, const char *name, struct bt_file **ret_file, struct bt_error *error)
{
	struct bt_file *file = calloc(1, sizeof(*file));
	struct bt_fd *handle = NULL, *source = NULL;
	int r = bt_fd_new(fd, &handle);
	if (source_fd >= 0)
		r |= bt_fd_new(source_fd, &source);
	if (!file || r) {
		bt_fd_free(handle);
		bt_fd_free(source);
		free(file);
		return bt_fail(error, BT_E_NOMEM, name, NULL);
	}
	file->fd = handle;
	file->source = source;
	*ret_file = file;
	file->name = strdup(name);
	return file->name ? 0 : bt_fail(error, BT_E_NOMEM, name, NULL);
}

static int regular_size(struct bt_fd *fd, const char *name, uint64_t *ret_size, struct bt_error *error)
{
	struct stat st;
	/* not shared yet, so the descriptor is there */
	if (fstat(bt_fd_get(fd), &st))
		return bt_fail_sys(error, errno, name, "stat");
	if (!S_ISREG(st.st_mode))
		return bt_fail_damaged(error, BT_R_UNKNOWN_FORMAT, name, 0);
	*ret_size = (uint64_t)st.st_size;
	return 0;
}

static int open_parts(int fd, int source_fd, const char *name, enum bt_file_kind expected, struct bt_file **ret_file,
		      struct bt_error *error)
{
	struct bt_file *file = NULL;
	int r = file_new(fd, source_fd, name, &file, error);
	if (!r)
		r = regular_size(file->fd, name, &file->sections.size, error);
	if (!r && source_fd >= 0)
		r = regular_size(file->source, name, &file->source_size, error);
	if (!r)
		r = bt_file_load(file, expected, error);
	if (r) {
		bt_file_free(file);
		return r;
	}
	*ret_file = file;
	return 0;
}

int bt_file_open(int fd, const char *name, struct bt_file **ret_file, struct bt_error *error)
{
	return open_parts(fd, -1, name, BT_KIND_SNAPSHOT, ret_file, error);
}

int bt_file_open_classic(int fd, int source_fd, const char *name, struct bt_file **ret_file, struct bt_error *error)
{
	return open_parts(fd, source_fd, name, BT_KIND_CLASSIC, ret_file, error);
}

int bt_file_open_loosely(int fd, const char *name, struct bt_file **ret_file, struct bt_error *error)
{
	static const struct bt_index_visitor nobody = {0};
	struct bt_file *file = NULL;
	int r = file_new(fd, -1, name, &file, error);
	if (!r)
		r = regular_size(file->fd, name, &file->sections.size, error);
	if (!r) {
		file->loose = true;
		r = bt_file_visit_loosely(file, &nobody, error); /* header and summary */
	}
	if (r) {
		bt_file_free(file);
		return r;
	}
	*ret_file = file;
	return 0;
}

void bt_file_free(struct bt_file *file)
{
	if (!file)
		return;
	bt_fd_free(file->fd);
	bt_fd_free(file->source);
	bt_buf_free(&file->header);
	bt_buf_free(&file->summary);
	free(file->name);
	free(file);
}

int bt_file_share(struct bt_file *file, struct bt_fds *fds, int dirfd, const char *path)
{
	return bt_fd_share(file->source ? file->source : file->fd, fds, dirfd, path);
}

bool bt_file_keep(struct bt_file *file)
{
	return bt_fd_keep(file->fd) && (!file->source || bt_fd_keep(file->source));
}

void bt_file_release(struct bt_file *file)
{
	bt_fd_release(file->fd);
	if (file->source)
		bt_fd_release(file->source);
}

enum bt_file_kind bt_file_kind(const struct bt_file *file)
{
	return file->kind;
}

const char *bt_file_name(const struct bt_file *file)
{
	return file->name;
}

const struct bt_sections *bt_file_sections(const struct bt_file *file)
{
	return &file->sections;
}

struct bt_text bt_file_header(const struct bt_file *file)
{
	return (struct bt_text){(const char *)file->header.data, file->header.length};
}

struct bt_text bt_file_summary(const struct bt_file *file)
{
	return (struct bt_text){(const char *)file->summary.data, file->summary.length};
}

int bt_file_pread_from(struct bt_fd *fd, const char *name, void *data, size_t length, uint64_t offset,
		       struct bt_error *error)
{
	int number = bt_fd_get(fd);
	if (number == -ESTALE)
		return bt_fail_damaged(error, BT_R_CHANGED, name, BT_NO_OFFSET);
	if (number < 0)
		return bt_fail_sys(error, -number, name, "open");
	ssize_t n = bt_pread_some(number, data, length, offset);
	bt_fd_put(fd);
	if (n < 0)
		return bt_fail_sys(error, (int)-n, name, "read");
	if ((size_t)n < length)
		return bt_fail_damaged(error, BT_R_TRUNCATED, name, offset + (uint64_t)n);
	return 0;
}

int bt_file_pread(struct bt_file *file, void *data, size_t length, uint64_t offset, struct bt_error *error)
{
	if (offset > file->sections.size || length > file->sections.size - offset)
		return bt_fail_damaged(error, BT_R_BAD_OFFSET, file->name, offset);
	return bt_file_pread_from(file->fd, file->name, data, length, offset, error);
}

/* A file system that cannot say whether it would have to wait is taken for one that need not. */
bool bt_file_pread_at_once(struct bt_file *file, void *data, size_t length, uint64_t offset, bool *ret_waits)
{
	struct iovec part = {.iov_base = data, .iov_len = length};
	*ret_waits = false;
	if (offset > file->sections.size || length > file->sections.size - offset)
		return false;
	int number = bt_fd_get(file->fd);
	if (number < 0)
		return false;
	ssize_t n = preadv2(number, &part, 1, (off_t)offset, RWF_NOWAIT);
	*ret_waits = n < 0 ? errno == EAGAIN : n > 0 && (size_t)n < length;
	bt_fd_put(file->fd);
	return n >= 0 && (size_t)n == length;
}

int bt_file_pread_twice(struct bt_file *file, void *data, size_t length, uint64_t offset, struct bt_error *error)
{
	struct bt_error first = {0};
	int r = bt_file_pread(file, data, length, offset, &first);
	if (r == BT_E_SYSTEM)
		return bt_file_pread(file, data, length, offset, error);
	return bt_error_pass(error, &first, r);
}

static bool block_fits(const struct bt_file *file, const struct bt_block *block)
{
	uint64_t size = file->source ? file->source_size : file->sections.size;
	return block->length && block->length <= BT_BLOCK_TEXT_MAX && block->length % 4 == 0 && block->size &&
	       block->size <= BT_BLOCK_MAX && block->at <= size && block->length <= size - block->at &&
	       block->plain == (file->source != NULL);
}

int bt_file_block(struct bt_file *file, const struct bt_block *block, struct bt_decompressor *decompressor,
		  struct bt_buf *text, void *data, struct bt_error *error)
{
	size_t room = block->length / 4 * 3, bad = 0, size;
	if (!block_fits(file, block))
		return bt_fail_damaged(error, BT_R_BAD_OFFSET, file->name, block->at);
	text->length = 0;
	if (bt_buf_reserve(text, block->length + room))
		return bt_fail(error, BT_E_NOMEM, file->name, NULL);
	char *base64 = (char *)text->data;
	unsigned char *frame = text->data + block->length;
	int r = bt_file_pread_from(file->source ? file->source : file->fd, file->name, base64, block->length, block->at,
				   error);
	if (r)
		return r;
	if (!bt_base64_decode(frame, &size, base64, block->length, &bad))
		return bt_fail_damaged(error, BT_R_BAD_BASE64, file->name, block->at + bad);
	if (block->plain) {
		if (size != block->size)
			return bt_fail_damaged(error, BT_R_BAD_SIZE, file->name, block->at);
		memcpy(data, frame, size);
		return 0;
	}
	struct bt_error inner = {0};
	r = bt_decompress(decompressor, frame, size, data, block->size, &inner);
	if (r == BT_E_DAMAGED)
		return bt_fail_damaged(error, inner.reason, file->name, block->at);
	return r ? bt_fail(error, r, file->name, inner.detail) : 0;
}
