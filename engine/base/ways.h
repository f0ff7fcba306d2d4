/* SPDX-License-Identifier: MIT */
/*
 * Open descriptors of the directories of a tree, for threads that work in different parts of it. Each directory is
 * opened from its parent. Only a limited number stays open: among those that are not pinned, the least recently used
 * one is closed first. A closed directory is opened again from its nearest open ancestor. To keep that ancestor near in
 * a deep tree, landmarks stay open longest: these are directories whose depth is a multiple of the spacing, which is
 * doubled when there are too many landmarks. A walk down ten thousand levels and back takes a few opens for each level.
 */
#ifndef BT_BASE_WAYS_H
#define BT_BASE_WAYS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/* A directory. Private to ways.c. */
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
	/* Opens child in its parent, whose descriptor is given: fd, or -errno, also if another directory has its name
	 * now. Called without the lock. */
	int (*descend)(struct bt_ways *ways, int parent, struct bt_way *child);
};

/* At most this many stay open, and at most a quarter of what the process may open. */
void bt_ways_init(struct bt_ways *ways, size_t most, int (*descend)(struct bt_ways *, int, struct bt_way *));
void bt_ways_destroy(struct bt_ways *ways);
void bt_way_init(struct bt_way *way, struct bt_way *parent); /* not open */

/* Takes over the open fd of the directory, and pins it like bt_ways_get. */
void bt_ways_set(struct bt_ways *ways, struct bt_way *way, int fd);
/* A descriptor until bt_ways_put, or -errno. */
int bt_ways_get(struct bt_ways *ways, struct bt_way *way);
void bt_ways_put(struct bt_ways *ways, struct bt_way *way);
bool bt_ways_is_open(struct bt_ways *ways, const struct bt_way *way);
void bt_ways_close(struct bt_ways *ways, struct bt_way *way); /* pinned or not */
/* For EMFILE and ENFILE: closes directories until half as many are open, pinned ones excepted. */
void bt_ways_spare(struct bt_ways *ways);

#endif
