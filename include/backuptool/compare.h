/* SPDX-License-Identifier: MIT */
/* Comparing two trees: of two snapshots, or of a snapshot and a directory as it is now. */
#ifndef BACKUPTOOL_COMPARE_H
#define BACKUPTOOL_COMPARE_H

#include <backuptool/observer.h>
#include <backuptool/view.h>

BT_C_BEGIN

enum bt_change_kind {
	BT_CHANGE_ADDED,    /* only after */
	BT_CHANGE_REMOVED,  /* only before */
	BT_CHANGE_CONTENT,  /* the bytes of a file, the target of a link, the numbers of a device; maybe metadata too */
	BT_CHANGE_TYPE,	    /* an entry of another type has the name */
	BT_CHANGE_METADATA, /* mode, owner, attributes, or the time of anything but a directory */
	BT_CHANGE_KINDS
};

struct bt_change {
	enum bt_change_kind kind;
	const char *path;		       /* any bytes; "": the compared entry itself */
	const struct bt_entry *before, *after; /* NULL: not there. In a directory as it is now, after has no attributes,
						  and a digest only where a file was read */
};

struct bt_compare_result {
	size_t size; /* of this struct */
	uint64_t counts[BT_CHANGE_KINDS];
	uint64_t added_bytes, removed_bytes; /* sizes of files that came, went, or grew and shrank */
	uint64_t errors;		     /* entries that could not be compared; the observer was told of each */
};

/* An entry with its snapshot and its store. The two sides may be in different stores. */
struct bt_side {
	struct bt_store *store;
	const struct bt_snapshot_info *info; /* no more entries are read than it declares (see walk.h) */
	const struct bt_entry *entry;
};

/* A directory, or anything else, as it is now. A symlink to a directory is followed, any other symlink is not. Entries
 * that a snapshot would leave out are ignored. */
struct bt_live {
	size_t size; /* of this struct */
	const char *path;
	const char *const *exclude, *const *exclude_if_present; /* as in snapshot.h */
	size_t exclude_count, exclude_if_present_count;
	bool exclude_caches, one_file_system;
	bool recorded;	   /* and what the rules leave out that the snapshot has recorded */
	const char *below; /* where the compared entry lies in the snapshot: patterns begin at the root of that; NULL or
			      "": it is the root */
	uint64_t exclude_larger_than; /* the rest as in snapshot.h, too */
	bool exclude_nodump;
	const char *const *ignore_files, *const *include;
	size_t ignore_file_count, include_count;
};

struct bt_compare_call {
	/* In the order of a walk; change is valid during the call. */
	void (*found)(void *arg, const struct bt_change *change);
	void *arg;
	const struct bt_observer *observer; /* may be NULL */
};

/* Whether two entries of one type record the same bytes, link target, or device numbers; always true for directories.
 * Files without digests, such as those that are nearly all holes, must have the same pieces. */
bool bt_same_content(const struct bt_entry *before, const struct bt_entry *after);

/*
 * Tells each difference once. Directories with the same id are equal and are not read: the cost depends on the number
 * of differences, not on the size of the trees. BT_E_INCOMPLETE: not everything could be read; every difference that
 * was told is real. ret_result is filled in any case.
 */
int bt_compare(const struct bt_side *before, const struct bt_side *after, const struct bt_compare_call *call,
	       struct bt_compare_result *ret_result, struct bt_error *error);

/* The same with a directory as it is now. A file is read only if neither its fingerprint nor its size decides. The
 * store itself is left out. */
int bt_compare_live(const struct bt_side *before, const struct bt_live *after, const struct bt_compare_call *call,
		    struct bt_compare_result *ret_result, struct bt_error *error);

BT_C_END

#endif
