/* SPDX-License-Identifier: MIT */
/*
 * The names in a directory of the store. A file system may be a program, which can list names without end, and would
 * then use time and memory without end. So a listing fails with -EOVERFLOW after BT_LISTED_MAX names.
 */
#ifndef BT_BASE_LISTING_H
#define BT_BASE_LISTING_H

#include <backuptool/error.h>
#include <dirent.h>
#include <stdint.h>

/* Eight years of one snapshot per minute; the records of so many files take about 1.5 GB of memory. */
#define BT_LISTED_MAX ((uint64_t)1 << 22)

/* For directories outside a store: bytes of names; 20 million usual names fit. */
#define BT_NAMES_MAX ((size_t)512 << 20)

struct bt_listing {
	DIR *directory;
	uint64_t listed;
	int result; /* 0 or -errno */
};

/* 0 or -errno, which bt_listing_end also returns. dirfd stays the caller's, and keeps its position. */
int bt_listing_begin(struct bt_listing *listing, int dirfd);
/* The next name, including . and .., valid until the next call. NULL: there is none, or result is an error. */
const char *bt_listing_next(struct bt_listing *listing);
int bt_listing_end(struct bt_listing *listing); /* gives the result */
/* Fills error with a result that is not 0. */
int bt_listing_fail(struct bt_error *error, int result, const char *path);

#endif
