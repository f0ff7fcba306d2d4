/* SPDX-License-Identifier: MIT */
#include "base/fail.h"
#include "codec/frame.h"
#include "codec/seekable.h"
#include "store/rest.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LEVEL 3
/* The first and the last frame are small: they are what opening a file reads. */
#define EDGE  ((size_t)4096)
#define WHOLE ((size_t)32 << 10) /* a file up to this size is one frame */
#define ROOM  (BT_SEEK_PART + EDGE)

struct rest_upload {
	struct bt_upload upload;
	struct bt_upload *stored;
	struct bt_compressor *compressor;
	struct bt_hasher *hasher;
	struct bt_seek_table table;
	struct bt_buf plain; /* not yet in a frame */
	struct bt_buf frame;
	uint64_t size; /* of the file so far */
	bool finished;
	int failure; /* -errno of the first failed write: some of it may be written */
};

static struct rest_upload *upload_of(const struct bt_upload *upload)
{
	return (struct rest_upload *)(uintptr_t)upload;
}

static int put_frame(struct rest_upload *rest, const void *data, size_t length)
{
	size_t size = 0;

	if (bt_compress_modestly(rest->compressor, data, length, rest->frame.data, &size))
		return -ENOMEM;
	int r = bt_upload_write(rest->stored, rest->frame.data, size);
	if (r)
		return r;
	bt_hasher_add(rest->hasher, rest->frame.data, size);
	rest->size += size;
	return bt_seek_table_add(&rest->table, size, length) ? -ENOMEM : 0;
}

/* Makes a frame of the first bytes that wait. */
static int take(struct rest_upload *rest, size_t length)
{
	int r = length ? put_frame(rest, rest->plain.data, length) : 0;

	rest->plain.length -= length;
	memmove(rest->plain.data, rest->plain.data + length, rest->plain.length);
	return r;
}

/* Keeps enough for the last frame. */
static int take_full(struct rest_upload *rest)
{
	return take(rest, bt_seek_frames(&rest->table) ? BT_SEEK_PART : EDGE);
}

static int gather(struct rest_upload *rest, const unsigned char *data, size_t length)
{
	int r = 0;

	while (length && !r) {
		size_t room = ROOM - rest->plain.length, part = length < room ? length : room;

		memcpy(rest->plain.data + rest->plain.length, data, part);
		rest->plain.length += part;
		data += part;
		length -= part;
		if (rest->plain.length == ROOM)
			r = take_full(rest);
	}
	return r;
}

static int write_plain(struct bt_upload *upload, const void *data, size_t length)
{
	struct rest_upload *rest = upload_of(upload);

	if (!rest->failure)
		rest->failure = rest->finished ? -EINVAL : gather(rest, data, length);
	return rest->failure;
}

static ssize_t pread_nothing(struct bt_upload *upload, void *data, size_t length, uint64_t offset)
{
	return -ENOTSUP;
}

static int put_frames(struct rest_upload *rest)
{
	bool begun = bt_seek_frames(&rest->table);
	int r = 0;

	if (!begun && rest->plain.length <= WHOLE)
		return take(rest, rest->plain.length);
	if (!begun)
		r = take(rest, EDGE);
	if (!r)
		r = take(rest, rest->plain.length - EDGE);
	return r ? r : take(rest, EDGE);
}

static int put_table(struct rest_upload *rest)
{
	struct bt_digest digest;

	bt_buf_clear(&rest->plain);
	if (bt_hasher_finish(rest->hasher, &digest) || bt_seek_table_write(&rest->table, &digest, &rest->plain))
		return -ENOMEM;
	rest->size += rest->plain.length;
	return bt_upload_write(rest->stored, rest->plain.data, rest->plain.length);
}

static int finish(struct rest_upload *rest)
{
	if (rest->finished || rest->failure)
		return rest->failure;
	rest->finished = true;
	rest->failure = put_frames(rest);
	if (!rest->failure)
		rest->failure = put_table(rest);
	return rest->failure;
}

static int publish_stored(struct bt_upload *upload, const char *name, struct bt_error *error)
{
	struct rest_upload *rest = upload_of(upload);
	int r = finish(rest);

	return r ? bt_upload_failed(rest->stored, -r, error) : bt_upload_publish(rest->stored, name, error);
}

static int spool_plain(const struct bt_upload *upload, struct bt_upload **ret_spool, struct bt_error *error)
{
	return bt_upload_spool(upload_of(upload)->stored, ret_spool, error);
}

static int failed_stored(const struct bt_upload *upload, int sys, struct bt_error *error)
{
	return bt_upload_failed(upload_of(upload)->stored, sys, error);
}

static void close_upload(struct bt_upload *upload)
{
	struct rest_upload *rest = upload_of(upload);

	bt_upload_close(rest->stored);
	bt_compressor_free(rest->compressor);
	bt_hasher_free(rest->hasher);
	bt_seek_table_free(&rest->table);
	bt_buf_free(&rest->plain);
	bt_buf_free(&rest->frame);
	free(rest);
}

static const struct bt_upload_ops upload_ops = {write_plain,  pread_nothing, publish_stored, spool_plain, failed_stored,
						close_upload, NULL};

int bt_rest_upload(struct bt_upload *stored, struct bt_upload **ret_upload, struct bt_error *error)
{
	struct rest_upload *rest = calloc(1, sizeof(*rest));

	if (!rest) {
		bt_upload_close(stored);
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	}
	*rest = (struct rest_upload){.upload.ops = &upload_ops, .stored = stored};
	rest->compressor = bt_compressor_new(LEVEL);
	rest->hasher = bt_hasher_new();
	if (!rest->compressor || !rest->hasher || bt_buf_reserve(&rest->plain, ROOM) ||
	    bt_buf_reserve(&rest->frame, bt_frame_bound(BT_SEEK_PART))) {
		close_upload(&rest->upload);
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	}
	bt_hasher_start(rest->hasher);
	*ret_upload = &rest->upload;
	return 0;
}

bool bt_is_rest_upload(const struct bt_upload *upload)
{
	return upload->ops == &upload_ops;
}

uint64_t bt_rest_upload_size(const struct bt_upload *upload)
{
	return upload_of(upload)->size;
}
