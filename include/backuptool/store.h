/* SPDX-License-Identifier: MIT */
/*
 * A store: a directory of snapshot files. Everything else in this library starts from an open store.
 *
 * Threads: several threads may use a store at the same time, except for bt_store_close. One of them may refresh it
 * while others look into snapshots (view.h, walk.h, select.h, search.h). Calls that look at all of the store or change
 * it (stats.h, check.h, snapshot.h, prune.h, export.h, bt_store_stay) refresh it themselves: there must be no other
 * refresh while they run.
 */
#ifndef BACKUPTOOL_STORE_H
#define BACKUPTOOL_STORE_H

#include <backuptool/error.h>
#include <backuptool/observer.h>
#include <backuptool/types.h>

BT_C_BEGIN

struct bt_store;

#define BT_STORE_ID_SIZE 33 /* 32 hex digits and NUL */

struct bt_store_options {
	size_t size;	/* of this struct */
	bool create;	/* make the directory (0700) if it is missing, but not its parent, and accept any directory as a
			   store; with read_only nothing is made */
	const char *id; /* open only the store with this id, and make no store; NULL: any */
	bool read_only; /* never write, not even derived data; implied by a read-only file system */
	size_t cache_bytes; /* for decoded blocks; 0 means 64 MiB */
	bool verify_always; /* hash contents each time they are read, not only the first time after decoding */
	bool salvage; /* read the intact parts of damaged files, and write nothing: contents and pages are verified as
			 always, but the first and last lines of a snapshot may not be */
	unsigned open_files; /* number of files that may be open at a time; 0: half of the limit of the process, 256 at
				most */
	int lock_wait_ms;    /* how long to wait for the lock; -1 forever */
	/* Only its cancelled is called, from several threads at the same time, while a version 1 file is read, which
	 * may take long. If it returns true, the call that needs the file ends with BT_E_CANCELLED. May be NULL; must
	 * outlive the store. */
	const struct bt_observer *observer;
	/* A directory for the data derived from a store that is not in a directory of this machine. It is made if it is
	 * missing, and used only if it is this user's own. NULL: derived data is not kept. Must outlive the store. */
	const char *cache_directory;
};

/* path is relative to the working directory. BT_E_NO_STORE: there is no such directory (sys is ENOTDIR if it is
 * something else, ENOENT if it cannot be made because its parent is missing), or nothing in it belongs to a store, or
 * its id is not the wanted one (sys is ESTALE); nothing was written then. BT_E_DAMAGED [bad-id]: an id is wanted, and
 * the file with the id is damaged. BT_E_UNSUPPORTED: contents/ is not a directory, and the store is not opened to be
 * salvaged. options may be NULL (all zero). */
int bt_store_open(const char *path, const struct bt_store_options *options, struct bt_store **ret_store,
		  struct bt_error *error);
void bt_store_close(struct bt_store *store); /* NULL is fine */

/* The id that tells the store from all others, wherever it lies: random, and given when the store is made. "" if the
 * store has no id: version 0.1.0 made it, and no program that may make stores and write here has opened it since. Valid
 * until close. */
const char *bt_store_id(const struct bt_store *store);
/* Whether this open made the store: there was no directory, or nothing in it belonged to a store. */
bool bt_store_made(const struct bt_store *store);

/* How the files of a store lie. Both kinds may be in one store. */
enum bt_at_rest {
	BT_AT_REST_AS_CHOSEN, /* as the store says; a store that says nothing has plain files */
	BT_AT_REST_PLAIN,     /* NAME.json */
	BT_AT_REST_ZSTD	      /* NAME.json.zst: the same text, compressed so that any part of it can be read */
};
/* How its next files will lie: BT_AT_REST_PLAIN or BT_AT_REST_ZSTD. */
enum bt_at_rest bt_store_at_rest(const struct bt_store *store);

/* Reads the directory again: new snapshots appear, removed ones vanish; open files stay readable. A refresh waits for
 * one that another thread does. */
int bt_store_refresh(struct bt_store *store, struct bt_error *error);

/*
 * The snapshots that a refresh found: their names ("snapshot_….json", also if the file lies compressed), oldest first:
 * by the time in the name, then by the clash number. Includes version 1 files. A roster never changes: the next refresh
 * makes another one. The number is of the file that has the name: it changes when another file takes the name, or the
 * file is written again. Names are valid until the store is closed.
 */
struct bt_roster {
	size_t count;
	const char *const *names;
	const uint32_t *numbers;
};
/* The roster of the last refresh. The caller puts each that it gets, before the store is closed. */
const struct bt_roster *bt_roster_get(struct bt_store *store);
void bt_roster_put(const struct bt_roster *roster); /* NULL is fine */

/* The same without getting the roster, for a program in which no other thread refreshes. NULL: there is no such
 * index. */
size_t bt_store_snapshot_count(struct bt_store *store);
const char *bt_store_snapshot_name(struct bt_store *store, size_t index);

/*
 * Keeps everything that the store has now from being deleted until the store is closed: for reading that may take long.
 * Waits for a program that deletes, for lock_wait_ms of the options. A store that cannot be locked, or is not free by
 * then, is read without the lock.
 */
int bt_store_stay(struct bt_store *store, const struct bt_observer *observer, struct bt_error *error);

/*
 * Whether other hosts that use the file system of the store see its locks. If not, the type of the file system
 * ("fuse.sshfs") is written to type: other hosts must not write while this one deletes.
 */
bool bt_store_locks_reach(const struct bt_store *store, char type[64]);

/*
 * Claims a task in this store for the caller alone: a second claim, by any process, is refused with BT_E_LOCKED. Tasks
 * of other names, snapshots and pruning are not affected. The claim ends with the process, or with close(2) of *ret_fd.
 */
int bt_store_claim(struct bt_store *store, const char *task, int *ret_fd, struct bt_error *error);

BT_C_END

#endif
