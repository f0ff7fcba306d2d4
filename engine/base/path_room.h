/* SPDX-License-Identifier: MIT */
/*
 * How long all paths of one go may be together. A chain of directories has paths whose lengths add up to the square of
 * its depth, so what goes through all of them counts here: each path gives room for one as long as Linux takes it in
 * one piece, and a chain of some 20,000 levels has room besides.
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

/* Whether one more path has room, which is then taken. */
static inline bool bt_path_room_take(struct bt_path_room *room, size_t bytes)
{
	room->left += BT_PATH_ROOM_EACH;
	if (bytes > room->left)
		return false;
	room->left -= bytes;
	return true;
}

#endif
