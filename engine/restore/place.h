/* SPDX-License-Identifier: MIT */
/*
 * Directories of the destination. Each is reached by descriptor, one component at a time and never through a symlink.
 * Only so many descriptors are kept: one that was closed is opened again below its parent (or as ".." of its child),
 * and must still be the directory that it was (device and inode).
 */
#ifndef BT_RESTORE_PLACE_H
#define BT_RESTORE_PLACE_H

#include "base/buf.h"
#include "base/ways.h"
#include "restore/guard.h"
#include <backuptool/error.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>

enum { BT_TIMES_UNKNOWN, BT_TIMES_SECONDS, BT_TIMES_NANOSECONDS };

struct bt_place {
	struct bt_place *parent; /* NULL for the root */
	char *name;
	struct stat before;	/* as it was found or made */
	bool fresh;		/* made by this run, so there is nothing in it but what this run puts there */
	bool absent;		/* does not exist, or is sealed: only on a dry run */
	bool sealed;		/* is there, and a dry run may not look into it */
	bool foreign;		/* on another file system than the root, or on another mount of it */
	bool default_acl;	/* what is made here inherits an ACL */
	atomic_uint kept_times; /* the finest that was seen to be kept here: BT_TIMES_… */
	/* the rest is place.c's */
	struct bt_way way;
	atomic_uint refs;
};

void bt_places_init(struct bt_ways *places); /* bt_ways_destroy, when all places are gone */

/* The fd is taken over, also on failure (NULL). fd < 0: an absent place. */
struct bt_place *bt_place_new(struct bt_ways *places, struct bt_place *parent, const char *name, int fd);
struct bt_place *bt_place_ref(struct bt_place *place);
void bt_place_unref(struct bt_ways *places, struct bt_place *place); /* NULL is fine */

/* A descriptor until bt_place_put, or -errno (-ESTALE: another directory stands there now). */
int bt_place_get(struct bt_ways *places, struct bt_place *place);
void bt_place_put(struct bt_ways *places, struct bt_place *place);
/* Called with place pinned, when its parent will be needed next: opens that from here if it was closed. */
void bt_place_ascend(struct bt_ways *places, struct bt_place *place);

/* "docs/notes" or with name "docs/notes/a.txt"; allocated, NULL on out of memory. */
char *bt_place_path(const struct bt_place *place, const char *name);

/* Opens the directory name for reading, not through a symlink; one of the caller's own that lacks permissions for him
 * gets them. fd or -errno. */
int bt_open_directory(int dirfd, const char *name);
/* All names in the directory but . and .., each with its NUL. 0 or -errno. */
int bt_list_names(int fd, struct bt_buf *names);

struct bt_removal {
	const struct bt_guard *guard;
	bool dry;				   /* only count */
	void (*left)(void *arg, const char *path); /* of what stays, from name on; may be NULL */
	void *arg;
	uint64_t removed; /* entries, added up */
};
/* Removes name, a whole tree if it is a directory, but no other file system that begins at it or below: those stay,
 * with the directories that lead there. 0; 1 if something stayed so; or -errno of the first failure; what can be
 * removed then is. A directory that is guarded is not entered (-EBUSY). */
int bt_remove_tree(struct bt_removal *removal, int dirfd, const char *name);

#endif
