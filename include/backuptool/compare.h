/* SPDX-License-Identifier: MIT */
/* What differs between two trees: of snapshots, or of a snapshot and a directory as it is now. */
#ifndef BACKUPTOOL_COMPARE_H
#define BACKUPTOOL_COMPARE_H

#include <backuptool/observer.h>
#include <backuptool/view.h>

BT_C_BEGIN

enum bt_change_kind {
	BT_CHANGE_ADDED,    /* only after */
	BT_CHANGE_REMOVED,  /* only before */
	BT_CHANGE_CONTENT,  /* the bytes of a file, the target of a link, the numbers of a device; maybe metadata too */
	BT_CHANGE_TYPE,	    /* something else has the name */
	BT_CHANGE_METADATA, /* mode, owner, attributes, or the time of anything but a directory */
	BT_CHANGE_KINDS
};

struct bt_change {
	enum bt_change_kind kind;
	const char *path;		       /* any bytes; "" the entry itself that was compared */
	const struct bt_entry *before, *after; /* NULL: not there. In a directory as it is now, after has no attributes,
						  and a digest only where a file was read */
};

struct bt_compare_result {
	size_t size; /* of this struct */
	uint64_t counts[BT_CHANGE_KINDS];
	uint64_t added_bytes, removed_bytes; /* sizes of files that came, went, or grew and shrank */
	uint64_t errors;		     /* entries that could not be compared; each was told */
};

/* An entry, and the snapshot and the store that it comes from; they may be of two stores. */
struct bt_side {
	struct bt_store *store;
	const struct bt_snapshot_info *info; /* no more entries are read than it declares (see walk.h) */
	const struct bt_entry *entry;
};

/* A directory (a symlink to one is followed) or anything else (a symlink is not followed), without what a snapshot
 * would leave out. */
struct bt_live {
	size_t size; /* of this struct */
	const char *path;
	const char *const *exclude, *const *exclude_if_present; /* as in snapshot.h */
	size_t exclude_count, exclude_if_present_count;
	bool exclude_caches, one_file_system;
};

struct bt_compare_call {
	void (*found)(void *arg, const struct bt_change *change); /* in the order of a walk; what it points to ends
								     with the call */
	void *arg;
	const struct bt_observer *observer; /* may be NULL */
};

/* Whether two entries of one type have the same bytes, target, or numbers, by what they say; directories always do.
 * Without digests, as in files that are nearly all holes, the pieces must be the same. */
bool bt_same_content(const struct bt_entry *before, const struct bt_entry *after);

/*
 * Tells each difference once. Directories with one id are equal and are not read: the cost follows what differs, not
 * what is there. BT_E_INCOMPLETE: not everything could be read; all that was told is true. ret_result is filled in any
 * case.
 */
int bt_compare(const struct bt_side *before, const struct bt_side *after, const struct bt_compare_call *call,
	       struct bt_compare_result *ret_result, struct bt_error *error);

/* The same with a directory as it is now. A file is read unless its fingerprint or its size decides. The store itself
 * is left out. */
int bt_compare_live(const struct bt_side *before, const struct bt_live *after, const struct bt_compare_call *call,
		    struct bt_compare_result *ret_result, struct bt_error *error);

BT_C_END

#endif
