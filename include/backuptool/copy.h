/* SPDX-License-Identifier: MIT */
/* Copying snapshots from one store into another one. */
#ifndef BACKUPTOOL_COPY_H
#define BACKUPTOOL_COPY_H

#include <backuptool/observer.h>
#include <backuptool/store.h>

BT_C_BEGIN

struct bt_copy_options {
	size_t size;	      /* of this struct */
	int level;	      /* 1–19, BT_COMPRESSION_MAX: all is compressed again; 0: what is compressed stays so */
	uint64_t volume_size; /* 0: the default */
	unsigned threads;     /* 0: one for each processor */
	bool dry_run;	      /* write nothing, and tell what would be copied */
};

struct bt_copy_result {
	size_t size;			      /* of this struct */
	char name[64];			      /* of the copy; of a dry run: empty, unless it was there */
	bool present;			      /* it was there: a snapshot of the same time, host, directory and tree */
	uint64_t contents, pages;	      /* that the other store lacked */
	uint64_t new_bytes;		      /* of these contents */
	uint64_t stored_bytes, written_bytes; /* bytes that they take there in Base64; sizes of all files written */
};

/*
 * One run from a store into another. While it is open, nothing is deleted from either of them; snapshots may be taken
 * in both. Several runs into one store may work at the same time. BT_E_INVALID: the two are one store.
 * to may be NULL in a dry run: a store that is yet to be made.
 */
struct bt_copy;
int bt_copy_begin(struct bt_store *from, struct bt_store *to, const struct bt_copy_options *options,
		  const struct bt_observer *observer, struct bt_copy **ret_copy, struct bt_error *error);
void bt_copy_end(struct bt_copy *copy); /* NULL is fine; it refreshes the store that was written to */

/*
 * Copies a snapshot, named as bt_store_snapshot_name gives it, with all that it has: time, host, directory, tags, pin,
 * and what this version does not know. It gets its own name, or the next free one of its second. Contents and pages
 * that the other store has are not copied; all others are compared with their digests. The snapshot appears when
 * everything is durable. If it fails, no snapshot appears, and the next ones can still be copied, unless the failure is
 * BT_E_LOCKED. BT_E_DAMAGED: something that it needs is nowhere sound. BT_E_INCOMPLETE: it was copied, but the names of
 * its users and groups are damaged, and not in the copy. BT_E_UNSUPPORTED: a newer version made it, or it is a version
 * 1 file, which needs no other file, so that copying it is enough. Files that are written before it is cancelled or
 * killed stay, and need not be copied again.
 */
int bt_copy_snapshot(struct bt_copy *copy, const char *name, struct bt_copy_result *ret_result, struct bt_error *error);

BT_C_END

#endif
