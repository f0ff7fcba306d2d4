/* SPDX-License-Identifier: MIT */
/* Proving that a store is whole. */
#ifndef BACKUPTOOL_CHECK_H
#define BACKUPTOOL_CHECK_H

#include <backuptool/observer.h>
#include <backuptool/store.h>

struct bt_check_options {
	bool quick;		  /* metadata only: lists, pages, and that every content is somewhere */
	unsigned part, parts;	  /* contents: part of parts (1 of 7); 0, 0: all */
	const char *const *names; /* snapshots, as bt_store_snapshot_name gives them; none: the whole store */
	size_t name_count;
	unsigned threads; /* 0: as many as there are processors */
};

/* An entry that a finding hurts: it cannot be restored whole. */
struct bt_hurt {
	const char *snapshot;
	const char *path; /* relative to the target, any bytes; "" the target itself; NULL: all of the snapshot */
	uint64_t offset, length; /* bytes of the file, without its holes; BT_NO_OFFSET: all of it */
};

struct bt_finding {
	const char *file;	 /* in the store; NULL: what no file of the store has */
	uint64_t offset, length; /* bytes of file; offset BT_NO_OFFSET: all of it, length 0: not known how far */
	const struct bt_error *error;
	const struct bt_hurt *hurts; /* the first BT_HURTS at most */
	size_t hurt_count;
	uint64_t hurts_more; /* beyond those */
	bool traced;	     /* they were looked for */
};
#define BT_HURTS 20

struct bt_check_result {
	uint64_t snapshots, files, pages, contents, bytes; /* looked at; bytes: plain bytes decoded */
	uint64_t findings;
	bool complete; /* every byte of every file was read */
};

/*
 * Looks at everything that restoring needs with what restoring looks at it with, and beyond that at every byte of every
 * file: no finding means that all of it restores. With names: only at what these snapshots need. Derived data counts
 * for nothing: it is not trusted, and damage in it is none.
 *
 * Holds the store's shared lock, where it can be taken. found is called for each finding in the order of files and
 * offsets when everything was looked at (beyond 4096 findings at once and without what they hurt), on the calling
 * thread or one at a time on others. 0 (clean), BT_E_DAMAGED (findings were told; error is not filled), or another
 * failure; with BT_E_CANCELLED what was found so far is told. ret_result is filled in any case.
 */
int bt_check(struct bt_store *store, const struct bt_check_options *options,
	     void (*found)(void *arg, const struct bt_finding *finding), void *arg, const struct bt_observer *observer,
	     struct bt_check_result *ret_result, struct bt_error *error);

#endif
