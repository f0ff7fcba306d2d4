/* SPDX-License-Identifier: MIT */
/* How much data a store holds, and how large its parts are. */
#ifndef BACKUPTOOL_STATS_H
#define BACKUPTOOL_STATS_H

#include <backuptool/observer.h>
#include <backuptool/select.h>
#include <backuptool/store.h>
#include <backuptool/view.h>

BT_C_BEGIN

struct bt_stats_snapshot {
	const char *name;
	struct bt_time time;
	uint64_t files, size;	   /* of the directory when restored */
	uint64_t fresh;		   /* bytes of contents that no older one of the snapshots has */
	const char *host, *target; /* valid during the call */
};

struct bt_stats {
	size_t size;			   /* of this struct */
	uint64_t snapshots, files;	   /* files: in all snapshots together */
	uint64_t logical;		   /* sizes of all directories together */
	uint64_t contents, unique;	   /* contents of all snapshots, each counted once, and their bytes */
	uint64_t stored;		   /* bytes that these take in the store's files */
	uint64_t dead;			   /* bytes in the store's files that no snapshot needs */
	uint64_t store_files, store_bytes; /* the files themselves; their bytes that are neither stored nor dead are
					      lists and pages */
	uint64_t unread;		   /* snapshots and files that could not be read; the observer was told */
	uint64_t at_rest_files;		   /* of store_files: those that lie compressed */
	uint64_t others;		   /* bytes in the store's files that only snapshots outside the filter need */
};

/*
 * How much the snapshots are that the filter selects; NULL: all. Reads all snapshots and the lists of all files, but no
 * contents. snapshot is called for each, oldest first; its argument is valid during the call. BT_E_INCOMPLETE:
 * something could not be read; contents that only the unread part refers to count as dead. The bytes of a block are
 * divided among its contents in proportion to their sizes.
 */
int bt_stats_gather(struct bt_store *store, const struct bt_filter *filter,
		    void (*snapshot)(void *arg, const struct bt_stats_snapshot *snapshot), void *arg,
		    const struct bt_observer *observer, struct bt_stats *ret_stats, struct bt_error *error);

/*
 * How much removing each of the selected snapshots alone would free: bytes of contents that no other snapshot of the
 * store needs, before compression. Calls snapshot for each, oldest first. Reads what bt_stats_gather reads of
 * snapshots, and up to twice. Snapshots that cannot be read count as if they needed nothing.
 */
int bt_frees_gather(struct bt_store *store, const struct bt_filter *filter,
		    void (*snapshot)(void *arg, const char *name, uint64_t frees), void *arg,
		    const struct bt_observer *observer, struct bt_error *error);

/* How much a directory of a snapshot takes, with everything below it. */
struct bt_usage {
	const char *path;     /* below the entry where it began; "" that entry itself */
	size_t depth;	      /* components of path */
	uint64_t size, files; /* of the directory when restored; hard links count each time */
	uint64_t own; /* bytes of contents that no other snapshot needs, each counted in the first file that has it */
};

/*
 * How much is where below a directory of a snapshot, and what would not be needed without it. directory is called for
 * each directory, after those below it, and for from at last. Reads all snapshots, but no contents. BT_E_INCOMPLETE:
 * something could not be read, as the observer was told; what only that needs counts as the snapshot's own.
 */
int bt_usage_gather(struct bt_store *store, const struct bt_snapshot_info *info, const struct bt_entry *from,
		    void (*directory)(void *arg, const struct bt_usage *usage), void *arg,
		    const struct bt_observer *observer, struct bt_error *error);

BT_C_END

#endif
