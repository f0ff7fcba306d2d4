/* SPDX-License-Identifier: MIT */
/* Removing snapshots and what only they needed. */
#ifndef BACKUPTOOL_PRUNE_H
#define BACKUPTOOL_PRUNE_H

#include <backuptool/observer.h>
#include <backuptool/store.h>

struct bt_prune_options {
	unsigned dead_percent; /* files with more dead contents than this are rewritten; 0 means 25, 100: never */
	uint64_t volume_size;  /* how much is rewritten at a time; 0 means 256 MiB */
	bool dry_run;
};

struct bt_prune_result {
	uint64_t removed; /* snapshots */
	uint64_t files_deleted, files_moved, files_rewritten;
	int64_t freed_bytes;  /* file sizes before less after */
	uint64_t dead_bytes;  /* left in files below the threshold */
	uint64_t stuck_bytes; /* left in files for whose copies there was no room */
};

/*
 * Removes the named snapshots (as bt_store_snapshot_name gives them; none is fine: only collects what nobody needs).
 * Waits for the exclusive lock only for the last step. Killed at any point, every remaining snapshot is whole and the
 * next prune finishes the work. If any remaining snapshot or volume cannot be read, nothing shared is deleted:
 * BT_E_DAMAGED with the file in the way. What cannot be written anew because the disk is full stays as it is:
 * BT_E_INCOMPLETE with *ret_result, after all the rest is done. The store is refreshed afterwards.
 */
int bt_prune(struct bt_store *store, const char *const *names, size_t count, const struct bt_prune_options *options,
	     const struct bt_observer *observer, struct bt_prune_result *ret_result, struct bt_error *error);

/* Writes a snapshot anew with other tags, contents untouched: the new file (name: the old one's) has the same time,
 * root and counts. */
int bt_snapshot_retag(struct bt_store *store, const char *name, const char *const *tags, size_t count,
		      struct bt_error *error);

#endif
