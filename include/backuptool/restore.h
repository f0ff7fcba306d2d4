/* SPDX-License-Identifier: MIT */
/* Restoring files. */
#ifndef BACKUPTOOL_RESTORE_H
#define BACKUPTOOL_RESTORE_H

#include <backuptool/observer.h>
#include <backuptool/view.h>

BT_C_BEGIN

enum bt_overwrite {
	BT_OVERWRITE_IF_CHANGED, /* a file of the same type, size, mtime and metadata is left alone; if only its
				    metadata differs, that is set; if its mtime differs, it is compared by content, and
				    written if that differs. If paths are given, every file is compared by content; if
				    output is the directory that the snapshot was taken of, every file that was touched
				    since is */
	BT_OVERWRITE_ALWAYS,
	BT_OVERWRITE_NEVER, /* existing entries stay */
};

struct bt_restore_options {
	size_t size;		  /* of this struct */
	const char *const *paths; /* below the root of the snapshot; none: everything. Each is restored to the same
				     relative path below the output directory */
	size_t path_count;
	enum bt_overwrite overwrite;
	bool delete_extra; /* remove entries of restored directories that the snapshot does not have, except the store,
			      and other file systems of which the snapshot has nothing */
	bool salvage; /* of a damaged file, write the parts that can be verified to NAME.partial, with lost ranges as
			 holes, and tell the ranges to the observer; NAME stays as it is. Also works with a store that
			 was opened to be salvaged */
	bool confine; /* from the call on, and after it, the process can reach only the store, to read it, and output:
			 see confine.h */
	bool dry_run; /* change nothing, and tell the observer what would be done */
	bool count_only;  /* with dry_run: only count what delete_extra would remove, and the entries that are there;
			     nothing is compared or told. Costs a listing of each directory that is there, and a look at
			     each entry in it: 0.3 s for 100,000 files */
	unsigned threads; /* 0: as many as there are processors */
	/* On the way to output, also follow symlinks of users who are neither root nor the effective user. Otherwise
	 * such a link is BT_E_FOREIGN; foreign.h tells where it leads. */
	bool follow_foreign_links;
};

struct bt_restore_result {
	size_t size;			     /* of this struct */
	uint64_t files, directories, others; /* entries handled */
	uint64_t written, unchanged, errors;
	uint64_t deleted;    /* entries, including those in removed directories */
	uint64_t boundaries; /* roots of other file systems that were left as they are */
	uint64_t torn;	     /* files that changed while the snapshot was taken */
	uint64_t by_time;    /* files whose contents were left alone because size and mtime are equal, without any other
				proof */
	uint64_t in_pieces;  /* files that were written, but whose digest is never compared: see view.h */
	uint64_t bytes;	     /* written */
};

/*
 * Restores below output, which is created when missing, with the directories that lead there; a symlink to a directory
 * is followed there and nowhere below. Never writes outside output, whatever the snapshot contains and even if others
 * change output at the same time. Every byte is verified before its file gets its name. The store stays as it is: an
 * entry that would take the place of the store, or of a file of it, is an error, and an output that is the store or
 * lies in it is BT_E_INVALID. If another file system is mounted below output and the snapshot has nothing of it, it
 * stays as it is, with its root. Existing directories that only lead to paths keep their metadata. After a failure the
 * observer is told, and the restore continues, unless the file system of output takes no more data. Owners, devices and
 * privileged xattrs are set only where the process may; those that an ordinary user cannot set (owner, devices,
 * trusted.*) are counted and told once for each kind, and are not errors. BT_E_INCOMPLETE: entries failed; the observer
 * was told of each.
 */
int bt_restore(struct bt_store *store, const struct bt_snapshot *snapshot, const char *output,
	       const struct bt_restore_options *options, const struct bt_observer *observer,
	       struct bt_restore_result *ret_result, struct bt_error *error);

BT_C_END

#endif
