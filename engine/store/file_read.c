/* SPDX-License-Identifier: MIT */
/* The bytes of an open file: ranges of it, and its blocks. */
#include "base/fail.h"
#include "codec/base64.h"
#include "codec/frame.h"
#include "store/file_inside.h"
#include "store/rest.h"
#include <errno.h>
#include <string.h>

static int pread_from(struct bt_object *object, const char *name, void *data, size_t length, uint64_t offset,
		      struct bt_error *error)
{
	ssize_t n = bt_object_pread(object, data, length, offset);

	if (n < 0 && bt_is_rest(object))
		return bt_rest_failed(object, name, length, offset, (int)-n, error);
	if (n == -ESTALE)
		return bt_fail_damaged(error, BT_R_CHANGED, name, BT_NO_OFFSET);
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
	return pread_from(file->object, file->name, data, length, offset, error);
}

/* If the file system cannot tell whether it would wait, it is assumed not to. */
bool bt_file_pread_at_once(struct bt_file *file, void *data, size_t length, uint64_t offset, bool *ret_waits)
{
	*ret_waits = false;
	if (offset > file->sections.size || length > file->sections.size - offset)
		return false;
	ssize_t n = bt_object_pread_at_once(file->object, data, length, offset);
	*ret_waits = n < 0 ? n == -EAGAIN : n > 0 && (size_t)n < length;
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

uint64_t bt_file_part_end(const struct bt_file *file, uint64_t offset)
{
	return bt_rest_part_end(file->object, offset);
}

uint64_t bt_file_stored(const struct bt_file *file, uint64_t length)
{
	uint64_t size = bt_object_size(file->named), stored = bt_rest_stored_to(file->named, size);

	return size == stored || !size ? length : (uint64_t)((double)length * (double)stored / (double)size);
}

static bool block_fits(const struct bt_file *file, const struct bt_block *block)
{
	uint64_t size = bt_object_size(file->named);

	return block->length && block->length <= BT_BLOCK_TEXT_MAX && block->length % 4 == 0 && block->size &&
	       block->size <= BT_BLOCK_MAX && block->at <= size && block->length <= size - block->at &&
	       block->plain == (file->kind == BT_KIND_CLASSIC);
}

static bool has_xxh3(const unsigned char *frame, size_t size, const struct bt_xxh3 *expected)
{
	struct bt_xxh3 xxh3 = bt_xxh3_of(frame, size);

	return bt_xxh3_equal(&xxh3, expected);
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
	int r = pread_from(file->named, file->name, base64, block->length, block->at, error);
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
	if (block->has_xxh3 && !has_xxh3(frame, size, &block->xxh3))
		return bt_fail_damaged(error, BT_R_DIGEST_MISMATCH, file->name, block->at);
	struct bt_error inner = {0};
	r = bt_decompress(decompressor, frame, size, data, block->size, &inner);
	if (r == BT_E_DAMAGED)
		return bt_fail_damaged(error, inner.reason, file->name, block->at);
	return r ? bt_fail(error, r, file->name, inner.detail) : 0;
}
