/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

static int grow_buf(struct bt_buf *buf, size_t extra)
{
	size_t needed, capacity;

	if (__builtin_add_overflow(buf->length, extra, &needed) || needed > SIZE_MAX / 4)
		return BT_E_NOMEM;
	capacity = buf->capacity + buf->capacity / 2;
	if (capacity < needed)
		capacity = needed;
	if (capacity < 64)
		capacity = 64;
	unsigned char *data = realloc(buf->data, capacity);
	if (!data)
		return BT_E_NOMEM;
	buf->data = data;
	buf->capacity = capacity;
	return 0;
}

int bt_buf_reserve(struct bt_buf *buf, size_t extra)
{
	if (extra <= buf->capacity - buf->length)
		return 0;
	if (!grow_buf(buf, extra))
		return 0;
	buf->failed = true;
	return BT_E_NOMEM;
}

int bt_buf_append(struct bt_buf *buf, const void *data, size_t length)
{
	if (length == 0)
		return 0;
	if (bt_buf_reserve(buf, length))
		return BT_E_NOMEM;
	memcpy(buf->data + buf->length, data, length);
	buf->length += length;
	return 0;
}

void bt_buf_free(struct bt_buf *buf)
{
	free(buf->data);
	*buf = (struct bt_buf){0};
}
