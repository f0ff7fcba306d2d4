/* SPDX-License-Identifier: MIT */
/* How much there is in a store, and what it is made of. */
#ifndef BACKUPTOOL_STATS_H
#define BACKUPTOOL_STATS_H

#include <backuptool/observer.h>
#include <backuptool/store.h>

struct bt_stats_snapshot {
	const char *name;
	struct bt_time time;
	uint64_t files, size; /* of the directory, as it would be restored */
	uint64_t fresh;	      /* bytes of contents that no older snapshot has */
};

struct bt_stats {
	uint64_t snapshots, files; /* files: in all snapshots together */
	uint64_t logical;	   /* sizes of all directories together */
	uint64_t contents, unique; /* contents that snapshots have, each counted once, and their bytes */
	uint64_t stored;	   /* what those take in the store's files */
	uint64_t dead;		   /* bytes in the store's files that no snapshot needs */
	uint64_t store_files,
		store_bytes; /* the files themselves; what is neither stored nor dead is lists and pages */
	uint64_t unread;     /* snapshots and files that could not be read; the observer was told */
};

/*
 * Looks at all snapshots and at the lists of all files, but at no contents. snapshot is called for each, oldest first;
 * what it is given ends with the call. BT_E_INCOMPLETE: something could not be read; what is only known to it counts as
 * dead. Counts of a block's bytes are in proportion to the contents in it.
 */
int bt_stats_gather(struct bt_store *store, void (*snapshot)(void *arg, const struct bt_stats_snapshot *snapshot),
		    void *arg, const struct bt_observer *observer, struct bt_stats *ret_stats, struct bt_error *error);

#endif
