/* SPDX-License-Identifier: MIT */
#include "bytes.h"
#include "tool.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Signals are seen between pieces, and by who takes them. */
#define HOLE_PIECE ((uint64_t)1 << 40)

static const unsigned char zeros[65536];

static int read_slices(struct bt_store *store, const struct bt_entry *file, struct bt_whole *whole,
		       int (*take)(void *arg, const void *data, uint64_t length), void *arg, struct bt_error *error)
{
	uint64_t offset = 0;
	int r = 0;

	/* A file that could not be read has a size, but nothing to give. */
	while (!r && (offset < file->size || (file->extra && file->extra->error))) {
		struct bt_slice slice;

		if (tool_signals_seen()) {
			error->code = BT_E_CANCELLED;
			return BT_E_CANCELLED;
		}
		r = bt_slice_start(store, file, offset, 0, &slice, error);
		if (r)
			break;
		if (!slice.data && slice.length > HOLE_PIECE)
			slice.length = HOLE_PIECE;
		offset += slice.length;
		bt_whole_add(whole, slice.data, slice.length);
		r = take(arg, slice.data, slice.length);
		bt_slice_end(store, &slice);
	}
	return r;
}

int tool_bytes_read(struct bt_store *store, const struct bt_entry *file,
		    int (*take)(void *arg, const void *data, uint64_t length), void *arg, struct bt_error *error)
{
	struct bt_whole *whole = NULL;
	int r = bt_whole_begin(file, &whole, error);

	if (!r)
		r = read_slices(store, file, whole, take, arg, error);
	if (!r)
		r = bt_whole_end(whole, error);
	bt_whole_free(whole);
	return r;
}

struct sink {
	int fd;
	struct bt_error *error;
};

static int failed(struct bt_error *error)
{
	*error = (struct bt_error){.code = BT_E_SYSTEM, .sys = errno, .offset = BT_NO_OFFSET};
	snprintf(error->detail, sizeof(error->detail), "write the output");
	return BT_E_SYSTEM;
}

static int write_piece(struct sink *sink, const void *data, size_t length)
{
	const char *at = data;

	while (length > 0) {
		if (tool_signals_seen()) {
			sink->error->code = BT_E_CANCELLED;
			return BT_E_CANCELLED;
		}
		ssize_t written = write(sink->fd, at, length);

		if (written < 0 && errno == EINTR && !tool_signals_seen())
			continue;
		if (written < 0)
			return failed(sink->error);
		at += written;
		length -= (size_t)written;
	}
	return 0;
}

/* Where the output is a file that ends here, a hole stays one: a file that is one hole does not fill the disk. */
static bool ends_here(int fd, uint64_t length, off_t *ret_end)
{
	off_t at = lseek(fd, 0, SEEK_CUR);
	struct stat status;

	return at >= 0 && !fstat(fd, &status) && S_ISREG(status.st_mode) && status.st_size == at &&
	       !(fcntl(fd, F_GETFL) & O_APPEND) && !__builtin_add_overflow(at, length, ret_end);
}

static int write_out(void *arg, const void *data, uint64_t length)
{
	const struct sink *sink = arg;
	off_t end;
	int r = 0;

	if (data)
		return write_piece(arg, data, (size_t)length);
	if (ends_here(sink->fd, length, &end))
		return ftruncate(sink->fd, end) || lseek(sink->fd, end, SEEK_SET) < 0 ? failed(sink->error) : 0;
	while (!r && length > 0) {
		size_t part = length < sizeof(zeros) ? (size_t)length : sizeof(zeros);

		r = write_piece(arg, zeros, part);
		length -= part;
	}
	return r;
}

int tool_bytes_write(struct bt_store *store, const struct bt_entry *file, int fd, struct bt_error *error)
{
	struct sink sink = {fd, error};

	return tool_bytes_read(store, file, write_out, &sink, error);
}
