/* SPDX-License-Identifier: MIT */
/*
 * A limit for the total length of all paths of a walk. The paths of a chain of directories add up to the square of its
 * depth, so every walk counts them here. Each path adds room for one path of the longest kind that Linux accepts; the
 * room at the beginning is enough for a chain of about 20,000 levels.
 */
#ifndef BT_BASE_PATH_ROOM_H
#define BT_BASE_PATH_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BT_PATH_ROOM_EACH  ((uint64_t)4096)
#define BT_PATH_ROOM_FIRST ((uint64_t)1 << 30)

struct bt_path_room {
	uint64_t left; /* BT_PATH_ROOM_FIRST */
};

/* Takes room for one more path. False: there is not enough. */
static inline bool bt_path_room_take(struct bt_path_room *room, size_t bytes)
{
	room->left += BT_PATH_ROOM_EACH;
	if (bytes > room->left)
		return false;
	room->left -= bytes;
	return true;
}

#endif
