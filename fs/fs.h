/* SPDX-License-Identifier: MIT */
/*
 * What all parts of a running mount share.
 *
 * In fs/ a function that returns int gives 0 or an errno (positive, as FUSE wants it), unless its header says
 * otherwise; what is called code is a bt_code of the engine.
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

#define FOREVER	 1e9   /* seconds: what is in a snapshot does not change */
#define A_WHILE	 1.0   /* what does */
#define A_MOMENT 0.001 /* what must be right as soon as a command has returned, yet is asked for with every path */

struct root;
struct ahead;
struct versions;
struct push;

/* Serials of snapshots that came or went: see root.h. */
struct root_change {
	uint32_t *serials;
	size_t count;
};

/* How the store looked last: of look.c alone. */
struct look {
	pthread_mutex_t looking; /* one look at a time; guards news and missed */
	struct root_change news; /* that the kernel was not told of yet */
	long missed;		 /* when looking again found nothing new, in seconds */
	atomic_uint changes;	 /* of what the root shows */
	pthread_mutex_t lock;	 /* guards the rest */
	struct timespec changed; /* the store's directory, when its list was read last */
	struct timespec changed_inode;
	bool settled; /* a later change would have given other times */
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
	struct look look;
	struct log log;
	pthread_mutex_t leadership; /* to read the device: see loop.h */
	_Atomic(pthread_t) leader;  /* who has it; 0: nobody */
	bool no_open, no_opendir;   /* the kernel can do without these */
	bool acls;		    /* the kernel goes by those that it is told of */
	uint32_t generation;	    /* of this mount: file handles of another one are stale */
	atomic_uint without_xattrs; /* serials below are of snapshots without any */
	int ready_fd;		    /* told when the mount answers; -1 when nobody waits */
	int read_ahead_fd;	    /* see bounds.h; -1: as it is */
	bool answers;		    /* both were told */
};

/* Makes the locks, and frees them and what a look left. */
void fs_begin(struct fs *fs);
void fs_end(struct fs *fs);

/* Tells the program that waits for it that the mount has answered the kernel for the first time. */
void fs_answers(struct fs *fs);
/* Closes what fs_answers would have used. */
void fs_stop_waiting(struct fs *fs);

/* The errno for a failed call of the engine. Damage is logged, with where as the place. */
int fs_errno(struct fs *fs, const char *where, int code, const struct bt_error *error);

#endif
