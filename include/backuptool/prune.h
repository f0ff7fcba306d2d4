/* SPDX-License-Identifier: MIT */
/* Removing snapshots, and the data that only they needed. */
#ifndef BACKUPTOOL_PRUNE_H
#define BACKUPTOOL_PRUNE_H

#include <backuptool/observer.h>
#include <backuptool/store.h>

BT_C_BEGIN

struct bt_prune_options {
	size_t size;	       /* of this struct */
	unsigned dead_percent; /* a file is rewritten when more than this percentage of it is unreferenced; 0 means 25,
				  100: never */
	uint64_t volume_size;  /* how much is rewritten at a time; 0 means 256 MiB */
	bool dry_run;	       /* change nothing, and tell what would be done */
};

struct bt_prune_result {
	size_t size;	   /* of this struct */
	uint64_t removed;  /* snapshots */
	uint64_t replaced; /* named snapshots that stay, because another process wrote them again meanwhile */
	uint64_t files_deleted, files_moved, files_rewritten;
	uint64_t files_damaged; /* of those moved: damaged, so that only a repair can tell which of their data other
				   snapshots need */
	bool kept; /* files stay because the other copies of their contents are damaged, as the observer was told:
		      repair the store, and prune again */
	uint64_t proven, proven_bytes; /* contents and pages that were in two files: one copy was removed after the
					  other was read and found intact */
	int64_t freed_bytes;  /* sizes of files before minus after; a dry run estimates those of files that would be
				 rewritten */
	uint64_t dead_bytes;  /* unreferenced bytes in files that stay and in new ones: in each at most the threshold */
	uint64_t stuck_bytes; /* unreferenced bytes in files that were not rewritten for lack of room */
	uint64_t files_newer; /* of those moved: made by a newer version of the program, which alone can read them */
};

/*
 * Removes the named snapshots, then the data that no snapshot needs any more; without names only the latter. Names are
 * as bt_store_snapshot_name gives them. One prune works at a time: a second one waits, and skips names that are gone by
 * then. The exclusive lock is taken only for the steps that delete. If it is killed or cancelled at any point, every
 * remaining snapshot is whole, and the next prune finishes the work. If a remaining snapshot cannot be read, nothing is
 * deleted: BT_E_DAMAGED, with the file that cannot be read. BT_E_INCOMPLETE: everything else is done, but files could
 * not be rewritten because the disk is full, and stay as they are; or a file stays because the other copy of its
 * contents is damaged (before a copy is removed, the one that stays is read and compared with its digest; the
 * observer's problem names the file that is kept and the damage in the other one); or a named snapshot was written
 * again since the store was last refreshed, as bt_snapshot_retag does, and stays. The store is refreshed afterwards.
 * *ret_result is filled in any case with what was done.
 */
int bt_prune(struct bt_store *store, const char *const *names, size_t count, const struct bt_prune_options *options,
	     const struct bt_observer *observer, struct bt_prune_result *ret_result, struct bt_error *error);

struct bt_tag_change {
	const char *const *add, *const *remove; /* UTF-8 without control characters; a tag in both is added */
	size_t add_count, remove_count;
	bool pin, unpin; /* not both */
};

/* Replaces the file of a snapshot by one with other tags, pinned or not, and with the same contents, name, time, root
 * and counts. The change is applied to the tags that the snapshot has when the lock is held. If all stays the same,
 * nothing is written; otherwise the store is refreshed afterwards. The observer is told of waiting. */
int bt_snapshot_retag(struct bt_store *store, const char *name, const struct bt_tag_change *change,
		      const struct bt_observer *observer, struct bt_error *error);

BT_C_END

#endif
