/* SPDX-License-Identifier: MIT */
/* Removing snapshots and what only they needed. */
#ifndef BACKUPTOOL_PRUNE_H
#define BACKUPTOOL_PRUNE_H

#include <backuptool/observer.h>
#include <backuptool/store.h>

struct bt_prune_options {
	unsigned dead_percent; /* files with more dead contents than this are rewritten; 0 means 25, 100: never */
	uint64_t volume_size;  /* how much is rewritten at a time; 0 means 256 MiB */
	bool dry_run;	       /* say what would be done */
};

struct bt_prune_result {
	uint64_t removed; /* snapshots */
	uint64_t anew;	  /* named ones that stay, since they were written anew meanwhile */
	uint64_t files_deleted, files_moved, files_rewritten;
	uint64_t files_damaged; /* of those moved: what others need of them is only known after a repair */
	bool kept; /* files whose contents others say to hold, too, but damaged, as was told: mend them, and prune again
		    */
	uint64_t proven, proven_bytes; /* contents and pages in two files, of which one copy went after the other one
					  was read and found right */
	int64_t freed_bytes;  /* file sizes before less after; in a dry run those of files that would be rewritten are
				 estimated */
	uint64_t dead_bytes;  /* left in files that stay, and in the new ones: no more of each than the threshold */
	uint64_t stuck_bytes; /* left in files for whose copies there was no room */
};

/*
 * Removes the named snapshots (as bt_store_snapshot_name gives them; none is fine: only collects what nobody needs).
 * One at a time: a second one waits, and finds what the first one left; names that are gone by then are passed over.
 * Waits for the exclusive lock only for the last step. Killed or cancelled at any point, every remaining snapshot is
 * whole and the next prune finishes the work. If any remaining snapshot cannot be read, nothing is deleted:
 * BT_E_DAMAGED with the file in the way. What cannot be written anew because the disk is full stays as it is:
 * BT_E_INCOMPLETE, after all the rest is done; so does a file whose contents are elsewhere only as another file says:
 * before a copy goes, the one that stays is read and compared with its digest, and the observer's problem names the
 * file that is kept and the damage in the other one; so does a named snapshot that has been written anew since the
 * store was refreshed last, as bt_snapshot_retag does, with the same code. The store is refreshed afterwards.
 * *ret_result is filled in any case with what was done.
 */
int bt_prune(struct bt_store *store, const char *const *names, size_t count, const struct bt_prune_options *options,
	     const struct bt_observer *observer, struct bt_prune_result *ret_result, struct bt_error *error);

struct bt_tag_change {
	const char *const *add, *const *remove; /* UTF-8 without control characters; what is in both is added */
	size_t add_count, remove_count;
};

/* Writes a snapshot anew with other tags, contents untouched: the new file (name: the old one's) has the same time,
 * root and counts. The change is made to the tags that it has once there is nobody else at work on them. Where it
 * changes nothing, nothing happens; else the store is refreshed afterwards. observer is for waiting. */
int bt_snapshot_retag(struct bt_store *store, const char *name, const struct bt_tag_change *change,
		      const struct bt_observer *observer, struct bt_error *error);

#endif
