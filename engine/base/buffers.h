/* SPDX-License-Identifier: MIT */
/* Large buffers, kept for reuse within a limit: they are of many sizes, which would leave the heap in pieces, and fresh
 * memory costs the kernel as much as a good part of the work. Thread-safe. */
#ifndef BT_BASE_BUFFERS_H
#define BT_BASE_BUFFERS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct bt_buffer {
	unsigned char *data;
	size_t capacity;
	struct bt_buffer *next; /* the pool's */
};

struct bt_buffers {
	pthread_mutex_t lock;
	struct bt_buffer *idle; /* latest first */
	size_t idle_bytes, keep;
	bool huge;
};

/* Where memory comes from. BT_BUFFERS_MAPPED: all of it is mapped, so that what is not kept leaves the process, and its
 * peak is what the users' budgets say. BT_BUFFERS_HUGE: those for more than 768 KiB have a huge page of 2 MiB at
 * least, and fit each other; smaller ones are allocated, and kept from 256 KiB on. */
enum bt_buffers_kind { BT_BUFFERS_MAPPED, BT_BUFFERS_HUGE };

/* keep: bytes that may lie idle. */
void bt_buffers_init(struct bt_buffers *buffers, enum bt_buffers_kind kind, size_t keep);
void bt_buffers_destroy(struct bt_buffers *buffers); /* all must have been put back */
/* At least size bytes, and except for huge pages hardly more than half as many again. NULL: out of memory. */
struct bt_buffer *bt_buffer_get(struct bt_buffers *buffers, size_t size);
void bt_buffer_put(struct bt_buffers *buffers, struct bt_buffer *buffer); /* NULL is fine */
/* What a buffer for size bytes takes that is mapped. */
size_t bt_buffer_capacity(size_t size);

#endif
