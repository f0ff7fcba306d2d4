/* SPDX-License-Identifier: MIT */
/*
 * The names of a directory of the store. A file system may be a program, which can list names without end: who reads
 * them all the same would need memory and time without end. So a listing ends with -EOVERFLOW behind BT_LISTED_MAX
 * names.
 */
#ifndef BT_BASE_LISTING_H
#define BT_BASE_LISTING_H

#include <backuptool/error.h>
#include <dirent.h>
#include <stdint.h>

/* Eight years of a snapshot each minute; what is known of so many files takes some 1.5 GB of memory. */
#define BT_LISTED_MAX ((uint64_t)1 << 22)

/* Of directories that are no store's: so many bytes of names, which 20 million usual ones have. */
#define BT_NAMES_MAX ((size_t)512 << 20)

struct bt_listing {
	DIR *directory;
	uint64_t listed;
	int result; /* 0 or -errno */
};

/* 0 or -errno, which bt_listing_end gives, too. dirfd stays the caller's, and so does its position. */
int bt_listing_begin(struct bt_listing *listing, int dirfd);
/* The next name, . and .. among them, until the next call. NULL: there is none, or result says why. */
const char *bt_listing_next(struct bt_listing *listing);
int bt_listing_end(struct bt_listing *listing); /* gives the result */
/* Fills error with a result that is not 0. */
int bt_listing_fail(struct bt_error *error, int result, const char *path);

#endif
