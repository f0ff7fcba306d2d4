/* SPDX-License-Identifier: MIT */
#include "snapshot/buffers.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define GRANULE	 ((size_t)256 << 10)
#define IDLE_MAX ((size_t)12 << 20)

size_t bt_snap_buffer_capacity(size_t size)
{
	return size > SIZE_MAX / 2 ? SIZE_MAX / 2 : (size + GRANULE - 1) / GRANULE * GRANULE;
}

static void release(struct bt_snap_buffer *buffer)
{
	munmap(buffer->data, buffer->capacity);
	free(buffer);
}

void bt_snap_buffers_init(struct bt_snap_buffers *buffers)
{
	*buffers = (struct bt_snap_buffers){0};
	pthread_mutex_init(&buffers->lock, NULL);
}

void bt_snap_buffers_destroy(struct bt_snap_buffers *buffers)
{
	for (struct bt_snap_buffer *buffer = buffers->idle, *next; buffer; buffer = next) {
		next = buffer->next;
		release(buffer);
	}
	pthread_mutex_destroy(&buffers->lock);
}

/* The smallest that is large enough, and not so large that it would upset the budgets. */
static struct bt_snap_buffer *take_idle(struct bt_snap_buffers *buffers, size_t capacity)
{
	struct bt_snap_buffer **best = NULL, *found = NULL;

	pthread_mutex_lock(&buffers->lock);
	for (struct bt_snap_buffer **at = &buffers->idle; *at; at = &(*at)->next)
		if ((*at)->capacity >= capacity && (*at)->capacity <= capacity + capacity / 2 &&
		    (!best || (*at)->capacity < (*best)->capacity))
			best = at;
	if (best) {
		found = *best;
		*best = found->next;
		buffers->idle_bytes -= found->capacity;
	}
	pthread_mutex_unlock(&buffers->lock);
	return found;
}

static struct bt_snap_buffer *map_new(size_t capacity)
{
	struct bt_snap_buffer *buffer = malloc(sizeof(*buffer));

	if (!buffer)
		return NULL;
	void *data = mmap(NULL, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED) {
		free(buffer);
		return NULL;
	}
	*buffer = (struct bt_snap_buffer){.data = data, .capacity = capacity};
	return buffer;
}

struct bt_snap_buffer *bt_snap_buffer_get(struct bt_snap_buffers *buffers, size_t size)
{
	size_t capacity = bt_snap_buffer_capacity(size > 0 ? size : 1);
	struct bt_snap_buffer *buffer = take_idle(buffers, capacity);

	return buffer ? buffer : map_new(capacity);
}

/* Cuts off what exceeds the limit: the oldest, whose sizes nobody asked for lately. */
static struct bt_snap_buffer *cut_excess(struct bt_snap_buffers *buffers)
{
	struct bt_snap_buffer **at = &buffers->idle, *excess;
	size_t kept = 0;

	while (*at && kept + (*at)->capacity <= IDLE_MAX) {
		kept += (*at)->capacity;
		at = &(*at)->next;
	}
	excess = *at;
	*at = NULL;
	buffers->idle_bytes = kept;
	return excess;
}

void bt_snap_buffer_put(struct bt_snap_buffers *buffers, struct bt_snap_buffer *buffer)
{
	struct bt_snap_buffer *excess = NULL, *next;

	if (!buffer)
		return;
	pthread_mutex_lock(&buffers->lock);
	buffer->next = buffers->idle;
	buffers->idle = buffer;
	buffers->idle_bytes += buffer->capacity;
	if (buffers->idle_bytes > IDLE_MAX)
		excess = cut_excess(buffers);
	pthread_mutex_unlock(&buffers->lock);
	for (; excess; excess = next) {
		next = excess->next;
		release(excess);
	}
}
