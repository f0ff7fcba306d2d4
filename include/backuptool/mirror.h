/* SPDX-License-Identifier: MIT */
/* A second directory with the same files as a store. */
#ifndef BACKUPTOOL_MIRROR_H
#define BACKUPTOOL_MIRROR_H

#include <backuptool/observer.h>
#include <backuptool/store.h>

BT_C_BEGIN

struct bt_mirror_options {
	size_t size;	   /* of this struct */
	bool delete_extra; /* remove files that the store does not have any more, unless files of it could not be read
			    */
	bool dry_run;	   /* write nothing, and count what would be done */
};

struct bt_mirror_result {
	size_t size;		  /* of this struct */
	uint64_t snapshots;	  /* of the store */
	uint64_t added, replaced; /* snapshots: new in the mirror; written again in the store since, as by a tag */
	uint64_t files, bytes;	  /* copied: snapshots and volumes together */
	uint64_t extra;		  /* snapshots of the mirror that the store does not have */
	uint64_t removed;	  /* of these; 0 without delete_extra */
	uint64_t newer;		  /* of the extra ones: newer than all of the store, so that it never had them */
	uint64_t unread; /* files of the store that could not be read, so that the mirror lacks them or has them
			    as they were */
};

/*
 * Makes the directory have the files of the store, byte for byte: the id, the snapshots and the volumes. It is a store
 * itself, and may be read, mounted, checked and mirrored. Nothing else is copied: no cache, no state, no damaged/. The
 * directory is made if it is missing. BT_E_INVALID: it is another store, or the store itself, or the store has no id.
 *
 * It is right at every moment: volumes are copied before the snapshots that need them, and removed after them. While it
 * works, nothing is deleted from the store, snapshots may be taken there, and no other program changes the mirror. A
 * file of the mirror is never replaced by one that is damaged. If it is cancelled or killed, the next run goes on.
 * BT_E_INCOMPLETE: files could not be read; the observer was told.
 */
int bt_mirror(struct bt_store *from, const char *directory, const struct bt_mirror_options *options,
	      const struct bt_observer *observer, struct bt_mirror_result *ret_result, struct bt_error *error);

BT_C_END

#endif
