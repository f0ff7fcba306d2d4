/* SPDX-License-Identifier: MIT */
/* Large buffers, kept for reuse within a limit. Mapped rather than allocated: what is given back leaves the process, so
 * that its peak is what the pools' budgets say. */
#ifndef BT_SNAPSHOT_BUFFERS_H
#define BT_SNAPSHOT_BUFFERS_H

#include <pthread.h>
#include <stddef.h>

struct bt_snap_buffer {
	unsigned char *data;
	size_t capacity;
	struct bt_snap_buffer *next;
};

struct bt_snap_buffers {
	pthread_mutex_t lock;
	struct bt_snap_buffer *idle; /* latest first */
	size_t idle_bytes;
};

size_t bt_snap_buffer_capacity(size_t size); /* what a buffer for size bytes takes */
void bt_snap_buffers_init(struct bt_snap_buffers *buffers);
void bt_snap_buffers_destroy(struct bt_snap_buffers *buffers); /* all must have been put back */
struct bt_snap_buffer *bt_snap_buffer_get(struct bt_snap_buffers *buffers, size_t size); /* NULL: out of memory */
void bt_snap_buffer_put(struct bt_snap_buffers *buffers, struct bt_snap_buffer *buffer); /* NULL is fine */

#endif
