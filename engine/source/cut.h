/* SPDX-License-Identifier: MIT */
/* The window through which a file of any size passes, and in which it is cut into chunks. */
#ifndef ENGINE_SOURCE_CUT_H
#define ENGINE_SOURCE_CUT_H

#include "source/source.h"

struct bt_cutter {
	struct bt_reader *reader; /* its window */
	struct bt_source_sink *sink;
	size_t start, end; /* of the bytes in the window */
	bool hashes;	   /* whether the whole file is hashed while it is read */
	bool delayed;	   /* it may be a single chunk, which the sink hashes */
	bool any;	   /* the sink got a chunk */
};

/* Gives the reader its window. 0 or BT_E_NOMEM. */
int bt_cutter_window(struct bt_reader *reader);
/* Makes room after the bytes that are left. */
void bt_cutter_shift(struct bt_cutter *cutter);
/* Where the next bytes are to be put, and how many at most; 0: it is full. */
unsigned char *bt_cutter_room(const struct bt_cutter *cutter, size_t *ret_size);
/* They were put there. */
void bt_cutter_took(struct bt_cutter *cutter, size_t size);
/* Gives the chunks of the window to the sink. last: all that are left; otherwise only those whose end is certain,
 * because they end before the data does or have the maximal length. So few bytes have to be moved to the beginning of
 * the window. Gives what the sink gave. */
int bt_cutter_cut(struct bt_cutter *cutter, bool last);

#endif
