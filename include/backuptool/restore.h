/* SPDX-License-Identifier: MIT */
/* Restoring files. */
#ifndef BACKUPTOOL_RESTORE_H
#define BACKUPTOOL_RESTORE_H

#include <backuptool/observer.h>
#include <backuptool/owners.h>
#include <backuptool/view.h>

BT_C_BEGIN

enum bt_overwrite {
	BT_OVERWRITE_IF_CHANGED, /* a file of the same type, size, mtime and metadata is left alone; if only its
				    metadata differs, that is set; if its mtime differs, it is compared by content, and
				    written if that differs. If paths are given, every file is compared by content; if
				    output is the directory that the snapshot was taken of, every file that was touched
				    since is */
	BT_OVERWRITE_ALWAYS,
	BT_OVERWRITE_NEVER,    /* existing entries stay */
	BT_OVERWRITE_IF_NEWER, /* they stay, too, unless the snapshot's mtime is the later one; then as IF_CHANGED */
};

/* Part of the names that backups have by default: NAME, this, a time, "~". */
#define BT_BACKUP_MARK ".~before-restore-"

/* To whom what is restored belongs. What follows from it for an ACL's users and groups is set there, too. */
enum bt_restored_owners {
	BT_OWNERS_NUMBER, /* to those with the same numbers */
	BT_OWNERS_NAME,	  /* to those with the same names; one whose name this machine does not know keeps the number */
	BT_OWNERS_NONE,	  /* owners are not set; ACLs keep their numbers */
};

/* Somebody of the snapshot stands for somebody else here. Each is a name, or else a number that is written out: from
 * one of the snapshot, to one of this machine. */
struct bt_owner_change {
	enum bt_owner_kind kind;
	const char *from, *to;
};

enum bt_owner_doubt {
	BT_OWNER_CLASH = 1, /* restored by number; the number has another name here, or the name another number */
	BT_OWNER_UNKNOWN,   /* restored by name; this machine does not know the name, and so the number was kept */
};

/* Somebody of the snapshot who is not the same here. */
struct bt_owner_note {
	enum bt_owner_doubt doubt;
	enum bt_owner_kind kind;
	uint32_t id;	  /* in the snapshot */
	const char *name; /* in the snapshot */
	const char *here; /* the name that this number has here; NULL: none */
	bool has_id;	  /* the name is known here, with here_id as number */
	uint32_t here_id;
	uint64_t entries; /* of the restore, which belong to the user or group, or have it in an ACL */
};

struct bt_restore_options {
	size_t size;		  /* of this struct */
	const char *const *paths; /* below the root of the snapshot; none: everything. Each is restored to the same
				     relative path below the output directory */
	size_t path_count;
	enum bt_overwrite overwrite;
	bool delete_extra;  /* remove entries of restored directories that the snapshot does not have, except the store,
			       and other file systems of which the snapshot has nothing */
	bool keep_left_out; /* with delete_extra: entries stay that the rules leave out which the snapshot has recorded,
			       and so does what leads to them */
	bool salvage; /* of a damaged file, write the parts that can be verified to NAME.partial, with lost ranges as
			 holes, and tell the ranges to the observer; NAME stays as it is. Also works with a store that
			 was opened to be salvaged */
	bool confine; /* from the call on, and after it, the process can reach only the store, to read it, and output:
			 see confine.h */
	bool dry_run; /* change nothing, and tell the observer what would be done */
	bool count_only;  /* with dry_run: only count what delete_extra would remove, files that are newer, and the
			     entries that are there; nothing is compared or told. Costs a listing of each directory that
			     is there, and a look at  each entry in it: 0.3 s for 100,000 files */
	unsigned threads; /* 0: as many as there are processors */
	/* On the way to output, also follow symlinks of users who are neither root nor the effective user. Otherwise
	 * such a link is BT_E_FOREIGN; foreign.h tells where it leads. */
	bool follow_foreign_links;
	enum bt_restored_owners owners;
	const struct bt_owner_change *changes; /* whatever owners says, but for BT_OWNERS_NONE */
	size_t change_count;
	/* Called at the end for everybody of whom there is something to say, of most entries first, where the process
	 * may set owners. NULL is fine, and saves looking the names up. */
	void (*owner)(void *arg, const struct bt_owner_note *note);
	void *arg;
	/* A directory of the snapshot, below its root, whose contents become those of output. Paths are below it. NULL
	 * or
	 * "": the root. */
	const char *base;
	/* What would be replaced or deleted gets another name in its directory: its own and this, and a number if that
	 * is taken. Nothing is lost then, so that also a directory with something in it makes way. What is equal in
	 * content has no backup. NULL: what is replaced is gone. BT_E_INVALID: empty, longer than 200 bytes, or with a
	 * slash. */
	const char *backup;
	bool keep_backups; /* with delete_extra: names with BT_BACKUP_MARK stay, and those that end with backup */
	/* Patterns as in .gitignore, of paths below the snapshot's root, whatever base is. With includes only what
	 * matches one of them is restored, or lies in a directory that does, and the directories that lead there; what
	 * excludes match is left out of that. delete_extra removes only what is selected so. */
	const char *const *includes, *const *excludes;
	size_t include_count, exclude_count;
	bool *include_used, *exclude_used; /* one for each: whether it matched anything; NULL is fine */
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
	uint64_t newer;	     /* files there that were modified later than those of the snapshot; with IF_NEWER they
				stay as they are, with NEVER they are not counted */
	uint64_t backed_up;  /* entries that got another name; a directory is one, with everything in it */
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
