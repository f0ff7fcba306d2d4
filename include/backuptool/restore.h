/* SPDX-License-Identifier: MIT */
/* Bringing files back. */
#ifndef BACKUPTOOL_RESTORE_H
#define BACKUPTOOL_RESTORE_H

#include <backuptool/observer.h>
#include <backuptool/view.h>

enum bt_overwrite {
	BT_OVERWRITE_IF_CHANGED, /* a file of the same type, size, mtime and metadata is left alone; one that differs
				    only in metadata gets those; one that differs in mtime is compared by content and
				    written if it differs. When paths are given, every file is compared so; where the
				    output is the snapshot's own directory, each file that was touched since */
	BT_OVERWRITE_ALWAYS,
	BT_OVERWRITE_NEVER, /* what is there stays, whatever it is */
};

struct bt_restore_options {
	const char *const *paths; /* below the snapshot's root; none: everything. Restored to the same relative paths
				     below the output directory */
	size_t path_count;
	enum bt_overwrite overwrite;
	bool delete_extra; /* remove what the snapshot does not have, except for the store, and for other file systems
			      that it has nothing of; only inside restored directories */
	bool salvage;	   /* of a file that is damaged, write what can be verified to NAME.partial, lost ranges being
			      holes, and tell the ranges; NAME stays as it is. For a store opened to be salvaged, too */
	bool confine;	   /* from here on the process can reach nothing but the store, to read, and output: see
			      confine.h. It stays so afterwards */
	bool dry_run;	   /* tell the observer what would be done */
	bool count_only;   /* with dry_run: only count what delete_extra would remove, and the entries that there are;
			      nothing is compared or told. It costs a listing of each directory that is there, and a
			      look at each entry in it: 0.3 s for 100,000 files */
	unsigned threads;  /* 0: as many as there are processors */
	/* On the way to output, also symlinks of users who are neither root nor the effective one are followed. Else
	 * such a link is BT_E_FOREIGN; where it leads, foreign.h tells. */
	bool follow_foreign_links;
};

struct bt_restore_result {
	uint64_t files, directories, others; /* entries handled */
	uint64_t written, unchanged, errors;
	uint64_t deleted;    /* entries, those in removed directories among them */
	uint64_t boundaries; /* other file systems that were left as they are */
	uint64_t torn;	     /* files that changed while the snapshot was taken */
	uint64_t by_time;    /* files whose contents were left as they were because size and time are equal, and of
				which nothing else is known */
	uint64_t in_pieces;  /* files that were written, but whose digest is unproven: bt_whole_is_unproven */
	uint64_t bytes;	     /* written */
};

/*
 * Restores below output (created when missing, with what leads there; a symlink to a directory is followed there and
 * nowhere below). Writes nothing outside it whatever the snapshot holds or anybody does meanwhile. Every byte is
 * verified before its file gets its name. The store stays as it is: an entry in whose way it, or a file of it, stands
 * is an error, and BT_E_INVALID an output that is the store or lies in it. Another file system below output that the
 * snapshot has nothing of stays as it is, with its root. Existing directories that only lead to paths keep their
 * metadata. Failures are told, and it goes on, unless the output's own file system takes no more data. Owners, devices
 * and privileged xattrs only where the process may; what an ordinary user cannot set (owner, devices, trusted.*) is
 * counted and told once each kind, not an error. BT_E_INCOMPLETE: entries failed, each was told to the observer.
 */
int bt_restore(struct bt_store *store, const struct bt_snapshot *snapshot, const char *output,
	       const struct bt_restore_options *options, const struct bt_observer *observer,
	       struct bt_restore_result *ret_result, struct bt_error *error);

#endif
