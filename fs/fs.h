/* SPDX-License-Identifier: MIT */
/*
 * The state that all parts of a running mount share.
 *
 * In fs/ a function that returns int gives 0 or an errno (positive, as FUSE wants it), unless its header says
 * otherwise. Variables called code hold a bt_code of the engine.
 */
#ifndef FS_FS_H
#define FS_FS_H

#include "log.h"
#include "nodes.h"
#include "options.h"
#include <fuse_lowlevel.h>
#include <internal/store.h>
#include <internal/view.h>
#include <stdatomic.h>

#define FOREVER	 1e9   /* in seconds; for snapshots, which do not change */
#define A_WHILE	 1.0   /* for nodes that change with the list of snapshots */
#define A_MOMENT 0.001 /* for those that must be right once a command has returned */

struct root;
struct ahead;
struct versions;
struct groups;
struct push;

/* Serials of snapshots that appeared or vanished: see root.h. */
struct root_change {
	uint32_t *serials;
	size_t count;
};

/* The store at the last look; for look.c alone. */
struct look {
	pthread_mutex_t looking; /* held during a look, so that there is one at a time; guards news and missed */
	struct root_change news; /* not told to the kernel yet */
	long missed;		 /* when look_retry last found nothing new, in seconds */
	atomic_uint changes;	 /* counts changes of what the root shows */
	pthread_mutex_t lock;	 /* guards the rest */
	struct timespec changed; /* times of the store's directory when its list was last read */
	struct timespec changed_inode;
	bool settled; /* a later change is sure to give other times */
};

struct fs {
	struct options options;
	struct bt_store *store;
	int store_fd;
	struct fuse_session *session;
	struct nodes *nodes;
	struct root *root;
	struct ahead *ahead;	   /* NULL: nothing is decoded ahead */
	struct push *push;	   /* NULL with -o nopush */
	struct versions *versions; /* NULL without -o versions */
	struct groups *groups;	   /* NULL without -o group */
	struct look look;
	struct log log;
	pthread_mutex_t leadership; /* the right to read the device: see loop.h */
	_Atomic(pthread_t) leader;  /* the thread that has it; 0: none */
	bool no_open, no_opendir;   /* the kernel does not need these requests */
	bool acls;		    /* the kernel obeys lists of permissions */
	uint32_t generation;	    /* of this mount: file handles of other mounts are stale */
	atomic_uint without_xattrs; /* snapshots with serials below have no extended attributes */
	int ready_fd;		    /* written to when the mount answers; -1: nobody waits */
	int read_ahead_fd;	    /* see bounds.h; -1: not changed */
	bool answers;		    /* both were written to */
};

/* Makes the locks; frees them and the unused news of a look. */
void fs_begin(struct fs *fs);
void fs_end(struct fs *fs);

/* Tells the waiting program that the mount has answered its first request. */
void fs_answers(struct fs *fs);
/* Closes the descriptors of fs_answers unused. */
void fs_stop_waiting(struct fs *fs);

/* The errno for a failed call of the engine. Damage is logged, with where as its place. */
int fs_errno(struct fs *fs, const char *where, int code, const struct bt_error *error);

#endif
