/* SPDX-License-Identifier: MIT */
#include "store/spare.h"
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define GRAIN	  ((size_t)128 << 10)
#define HUGE_PAGE ((size_t)2 << 20)
#define ROOM_MAX  ((size_t)4 << 20) /* larger ones are seldom */

void bt_spares_init(struct bt_spares *spares)
{
	pthread_mutex_init(&spares->lock, NULL);
	spares->count = 0;
}

void bt_spares_end(struct bt_spares *spares)
{
	for (unsigned i = 0; i < spares->count; i++)
		free(spares->list[i].data);
	pthread_mutex_destroy(&spares->lock);
}

/* The smallest that is large enough, or BT_SPARES. */
static unsigned choose(const struct bt_spares *spares, size_t size)
{
	unsigned best = BT_SPARES;
	for (unsigned i = 0; i < spares->count; i++) {
		size_t room = spares->list[i].room;
		if (room >= size && room / 2 <= size + GRAIN && (best == BT_SPARES || room < spares->list[best].room))
			best = i;
	}
	return best;
}

/* A large one is a huge page for the kernel, if it has one: one fault instead of hundreds, which in a virtual machine
 * cost more than the decoding. All of these are as large as each other, too, so that every spare fits. */
static void *fresh(size_t size, size_t *ret_room)
{
	void *data = NULL;
	size_t room = size < GRAIN || size > SIZE_MAX - GRAIN ? size : (size + GRAIN - 1) / GRAIN * GRAIN;
	if (room < HUGE_PAGE / 2) {
		data = malloc(room);
	} else {
		room = room < HUGE_PAGE ? HUGE_PAGE : room;
		if (posix_memalign(&data, HUGE_PAGE, room) != 0)
			return NULL;
		madvise(data, room / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
	}
	if (data)
		*ret_room = room;
	return data;
}

void *bt_spares_take(struct bt_spares *spares, size_t size, size_t *ret_room)
{
	void *data = NULL;
	pthread_mutex_lock(&spares->lock);
	unsigned best = choose(spares, size);
	if (best < BT_SPARES) {
		data = spares->list[best].data;
		*ret_room = spares->list[best].room;
		spares->list[best] = spares->list[--spares->count];
	}
	pthread_mutex_unlock(&spares->lock);
	return data ? data : fresh(size, ret_room);
}

void bt_spares_give(struct bt_spares *spares, void *data, size_t room)
{
	pthread_mutex_lock(&spares->lock);
	if (spares->count < BT_SPARES && room >= GRAIN && room <= ROOM_MAX) {
		spares->list[spares->count].data = data;
		spares->list[spares->count++].room = room;
		data = NULL;
	}
	pthread_mutex_unlock(&spares->lock);
	free(data);
}
