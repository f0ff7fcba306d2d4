/* SPDX-License-Identifier: MIT */
#include "store/spare.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define GRAIN	  ((size_t)128 << 10)
#define HUGE_PAGE ((size_t)2 << 20)
#define ROOM_MAX  ((size_t)4 << 20) /* larger ones are seldom */

static bool is_mapped(size_t room)
{
	return room >= HUGE_PAGE;
}

static void discard(void *data, size_t room)
{
	if (data && is_mapped(room))
		munmap(data, room);
	else
		free(data);
}

void bt_spares_init(struct bt_spares *spares)
{
	pthread_mutex_init(&spares->lock, NULL);
	spares->count = 0;
}

void bt_spares_end(struct bt_spares *spares)
{
	for (unsigned i = 0; i < spares->count; i++)
		discard(spares->list[i].data, spares->list[i].room);
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

/* NULL if there is no memory. The room is of whole pages. */
static void *map_aligned(size_t room)
{
	if (room > SIZE_MAX - HUGE_PAGE)
		return NULL;
	unsigned char *all = mmap(NULL, room + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (all == MAP_FAILED)
		return NULL;
	size_t before = (HUGE_PAGE - (uintptr_t)all % HUGE_PAGE) % HUGE_PAGE;
	if (before)
		munmap(all, before);
	munmap(all + before + room, HUGE_PAGE - before);
	madvise(all + before, room / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
	return all + before;
}

/* A large one is a huge page for the kernel, if it has one: one fault instead of hundreds, which in a virtual machine
 * cost more than the decoding. All of these are as large as each other, too, so that every spare fits. They are apart
 * from the heap, which would grow several times as large with the gaps between aligned ones. */
static void *fresh(size_t size, size_t *ret_room)
{
	size_t room = size < GRAIN || size > SIZE_MAX - GRAIN ? size : (size + GRAIN - 1) / GRAIN * GRAIN;
	if (room >= HUGE_PAGE / 2 && room < HUGE_PAGE)
		room = HUGE_PAGE;
	void *data = is_mapped(room) ? map_aligned(room) : malloc(room);
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
	discard(data, room);
}
