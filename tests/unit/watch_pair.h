/* SPDX-License-Identifier: MIT */
/* Snapshots of what changed, and what shows that they are the same as those of everything. */
#ifndef BT_TESTS_WATCH_PAIR_H
#define BT_TESTS_WATCH_PAIR_H

#include "snapshot_world.h"
#include "watch/private.h"

#include <backuptool/watch.h>
#include <time.h>

/* Takes each snapshot twice: after the watcher into world.store, and of everything into another store. */
struct pair {
	struct world world;
	struct bt_store *whole;
	struct bt_watch *watch;
	struct bt_snapshot_result watched, walked;
	uint64_t chance;
};

void settle(void);
bool write_text(const char *path, const char *text);
/* A path below the world's directory; four of them live at a time. */
const char *at(struct pair *pair, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool try_put(const char *path, const char *text);
void put(const char *path, const char *text);
void dir(const char *path);
/* In memory if there is such a place: durable writing is what takes longest. */
extern const char memory[];
/* For all tests of a program: nobody else is at work there, if that can be had. What others do on a file system is
 * told, too, and may be more than is kept. */
int pair_alone(void **state);

void pair_begin_at(struct pair *pair, enum bt_watch_kind kind, const char *where);
void pair_end(struct pair *pair);
void take_watched(struct pair *pair, bool full);
void compare(struct pair *pair);

/* The next snapshot, for which this is the reason to look at everything. */
void step(struct pair *pair, enum bt_doubt doubt);
/* Begins with the first snapshot; skips the test where there is no such way of watching. */
void pair_begin_in(struct pair *pair, enum bt_watch_kind kind, const char *where);
/* In memory, with a second snapshot that follows. */
void pair_begin(struct pair *pair, enum bt_watch_kind kind);

/* Changes of one file, of what it holds and of its length. */
void c_write(struct pair *pair);
void c_truncate(struct pair *pair);

#endif
