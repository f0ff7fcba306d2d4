/* SPDX-License-Identifier: MIT */
/*
 * A limit for the length of all paths of a walk together. The paths of a chain of directories add up to the square of
 * its depth, so every walk counts them here: each path adds room for one path as long as Linux accepts it in one piece,
 * and there is room at first for a chain of about 20,000 levels.
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

/* Takes the room for one more path. False: there is none. */
static inline bool bt_path_room_take(struct bt_path_room *room, size_t bytes)
{
	room->left += BT_PATH_ROOM_EACH;
	if (bytes > room->left)
		return false;
	room->left -= bytes;
	return true;
}

#endif
