/* SPDX-License-Identifier: MIT */
/* A growing byte buffer. Zero-initialised is empty; free with bt_buf_free. Growth is geometric. */
#ifndef BT_BASE_BUF_H
#define BT_BASE_BUF_H

#include <stddef.h>

struct bt_buf {
	unsigned char *data;
	size_t length, capacity;
};

int bt_buf_reserve(struct bt_buf *buf, size_t extra); /* room for extra more bytes; 0 or BT_E_NOMEM */
int bt_buf_append(struct bt_buf *buf, const void *data, size_t length);
void bt_buf_free(struct bt_buf *buf); /* also resets to empty */

#endif
