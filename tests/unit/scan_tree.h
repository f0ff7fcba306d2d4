/* SPDX-License-Identifier: MIT */
/* What the tests of scanning share: faults, trees in a new directory for each test, and walks over them. */
#ifndef BT_TESTS_SCAN_TREE_H
#define BT_TESTS_SCAN_TREE_H

#include "base/buf.h"
#include "scan/private.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* --- faults: the C library's functions, replaced for the whole program --- */

extern struct faults_of_calls {
	bool hide_types;
	bool twice;		 /* each record comes a second time */
	int fail_after_first;	 /* errno of the second getdents64 of a directory */
	const char *statx_name;	 /* statx of this name, "*": of any … */
	int statx_error;	 /* … gives this */
	bool ages;		 /* what is open has not changed for long */
	bool statx_removes;	 /* … and what had the name is removed before */
	atomic_uint listings;	 /* so many directories were read from their beginning */
	const char *longer_name; /* this name becomes one of 300 bytes */
} faults;

/* --- trees --- */

extern char top[64];

int make_top(void **state);

/* For many files: in memory if there is such a place. */
int make_large_top(void **state);
int remove_top(void **state);
const char *at_top(const char *name);
void make_directory(const char *name);
void make_file(const char *name, const char *text);
void make_link(const char *target, const char *name);

/* Every type, strange names, some hundred directories of different sizes. */
void make_mixed_tree(void);
/* --- walking --- */

struct walk {
	bool without_lines;  /* for paths so long that they would cost more than the walk */
	struct bt_buf lines; /* one for each entry */
	size_t entries, directories, errors;
	uint64_t excluded;
	int last_error;
};

void add_line(struct bt_buf *lines, const char *path, const struct bt_found *found);
void check_listing(const struct bt_scan_dir *dir);

/* Depth first as a snapshot reads. user counts the entries passed. */
void walk_scan(struct bt_scan *scan, struct walk *walk, void (*visit)(struct bt_scan *scan, struct bt_scan_dir *dir));
struct bt_scan *open_scan(const struct bt_scan_options *options);
struct walk walk_with(const struct bt_scan_options *options);
void assert_same_lines(const struct bt_buf *a, const struct bt_buf *b);

/* Paths in the reader's order: a directory's entries, then each of its directories. The same for all numbers of
 * threads. */
void assert_paths(const struct bt_scan_options *options, const char *want, uint64_t excluded);
size_t open_descriptors(void);
size_t open_directories(struct bt_scan *scan);
size_t weight_ahead(struct bt_scan *scan);

#define TEST(name)	 cmocka_unit_test_setup_teardown(name, make_top, remove_top)
#define LARGE_TEST(name) cmocka_unit_test_setup_teardown(name, make_large_top, remove_top)

#endif
