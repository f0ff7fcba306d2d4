/* SPDX-License-Identifier: MIT */
/* A tree with everything in it, its restored twin, and the comparison of the two. For the tests of bt_restore. */
#ifndef RESTORE_WORLD_H
#define RESTORE_WORLD_H

#include "snapshot_world.h"

#include "base/io.h"
#include "remote_backend.h"
#include <backuptool/restore.h>
#include <stdatomic.h>
#include <sys/statvfs.h>
#include <time.h>

#define MEGA	((size_t)1 << 20)
#define ENTRIES 25 /* of put_everything */

struct told {
	char path[300];
	struct bt_error error;
};

struct back {
	struct world world;
	char parent[32], output[96];
	struct bt_restore_options options;
	struct bt_observer observer;
	struct bt_restore_result result;
	struct bt_error error;
	struct told told[64];
	size_t told_count;
	unsigned events[BT_EVENT_KEPT + 1];
	atomic_uint asked, cancel_after;
	struct bt_progress progress;
	const char *watch; /* a path whose event is kept */
	int watched;
};

void back_begin(struct back *back);
void back_end(struct back *back);
int restore_now(struct back *back);
void expect(struct back *back, int wanted);
const char *in_output(struct back *back, const char *name);
bool exists(const char *path);
struct stat status_of(const char *path);
/* Two trees, field by field, by descriptors so that any depth will do. */
struct pair {
	ino_t source, restored;
};
struct trees {
	struct pair *pairs; /* of files with several names */
	size_t pair_count;
	bool owners; /* compared, too */
};

void same_entry(struct trees *trees, int one, int two, const char *name);
void same_as_source(struct back *back);
void set_times(const char *path, int64_t seconds, long nanoseconds);
void put_link(struct back *back, const char *from, const char *to);
void put_symlink(struct back *back, const char *target, const char *name);
void put_everything(struct back *back);
void append(const char *path, const char *text);

#endif
