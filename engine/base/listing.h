/* SPDX-License-Identifier: MIT */
/*
 * The names in a directory. A file system may be a program that lists names without end, which would take endless time
 * and memory. So a listing fails with -EOVERFLOW when there are too many names.
 */
#ifndef BT_BASE_LISTING_H
#define BT_BASE_LISTING_H

#include <backuptool/error.h>
#include <dirent.h>
#include <stdint.h>

/* The most names in a directory of a store: eight years of one snapshot per minute. The records of that many files take
 * about 1.5 GB of memory. */
#define BT_LISTED_MAX ((uint64_t)1 << 22)

/* The most bytes of names in any other directory: enough for 20 million names of usual length. */
#define BT_NAMES_MAX ((size_t)512 << 20)

struct bt_listing {
	DIR *directory;
	unsigned char type; /* of the last name: DT_… */
	uint64_t names_left;
	size_t bytes_left; /* of names */
	int result;	   /* 0 or -errno */
};

/* Begins to list a directory of a store, of at most BT_LISTED_MAX names. 0 or -errno, which bt_listing_end returns too.
 * dirfd stays the caller's and keeps its position. */
int bt_listing_begin(struct bt_listing *listing, int dirfd);
/* Begins to list any directory, of at most BT_NAMES_MAX bytes of names. fd is taken over, also on failure. */
int bt_listing_take(struct bt_listing *listing, int fd);
/* The next name except . and .., valid until the next call. NULL: the end, or a failure, which is in result. */
const char *bt_listing_next(struct bt_listing *listing);
int bt_listing_end(struct bt_listing *listing); /* returns the result */
/* Fills error for a result that is not 0. */
int bt_listing_fail(struct bt_error *error, int result, const char *path);

#endif
