/* SPDX-License-Identifier: MIT */
/* A tree, a store, and an independent comparison of the one with what the other says. For the tests of
 * bt_snapshot_take. */
#ifndef SNAPSHOT_WORLD_H
#define SNAPSHOT_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "codec/hash.h"
#include <backuptool/prune.h>
#include <backuptool/snapshot.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <internal/view.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

struct world {
	char base[64], source[96], store_path[128];
	struct bt_store *store;
	struct bt_snapshot_options options;
	struct bt_observer observer;
	struct bt_snapshot_result result;
	struct bt_error error;
	unsigned problems;
	char problem_path[256];
	struct bt_error problem;
};

void remove_tree(const char *path);
void world_open_store(struct world *world);
void world_begin_at(struct world *world, const char *where);

/* In memory if there is such a place: durable writing is what takes longest. */
void world_begin(struct world *world);
void world_end(struct world *world);
/* One for each test, as its state. */
int world_setup(void **state);
int world_teardown(void **state);

/* Old enough for the fingerprints. */
void age(void);
int world_take(struct world *world);
void world_snap(struct world *world);

/* A path; eight of them live at a time. */
const char *path_below(const char *directory, const char *name);
/* "source/" and a name. */
const char *in_source(struct world *world, const char *name);

/* Bytes that do not compress, the same for the same seed. */
unsigned char *noise(size_t size, uint64_t seed);
void write_file(const char *path, const void *data, size_t size);
void put_text(struct world *world, const char *name, const char *text);
void put_noise(struct world *world, const char *name, size_t size, uint64_t seed);
void put_dir(struct world *world, const char *name);
/* Comparing. */

struct compared {
	uint64_t files, directories, others, bytes;
	uint64_t births, born; /* entries whose birth times the file system has, and those that have them */
};

void compare_content(struct bt_store *store, const char *path, const struct bt_entry *entry);
size_t list_names(const char *path, char ***ret_names);
void compare_tree(struct bt_store *store, const char *path, const struct bt_entry *entry, struct compared *compared);
struct bt_snapshot *world_snapshot(struct world *world, const char *name);

/* The last snapshot is the source as it is now, in a store opened anew. */
void world_compare(struct world *world);
/* The entry of a path in the last snapshot; page and snapshot are given back with drop_entry. */
struct looked {
	struct bt_snapshot *snapshot;
	const struct bt_page *page;
	const struct bt_entry *entry; /* NULL: not there */
};

struct looked look_up(struct world *world, const char *path);
void drop_entry(struct world *world, struct looked *looked);
uint64_t size_of(int dirfd, const char *name);
uint64_t snapshot_size(struct world *world);

/* How many entries of a directory of the store have this suffix. */
size_t count_in_store(struct world *world, const char *below, const char *suffix);
struct bt_store *open_another(struct world *world, int lock_wait_ms);

/* A snapshot with other texts in a.txt and d/b.txt: "round" and the number. The directory d is there. */
void world_round(struct world *world, unsigned round);
/* Removes all snapshots but the newest ones, through a store of its own. */
void world_remove_but(struct world *world, size_t keep);
void retag_beside(struct world *world, const struct bt_tag_change *change);

#endif
