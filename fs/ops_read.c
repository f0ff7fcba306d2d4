/* SPDX-License-Identifier: MIT */
#include "ahead.h"
#include "dirs.h"
#include "look.h"
#include "loop.h"
#include "ops.h"
#include "push.h"
#include "where.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>

#define PIECES_MAX 64

static unsigned char zeros[128 << 10]; /* the bytes of holes; never written */

/* The pieces of one reply, pinned. */
struct pieces {
	struct bt_slice slices[PIECES_MAX];
	struct iovec parts[PIECES_MAX];
	int count;
	fuse_ino_t node;
	bool fresh;    /* this read has decoded something */
	uint64_t next; /* the end in the file of the last piece's content */
};

static int errno_of(struct fs *fs, fuse_ino_t node, const struct bt_entry *file, int code, const struct bt_error *error)
{
	char text[WHERE_SIZE];

	return fs_errno(fs, where_is(fs, node, file, text), code, error);
}

static void pieces_end(struct fs *fs, struct pieces *pieces)
{
	while (pieces->count > 0)
		bt_slice_end(fs->store, &pieces->slices[--pieces->count]);
}

/* Adds the part of a slice that lies in the range up to end; gives its length. */
static uint64_t add_piece(struct pieces *pieces, const struct bt_slice *slice, uint64_t offset, uint64_t end)
{
	uint64_t length = slice->length < end - offset ? slice->length : end - offset;

	if (!slice->data && length > sizeof(zeros))
		length = sizeof(zeros);
	pieces->next = offset + slice->length;
	pieces->fresh |= slice->fresh;
	pieces->parts[pieces->count++] = (struct iovec){
		.iov_base = slice->data ? (void *)(uintptr_t)slice->data : zeros, .iov_len = (size_t)length};
	return length;
}

/* E2BIG: too many pieces. */
static int gather(struct fs *fs, const struct bt_entry *file, uint64_t offset, uint64_t size, struct pieces *pieces)
{
	unsigned version = bt_store_version(fs->store);
	int r = 0;

	for (uint64_t end = offset + size, length; offset < end && !r; offset += length) {
		struct bt_slice *slice = &pieces->slices[pieces->count];
		struct bt_error error = {0};
		int code = pieces->count < PIECES_MAX ? bt_slice_start(fs->store, file, offset, 0, slice, &error) : 0;

		length = 0;
		if (code && look_retry(fs, &version, &error))
			continue;
		if (code)
			r = errno_of(fs, pieces->node, file, code, &error);
		else if (pieces->count == PIECES_MAX)
			r = E2BIG;
		else
			length = add_piece(pieces, slice, offset, end);
		if (!r && length == 0)
			r = EIO;
	}
	if (r)
		pieces_end(fs, pieces);
	return r;
}

/* For a range in more pieces than a reply can have. */
static void reply_copied(fuse_req_t req, fuse_ino_t node, const struct bt_entry *file, uint64_t offset, size_t size)
{
	struct fs *fs = op_fs(req);
	struct bt_error error = {0};
	unsigned version = bt_store_version(fs->store);
	size_t length = 0;
	int code;
	char *buffer = malloc(size);

	if (!buffer) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	do
		code = bt_entry_pread(fs->store, file, buffer, size, offset, &length, &error);
	while (code && look_retry(fs, &version, &error));
	if (code || length != size)
		fuse_reply_err(req, code ? errno_of(fs, node, file, code, &error) : EIO);
	else
		fuse_reply_buf(req, buffer, size);
	free(buffer);
}

/* Answers, and hands more data to the kernel: the files that follow before the answer, so that they are there when the
 * reader goes on; the rest of this file after it. */
static void reply_pieces(fuse_req_t req, fuse_ino_t node, const struct held *held, uint64_t offset,
			 const struct pieces *pieces)
{
	struct fs *fs = op_fs(req);
	struct push_plan plan;

	push_plan_siblings(fs, node, held, &plan);
	bool siblings = plan.count > 0;
	if (!siblings && pieces->fresh)
		push_plan_rest(fs, node, held, offset, &pieces->slices[0], &plan);
	if (siblings) {
		loop_slow(fs);
		push_store(fs, &plan);
	}
	fuse_reply_iov(req, pieces->parts, pieces->count);
	if (plan.count > 0 && !siblings) {
		loop_slow(fs);
		push_store(fs, &plan);
	}
	push_plan_end(fs, &plan);
}

static void read_file(fuse_req_t req, fuse_ino_t node, const struct held *held, uint64_t offset, size_t size)
{
	struct fs *fs = op_fs(req);
	struct pieces pieces;

	pieces.node = node;
	pieces.count = 0;
	pieces.fresh = false;
	int r = gather(fs, held->entry, offset, size, &pieces);
	if (r == E2BIG) {
		loop_slow(fs);
		reply_copied(req, node, held->entry, offset, size);
		return;
	}
	if (r) {
		fuse_reply_err(req, r);
		return;
	}
	if (fs->ahead)
		ahead_note(fs->ahead, held,
			   &(struct ahead_read){.node = node,
						.block = pieces.slices[0].block,
						.offset = offset,
						.end = offset + size,
						.next = pieces.next});
	if (size > PUSH_RANDOM)
		pieces.fresh = false;
	reply_pieces(req, node, held, offset, &pieces);
	pieces_end(fs, &pieces);
}

/* A read gives all bytes that the size promises: a short reply would look like the end of the file. */
static size_t clip(const struct bt_entry *file, uint64_t offset, size_t size)
{
	if (offset >= file->size)
		return 0;
	return size < file->size - offset ? size : (size_t)(file->size - offset);
}

void op_read(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset, struct fuse_file_info *info)
{
	struct fs *fs = op_fs(req);
	struct held held;
	int r = held_get(fs, node, &held);

	if (r) {
		fuse_reply_err(req, r);
		return;
	}
	size_t length = offset < 0 ? 0 : clip(held.entry, (uint64_t)offset, size);
	if (held.entry->type != BT_FILE || (held.entry->extra && held.entry->extra->error))
		fuse_reply_err(req, held.entry->type == BT_DIR ? EISDIR : EIO);
	else if (length == 0)
		fuse_reply_buf(req, NULL, 0);
	else
		read_file(req, node, &held, (uint64_t)offset, length);
	held_end(fs, &held);
}

void op_open(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *info)
{
	if (op_fs(req)->no_open) {
		fuse_reply_err(req, ENOSYS);
		return;
	}
	info->keep_cache = 1;
	fuse_reply_open(req, info);
}
