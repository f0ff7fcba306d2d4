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
	bool thorough;	       /* every file with something unreferenced is rewritten, however little that is */
	const struct bt_digest *purge; /* contents and pages: files that have one of them unreferenced are rewritten,
					  too, so that it is nowhere afterwards */
	size_t purge_count;
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
	uint64_t purge_left;  /* of what was to be purged and nothing needs, what is still in some file: of a snapshot
				 that stays, or of one that could not be rewritten */
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

/* How much room is wanted; 0: no such wish. */
struct bt_room_wish {
	size_t size;		    /* of this struct */
	uint64_t keep_free;	    /* bytes of the store's file system, as they are free for this user */
	unsigned keep_free_percent; /* of the size of the file system, 1 to 99 */
	uint64_t max_store;	    /* bytes of the store's files at most */
	const char *const *names;   /* as of bt_prune, in the order in which they are to go */
	size_t name_count, given;   /* given: of the names, those from the first on that go in any case */
};

enum bt_room_end {
	BT_ROOM_REACHED,
	BT_ROOM_NOTHING_LEFT, /* all names are gone, and that is too little */
	BT_ROOM_TAKEN, /* as much as was missing is gone, and something else took the room, or holds what was deleted */
};

struct bt_room_result {
	size_t size;	      /* of this struct */
	enum bt_room_end end; /* if the call succeeded or gave BT_E_INCOMPLETE */
	size_t gone;	      /* names, from the first on, that were removed; a dry run: that would be */
	uint64_t wanted_free; /* of keep_free and keep_free_percent the larger one, in bytes */
	uint64_t free, store; /* bytes afterwards; a dry run estimates them */
};

/*
 * Removes named snapshots, in their order, until the wishes are met: first those that are given, then, if that is too
 * little, unneeded data that bt_prune would leave in files, then as many of the further names as it takes. How many
 * that are is estimated by dry runs, and the file system is asked after each prune, so that a wrong estimate is put
 * right by another one. Each prune is as bt_prune, with the same locks, and the call can be ended as that can; names
 * that were removed or written again meanwhile are passed over.
 *
 * Nothing is removed because of a figure that cannot be right: BT_E_SYSTEM if the file system does not tell its size.
 * A call never removes more than was missing when it began, but for what the estimates are wrong by: when that much is
 * gone and others took the room meanwhile, it ends (BT_ROOM_TAKEN). BT_E_INCOMPLETE if the wishes are not met, as
 * *ret_room says, or as from bt_prune. *ret_result has the sums of all prunes.
 */
int bt_prune_for_room(struct bt_store *store, const struct bt_room_wish *wish, const struct bt_prune_options *options,
		      const struct bt_observer *observer, struct bt_room_result *ret_room,
		      struct bt_prune_result *ret_result, struct bt_error *error);

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
