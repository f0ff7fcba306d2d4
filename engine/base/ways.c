/* SPDX-License-Identifier: MIT */
#include "base/ways.h"

#include "base/io.h"
#include <errno.h>
#include <unistd.h>

#define LEAST	      16
#define SPACING_FIRST 64

void bt_ways_init(struct bt_ways *ways, size_t most, int (*descend)(struct bt_ways *, int, struct bt_way *))
{
	const size_t limit = bt_share_of_descriptors(4, LEAST, most);

	*ways = (struct bt_ways){.limit = limit, .spacing = SPACING_FIRST, .descend = descend};
	pthread_mutex_init(&ways->lock, NULL);
}

void bt_ways_destroy(struct bt_ways *ways)
{
	pthread_mutex_destroy(&ways->lock);
}

void bt_way_init(struct bt_way *way, struct bt_way *parent)
{
	*way = (struct bt_way){.parent = parent, .depth = parent ? parent->depth + 1 : 0, .fd = -1};
}

static struct bt_way_list *list_of(struct bt_ways *ways, const struct bt_way *way)
{
	return way->landmark ? &ways->landmarks : &ways->recent;
}

static void unlist(struct bt_ways *ways, struct bt_way *way)
{
	struct bt_way_list *list = list_of(ways, way);

	if (!way->listed)
		return;
	*(way->newer ? &way->newer->older : &list->newest) = way->older;
	*(way->older ? &way->older->newer : &list->oldest) = way->newer;
	way->newer = way->older = NULL;
	way->listed = false;
	list->count--;
}

static void list_newest(struct bt_ways *ways, struct bt_way *way)
{
	way->landmark = way->depth % ways->spacing == 0;
	struct bt_way_list *list = list_of(ways, way);

	way->older = list->newest;
	*(list->newest ? &list->newest->newer : &list->oldest) = way;
	list->newest = way;
	way->listed = true;
	list->count++;
}

static void close_one(struct bt_ways *ways, struct bt_way *way)
{
	unlist(ways, way);
	if (way->fd >= 0) {
		bt_close(&way->fd);
		ways->open--;
	}
}

static void close_down_to(struct bt_ways *ways, size_t count)
{
	while (ways->open > count && (ways->recent.oldest || ways->landmarks.oldest))
		close_one(ways, ways->recent.oldest ? ways->recent.oldest : ways->landmarks.oldest);
}

/* Doubles the spacing: every second landmark becomes an ordinary directory. */
static void thin_out(struct bt_ways *ways)
{
	struct bt_way *way = ways->landmarks.oldest, *next;

	ways->spacing *= 2;
	for (; way; way = next) {
		next = way->newer;
		if (way->depth % ways->spacing == 0)
			continue;
		unlist(ways, way);
		list_newest(ways, way);
	}
}

static void pin(struct bt_ways *ways, struct bt_way *way)
{
	unlist(ways, way);
	way->pins++;
}

static void unpin(struct bt_ways *ways, struct bt_way *way)
{
	if (--way->pins > 0 || !way->parent || way->fd < 0)
		return;
	list_newest(ways, way);
	while (ways->landmarks.count > ways->limit / 2)
		thin_out(ways);
	close_down_to(ways, ways->limit);
}

/* If another thread was faster, its descriptor is kept. */
static void set_and_pin(struct bt_ways *ways, struct bt_way *way, int fd)
{
	pin(ways, way);
	if (way->fd >= 0) {
		close(fd);
		return;
	}
	way->fd = fd;
	ways->open++;
}

void bt_ways_set(struct bt_ways *ways, struct bt_way *way, int fd)
{
	pthread_mutex_lock(&ways->lock);
	set_and_pin(ways, way, fd);
	pthread_mutex_unlock(&ways->lock);
}

/* Opens child, whose parent is pinned, and moves the pin to it. Lock held; let go while opening. */
static int step_down(struct bt_ways *ways, struct bt_way *parent, struct bt_way *child)
{
	int from = parent->fd;

	pthread_mutex_unlock(&ways->lock);
	int fd = ways->descend(ways, from, child);
	pthread_mutex_lock(&ways->lock);
	if (fd >= 0)
		set_and_pin(ways, child, fd);
	unpin(ways, parent);
	return fd < 0 ? fd : 0;
}

/* Opens up to STEPS directories on the way from the nearest open one above, and pins the last of them. Those opened on
 * the way stay in the list, so that a walk back up finds them open. */
static int approach(struct bt_ways *ways, struct bt_way *goal, struct bt_way **ret_reached)
{
	enum { STEPS = 64 };
	struct bt_way *way[STEPS], *at = goal;
	size_t steps = 0;
	int r = 0;

	for (; at->fd < 0; at = at->parent)
		way[steps++ % STEPS] = at;
	pin(ways, at);
	for (size_t i = 0; i < STEPS && steps > 0 && !r; i++) {
		struct bt_way *next = way[--steps % STEPS];

		r = step_down(ways, at, next);
		at = next;
	}
	*ret_reached = at;
	return r;
}

int bt_ways_get(struct bt_ways *ways, struct bt_way *way)
{
	struct bt_way *reached;
	int r;

	pthread_mutex_lock(&ways->lock);
	for (;;) {
		r = approach(ways, way, &reached);
		if (r < 0 || reached == way)
			break;
		unpin(ways, reached);
	}
	if (!r)
		r = way->fd;
	pthread_mutex_unlock(&ways->lock);
	return r;
}

void bt_ways_put(struct bt_ways *ways, struct bt_way *way)
{
	pthread_mutex_lock(&ways->lock);
	unpin(ways, way);
	pthread_mutex_unlock(&ways->lock);
}

bool bt_ways_is_open(struct bt_ways *ways, const struct bt_way *way)
{
	pthread_mutex_lock(&ways->lock);
	bool open = way->fd >= 0;
	pthread_mutex_unlock(&ways->lock);
	return open;
}

void bt_ways_close(struct bt_ways *ways, struct bt_way *way)
{
	pthread_mutex_lock(&ways->lock);
	close_one(ways, way);
	way->pins = 0;
	pthread_mutex_unlock(&ways->lock);
}

void bt_ways_spare(struct bt_ways *ways)
{
	pthread_mutex_lock(&ways->lock);
	close_down_to(ways, ways->open / 2);
	pthread_mutex_unlock(&ways->lock);
}
