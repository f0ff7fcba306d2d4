/* SPDX-License-Identifier: MIT */
/*
 * A store: a directory of snapshot files. Everything else in this library starts from an open store.
 *
 * Threads: a store may be used from several threads at a time, except for bt_store_close and bt_store_refresh.
 */
#ifndef BACKUPTOOL_STORE_H
#define BACKUPTOOL_STORE_H

#include <backuptool/error.h>
#include <backuptool/observer.h>
#include <backuptool/types.h>

struct bt_store;

#define BT_STORE_ID_SIZE 33 /* 32 hex digits and NUL */

struct bt_store_options {
	bool create;	     /* make the directory (0700) when it is missing, only its last component, and take any that
				is there for a store; with read_only, nothing is made */
	const char *id;	     /* open the store with this id and no other, and make none; NULL: any */
	bool read_only;	     /* never write, not even derived data; implied by a read-only file system */
	size_t cache_bytes;  /* for decoded blocks; 0 means 64 MiB */
	bool verify_always;  /* hash contents each time they are read, not only once after decoding */
	bool salvage;	     /* read damaged files for what they still have, and write nothing: contents and pages are
				verified as ever, but a snapshot's first and last lines may not be */
	unsigned open_files; /* that may be kept open at a time; 0: half of what the process may have, 256 at most */
	int lock_wait_ms;    /* how long to wait for the lock; -1 forever */
	void (*before_slow)(void); /* if given: called on a thread that asks for a page, or for a snapshot, before it
				      opens a file, puts the index together, or reads a page that is not in memory */
	/* Only cancelled is asked, from any threads at a time, while a version 1 file is read, which may take long.
	 * What needs it ends with BT_E_CANCELLED. NULL is fine; it lives as long as the store. */
	const struct bt_observer *observer;
};

/* path is relative to the working directory. BT_E_NO_STORE when there is no such directory (sys is ENOTDIR if it is
 * something else, ENOENT if it cannot be made because the directory above it is missing), one in which nothing is a
 * store's, or another store than the wanted one (sys is ESTALE): then nothing was written. BT_E_DAMAGED [bad-id] if one
 * is wanted and the file that should say which this is does not. BT_E_UNSUPPORTED if its contents is no directory and
 * nothing is to be salvaged. options may be NULL (all zero). */
int bt_store_open(const char *path, const struct bt_store_options *options, struct bt_store **ret_store,
		  struct bt_error *error);
void bt_store_close(struct bt_store *store); /* NULL is fine */

/* What tells the store from all others, wherever it lies: random, given when it is made. "" for one that has none: made
 * by version 0.1.0 and since then opened by nobody who may make stores and write here. Valid until close. */
const char *bt_store_id(const struct bt_store *store);
/* Whether this open made the store: there was no directory, or one in which nothing was a store's. */
bool bt_store_made(const struct bt_store *store);

/* Looks at the directory again: new snapshots appear, removed ones vanish; what is open stays readable. */
int bt_store_refresh(struct bt_store *store, struct bt_error *error);
/* The next refresh looks at every file, also where the time of a directory says that there is nothing new: of a file
 * that is changed in its place it tells nothing. Thread-safe. */
void bt_store_doubt(struct bt_store *store);
/* Another number since a refresh found other files than before. */
unsigned bt_store_version(const struct bt_store *store);

/*
 * Opens all files (as many as open_files allows), so that what is removed from the directory stays readable, however
 * late it is read for the first time. Thread-safe as the rest. bt_store_release gives back what is held of removed
 * files (if bt_store_holds_removed), when nobody reads them any more; as bt_store_refresh it has the store for itself.
 */
void bt_store_hold(struct bt_store *store);
bool bt_store_holds_removed(struct bt_store *store);
void bt_store_release(struct bt_store *store);

/* Names of the snapshot files ("snapshot_….json"), oldest first: by the time in the name, then the clash number.
 * Classic ones included. Valid until refresh or close. */
size_t bt_store_snapshot_count(const struct bt_store *store);
const char *bt_store_snapshot_name(const struct bt_store *store, size_t index);
/* A number for the file behind the name: another one when another file takes the name, or it is written anew. */
uint32_t bt_store_snapshot_number(const struct bt_store *store, size_t index);

/*
 * Until the store is closed, nothing is deleted that it has now: for reading that may take long. Waits for a program
 * that deletes, for as long as the options say; a store that may not be locked, or is not free by then, is read all the
 * same. As a refresh, it has the store for itself.
 */
int bt_store_stay(struct bt_store *store, const struct bt_observer *observer, struct bt_error *error);

/*
 * Whether the locks of the file system on which the store lies are known to other hosts that use it. Where they are
 * not, its type ("fuse.sshfs") is written into type: other hosts must not write while this one deletes.
 */
bool bt_store_locks_reach(const struct bt_store *store, char type[64]);

/*
 * Takes a task in this store for the caller alone, in whatever process: a second one is refused with BT_E_LOCKED. Tasks
 * of other names, snapshots and pruning are not in the way. Ends with the process, or with close(2) of *ret_fd.
 */
int bt_store_claim(struct bt_store *store, const char *task, int *ret_fd, struct bt_error *error);

/*
 * Files that were found damaged so far: they are left out, and everything else works. What a snapshot needs of them is
 * reported when it is asked for. Opening all snapshots and looking anything up (bt_store_survey does both) finds every
 * file that cannot be used at all; only a check finds damage inside one. The error's file names it. Valid until close.
 */
int bt_store_survey(struct bt_store *store, struct bt_error *error);
size_t bt_store_damaged_count(struct bt_store *store);
const struct bt_error *bt_store_damaged(struct bt_store *store, size_t index);

#endif
