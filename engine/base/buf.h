/* SPDX-License-Identifier: MIT */
/* A growing byte buffer. Zero-initialised is empty. Growth is geometric. */
#ifndef BT_BASE_BUF_H
#define BT_BASE_BUF_H

#include <backuptool/error.h>

struct bt_buf {
	unsigned char *data;
	size_t length, capacity;
	bool failed; /* memory ran out since it was cleared: something is missing in the data */
};

int bt_buf_reserve(struct bt_buf *buf, size_t extra); /* room for extra more bytes; 0 or BT_E_NOMEM */
int bt_buf_append(struct bt_buf *buf, const void *data, size_t length);
void bt_buf_free(struct bt_buf *buf); /* also resets to empty */

/* Empties the buffer and keeps its memory. */
static inline void bt_buf_clear(struct bt_buf *buf)
{
	buf->length = 0;
	buf->failed = false;
}

/* After a row of appends whose results nobody looked at: 0, or BT_E_NOMEM if one of them failed. */
static inline int bt_buf_result(const struct bt_buf *buf)
{
	return buf->failed ? BT_E_NOMEM : 0;
}

#endif
