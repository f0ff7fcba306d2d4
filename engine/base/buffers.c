/* SPDX-License-Identifier: MIT */
#include "base/buffers.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define GRANULE	  ((size_t)256 << 10)
#define HUGE_PAGE ((size_t)2 << 20)

size_t bt_buffer_capacity(size_t size)
{
	return size > SIZE_MAX / 2 ? SIZE_MAX / 2 : (size + GRANULE - 1) / GRANULE * GRANULE;
}

/* Large ones are one huge page for the kernel, if it has one: one fault instead of hundreds, which in a virtual machine
 * cost more than the decoding. All of these are as large as each other, too, so that each fits. */
static size_t capacity_for(const struct bt_buffers *buffers, size_t size)
{
	size_t capacity = bt_buffer_capacity(size);

	if (buffers->huge && size < GRANULE)
		return size;
	return buffers->huge && capacity >= HUGE_PAGE / 2 && capacity < HUGE_PAGE ? HUGE_PAGE : capacity;
}

static bool is_mapped(const struct bt_buffers *buffers, size_t capacity)
{
	return !buffers->huge || capacity >= HUGE_PAGE;
}

static void release(struct bt_buffers *buffers, struct bt_buffer *buffer)
{
	if (is_mapped(buffers, buffer->capacity))
		munmap(buffer->data, buffer->capacity);
	else
		free(buffer->data);
	free(buffer);
}

static void release_all(struct bt_buffers *buffers, struct bt_buffer *first)
{
	for (struct bt_buffer *buffer = first, *next; buffer; buffer = next) {
		next = buffer->next;
		release(buffers, buffer);
	}
}

void bt_buffers_init(struct bt_buffers *buffers, enum bt_buffers_kind kind, size_t keep)
{
	*buffers = (struct bt_buffers){.keep = keep, .huge = kind == BT_BUFFERS_HUGE};
	pthread_mutex_init(&buffers->lock, NULL);
}

void bt_buffers_destroy(struct bt_buffers *buffers)
{
	release_all(buffers, buffers->idle);
	pthread_mutex_destroy(&buffers->lock);
}

/* The smallest that is large enough, and not so large that it would upset the budgets. */
static struct bt_buffer *take_idle(struct bt_buffers *buffers, size_t capacity)
{
	struct bt_buffer **best = NULL, *found = NULL;

	pthread_mutex_lock(&buffers->lock);
	for (struct bt_buffer **at = &buffers->idle; *at; at = &(*at)->next)
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

static void *map_memory(size_t size)
{
	void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return data == MAP_FAILED ? NULL : data;
}

/* Apart from the heap, which would grow several times as large with the gaps between aligned ones. */
static void *map_aligned(size_t size)
{
	unsigned char *all = size > SIZE_MAX - HUGE_PAGE ? NULL : map_memory(size + HUGE_PAGE);
	size_t before = (HUGE_PAGE - (uintptr_t)all % HUGE_PAGE) % HUGE_PAGE;

	if (!all)
		return NULL;
	if (before)
		munmap(all, before);
	munmap(all + before + size, HUGE_PAGE - before);
	madvise(all + before, size / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
	return all + before;
}

static void *fresh_memory(const struct bt_buffers *buffers, size_t capacity)
{
	if (!is_mapped(buffers, capacity))
		return malloc(capacity);
	return buffers->huge ? map_aligned(capacity) : map_memory(capacity);
}

static struct bt_buffer *buffer_new(const struct bt_buffers *buffers, size_t capacity)
{
	struct bt_buffer *buffer = malloc(sizeof(*buffer));

	if (!buffer)
		return NULL;
	*buffer = (struct bt_buffer){.data = fresh_memory(buffers, capacity), .capacity = capacity};
	if (buffer->data)
		return buffer;
	free(buffer);
	return NULL;
}

struct bt_buffer *bt_buffer_get(struct bt_buffers *buffers, size_t size)
{
	size_t capacity = capacity_for(buffers, size > 0 ? size : 1);

	if (capacity < size)
		return NULL;
	struct bt_buffer *buffer = take_idle(buffers, capacity);
	return buffer ? buffer : buffer_new(buffers, capacity);
}

/* Cuts off what exceeds the limit: the oldest, whose sizes nobody asked for lately. */
static struct bt_buffer *cut_excess(struct bt_buffers *buffers)
{
	struct bt_buffer **at = &buffers->idle, *excess;
	size_t kept = 0;

	while (*at && kept + (*at)->capacity <= buffers->keep) {
		kept += (*at)->capacity;
		at = &(*at)->next;
	}
	excess = *at;
	*at = NULL;
	buffers->idle_bytes = kept;
	return excess;
}

void bt_buffer_put(struct bt_buffers *buffers, struct bt_buffer *buffer)
{
	struct bt_buffer *excess = NULL;

	if (!buffer)
		return;
	if (buffer->capacity < GRANULE || buffer->capacity > buffers->keep / 2) {
		release(buffers, buffer);
		return;
	}
	pthread_mutex_lock(&buffers->lock);
	buffer->next = buffers->idle;
	buffers->idle = buffer;
	buffers->idle_bytes += buffer->capacity;
	if (buffers->idle_bytes > buffers->keep)
		excess = cut_excess(buffers);
	pthread_mutex_unlock(&buffers->lock);
	release_all(buffers, excess);
}
