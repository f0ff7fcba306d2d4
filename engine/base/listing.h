/* SPDX-License-Identifier: MIT */
/*
 * The names in a directory. A file system may be a program, which can list names without end, and would then use time
 * and memory without end. So a listing fails with -EOVERFLOW when there are too many.
 */
#ifndef BT_BASE_LISTING_H
#define BT_BASE_LISTING_H

#include <backuptool/error.h>
#include <dirent.h>
#include <stdint.h>

/* Names in a directory of a store. Eight years of one snapshot per minute; the records of so many files take about 1.5
 * GB of memory. */
#define BT_LISTED_MAX ((uint64_t)1 << 22)

/* Bytes of names in any other directory; 20 million usual names fit. */
#define BT_NAMES_MAX ((size_t)512 << 20)

struct bt_listing {
	DIR *directory;
	unsigned char type; /* of the last name: DT_… */
	uint64_t names_left;
	size_t bytes_left; /* of names */
	int result;	   /* 0 or -errno */
};

/* Of a store: at most BT_LISTED_MAX names. 0 or -errno, which bt_listing_end also returns. dirfd stays the caller's,
 * and keeps its position. */
int bt_listing_begin(struct bt_listing *listing, int dirfd);
/* Of any directory, from its beginning: at most BT_NAMES_MAX bytes. fd is taken over, also on failure. */
int bt_listing_take(struct bt_listing *listing, int fd);
/* The next name but . and .., valid until the next call. NULL: there is none, or result is an error. */
const char *bt_listing_next(struct bt_listing *listing);
int bt_listing_end(struct bt_listing *listing); /* gives the result */
/* Fills error with a result that is not 0. */
int bt_listing_fail(struct bt_error *error, int result, const char *path);

#endif
