/* SPDX-License-Identifier: MIT */
/* Checks of small stores, and what they found. */
#ifndef BT_TESTS_CHECK_WORLD_H
#define BT_TESTS_CHECK_WORLD_H

#include "snapshot_world.h"
#include <backuptool/check.h>
#include <backuptool/prune.h>

struct seen {
	unsigned count;
	char text[16384]; /* a line for each finding and for what it hurts */
};

/* A check of the store opened anew. */
int check_with(struct world *world, bool read_only, const struct bt_check_options *options, struct seen *seen,
	       struct bt_check_result *result);
int check(struct world *world, const struct bt_check_options *options, struct seen *seen);

/* Two snapshots and a volume; the second snapshot needs all three files. *ret_volume: its path in the store. */
void make_small(struct world *world, char first[64], char second[64], char volume[64]);
int open_in_store(const struct world *world, const char *name);

/* Changes a byte and leaves the time as it was, so that what cache/ says of the file seems to be true. */
void put_byte(int fd, uint64_t at, unsigned char byte);
unsigned char get_byte(int fd, uint64_t at);

#endif
