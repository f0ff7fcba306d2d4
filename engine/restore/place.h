/* SPDX-License-Identifier: MIT */
/* Directories of the output. Each is opened one component at a time, and never through a symlink. The number of open
 * descriptors is bounded: a directory that was closed is opened again below its parent (or as ".." of its child), and
 * must still be the same one (device and inode). */
#ifndef BT_RESTORE_PLACE_H
#define BT_RESTORE_PLACE_H

#include "base/buf.h"
#include "base/ways.h"
#include "restore/guard.h"
#include "restore/picks.h"
#include "scan/exclusion.h"
#include <backuptool/error.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>

enum { BT_TIMES_UNKNOWN, BT_TIMES_SECONDS, BT_TIMES_NANOSECONDS };

struct bt_place {
	struct bt_place *parent; /* NULL for the root */
	char *name;
	struct stat before;	/* when it was found or made */
	bool fresh;		/* made by this run, so that all that is in it comes from this run */
	bool absent;		/* does not exist, or is sealed: only on a dry run */
	bool sealed;		/* exists, but a dry run may not open it */
	bool foreign;		/* on another file system than the root, or in another mount of it */
	bool default_acl;	/* new files inherit an ACL */
	atomic_uint kept_times; /* the finest resolution of times that was seen here: BT_TIMES_… */
	/* for place.c alone: */
	struct bt_way way;
	atomic_uint refs;
};

void bt_places_init(struct bt_ways *places); /* bt_ways_destroy, when all places are gone */

/* Takes the fd over, also on failure (NULL). fd < 0: an absent place. */
struct bt_place *bt_place_new(struct bt_ways *places, struct bt_place *parent, const char *name, int fd);
struct bt_place *bt_place_ref(struct bt_place *place);
void bt_place_unref(struct bt_ways *places, struct bt_place *place); /* NULL is fine */

/* A descriptor, valid until bt_place_put, or -errno (-ESTALE: another directory has the name now). */
int bt_place_get(struct bt_ways *places, struct bt_place *place);
void bt_place_put(struct bt_ways *places, struct bt_place *place);
/* Opens the parent from here if it was closed. Call it with place pinned, when the parent is needed next. */
void bt_place_ascend(struct bt_ways *places, struct bt_place *place);

/* "docs/notes" or with name "docs/notes/a.txt"; allocated, NULL on out of memory. */
char *bt_place_path(const struct bt_place *place, const char *name);

/* Opens the directory name for reading, not through a symlink. A directory of the caller's own without permissions for
 * him gets them. fd or -errno. */
int bt_open_directory(int dirfd, const char *name);
/* Appends all names in the directory but . and .., each with its NUL. 0 or -errno. */
int bt_list_names(int fd, struct bt_buf *names);

/* An entry that may go. */
struct bt_spot {
	const char *path; /* as patterns know it; NULL where nobody asks */
	const char *name;
	int dirfd;
	bool directory, whole; /* whole: so is the directory that it is in */
	const struct bt_markers *markers;
	const struct bt_within *within; /* of that directory, for the exclusion */
};

struct bt_removal {
	const struct bt_guard *guard;
	bool dry;				   /* only count */
	void (*left)(void *arg, const char *path); /* called for what stays; path begins with name; may be NULL */
	void *arg;
	uint64_t removed; /* entries, added up */
	/* What of the entries below name goes, as picks.h has it; the others stay without being told. NULL: all go. */
	enum bt_pick (*pick)(void *arg, const struct bt_spot *spot);
	const struct bt_exclusion *exclusion; /* whose markers and files of patterns are to be seen; NULL: none */
	struct bt_within within;	      /* with it: of the directory that name is in */
	const char *path;		      /* of name, if pick is to know paths */
	bool below;			      /* name itself stays, as BT_PICK_BELOW */
	/* Takes the place of removing anything but a directory, which then stays. path begins with name. 0 or -errno.
	 */
	int (*aside)(void *arg, int dirfd, const char *path);
};
/* Removes name, with the whole tree if it is a directory. Other file systems that begin at it or below stay, with the
 * directories that lead there. Name itself is not asked about. 0; 1 if something stayed so;
 * or -errno of the first failure, after removing what can be removed. A guarded directory is not entered (-EBUSY). */
int bt_remove_tree(struct bt_removal *removal, int dirfd, const char *name);

#endif
