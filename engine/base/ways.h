/* SPDX-License-Identifier: MIT */
/*
 * Open descriptors of the directories of a tree, for threads that work at different places of it. Each directory is
 * opened from its parent. Only so many stay open: those that nobody has pinned are closed, the least recently used
 * first, and opened again from the nearest one above that is open. So that this is near in a deep tree, too, landmarks
 * stay open longest: directories at depths of a multiple of the spacing, which is doubled when there are too many of
 * them. The way into a tree of some ten thousand levels and back so takes a few opens for each of them.
 */
#ifndef BT_BASE_WAYS_H
#define BT_BASE_WAYS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/* A directory. All of it is ways.c's. */
struct bt_way {
	struct bt_way *parent; /* NULL: the root, which stays open */
	size_t depth;
	int fd; /* -1: not open */
	unsigned pins;
	bool listed, landmark; /* in which list */
	struct bt_way *newer, *older;
};

struct bt_way_list {
	struct bt_way *newest, *oldest;
	size_t count;
};

struct bt_ways {
	pthread_mutex_t lock;
	struct bt_way_list recent, landmarks; /* open and not pinned */
	size_t open, limit, spacing;
	/* Opens child in parent, which is open and pinned: fd, or -errno if it is not the directory that it was. Called
	 * without the lock. */
	int (*descend)(struct bt_ways *ways, int parent, struct bt_way *child);
};

/* At most so many stay open, and at most a quarter of what the process may open: others need some, too. */
void bt_ways_init(struct bt_ways *ways, size_t most, int (*descend)(struct bt_ways *, int, struct bt_way *));
void bt_ways_destroy(struct bt_ways *ways);
void bt_way_init(struct bt_way *way, struct bt_way *parent); /* not open */

/* The directory is open as fd, which is taken over; pins it as bt_ways_get does. */
void bt_ways_set(struct bt_ways *ways, struct bt_way *way, int fd);
/* A descriptor until bt_ways_put, or -errno. */
int bt_ways_get(struct bt_ways *ways, struct bt_way *way);
void bt_ways_put(struct bt_ways *ways, struct bt_way *way);
bool bt_ways_is_open(struct bt_ways *ways, const struct bt_way *way);
void bt_ways_close(struct bt_ways *ways, struct bt_way *way); /* pinned or not */
void bt_ways_spare(struct bt_ways *ways); /* there are no descriptors left: closes half of what can be */

#endif
