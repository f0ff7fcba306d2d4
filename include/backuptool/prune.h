/* SPDX-License-Identifier: MIT */
/* Removing snapshots and what only they needed. */
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
	bool dry_run;	       /* only tell what would be done */
};

struct bt_prune_result {
	size_t size;	   /* of this struct */
	uint64_t removed;  /* snapshots */
	uint64_t replaced; /* named snapshots that stay, because they were written again meanwhile */
	uint64_t files_deleted, files_moved, files_rewritten;
	uint64_t files_damaged; /* of those moved: only a repair can tell what others need of them */
	bool kept; /* files stay because the other copies of their contents are damaged, as was told: repair the store,
		      and prune again */
	uint64_t proven, proven_bytes; /* contents and pages that were in two files: one copy went after the other one
					  was read and found right */
	int64_t freed_bytes;  /* sizes of files before minus after; a dry run estimates those of files that would be
				 rewritten */
	uint64_t dead_bytes;  /* unreferenced bytes in files that stay, and in new ones: in none more than the threshold
			       */
	uint64_t stuck_bytes; /* unreferenced bytes in files for whose copies there was no room */
};

/*
 * Removes the named snapshots (names as bt_store_snapshot_name gives them; without any, only collects what nothing
 * needs). One prune works at a time: a second one waits, and then finds what the first one left; names that are gone by
 * then are skipped. The exclusive lock is taken only for the steps that delete. If it is killed or cancelled at any
 * point, every remaining snapshot is whole, and the next prune finishes the work. If a remaining snapshot cannot be
 * read, nothing is deleted: BT_E_DAMAGED, with the file in the way. BT_E_INCOMPLETE, after everything else is done:
 * files could not be rewritten because the disk is full, and stay as they are; or a file stays because its contents are
 * elsewhere only by what another file says (before a copy goes, the one that stays is read and compared with its
 * digest; the observer's problem names the file that is kept and the damage in the other one); or a named snapshot was
 * written again since the store was last refreshed, as bt_snapshot_retag does, and stays. The store is refreshed
 * afterwards. *ret_result is filled in any case with what was done.
 */
int bt_prune(struct bt_store *store, const char *const *names, size_t count, const struct bt_prune_options *options,
	     const struct bt_observer *observer, struct bt_prune_result *ret_result, struct bt_error *error);

struct bt_tag_change {
	const char *const *add, *const *remove; /* UTF-8 without control characters; a tag in both is added */
	size_t add_count, remove_count;
};

/* Replaces the file of a snapshot by one with other tags and the same contents, name, time, root and counts. The change
 * is applied to the tags that the snapshot has once the lock is held. If it changes nothing, nothing happens; else the
 * store is refreshed afterwards. observer is told of waiting. */
int bt_snapshot_retag(struct bt_store *store, const char *name, const struct bt_tag_change *change,
		      const struct bt_observer *observer, struct bt_error *error);

BT_C_END

#endif
