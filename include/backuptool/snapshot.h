/* SPDX-License-Identifier: MIT */
/* Taking a snapshot. */
#ifndef BACKUPTOOL_SNAPSHOT_H
#define BACKUPTOOL_SNAPSHOT_H

#include <backuptool/observer.h>
#include <backuptool/store.h>
#include <backuptool/watch.h>

BT_C_BEGIN

/* A level above 19: blocks hold up to 4 MiB of plain data, so that similar data is compressed together. Reading a
 * single file means decoding such a block, and each thread that makes them needs 70 MiB. */
#define BT_COMPRESSION_MAX 20

/* What a program gives, to be a file of a snapshot that is no file anywhere. */
struct bt_stream {
	size_t size;	  /* of this struct */
	const char *name; /* of the file: 1 to 255 bytes without "/", not "." or ".." */
	/* Puts at most size bytes, and at least one, at data, and gives their number. 0: that was all. -errno: the
	 * rest cannot be had, and so there is no snapshot; -ECANCELED: as if the observer had cancelled. It may wait as
	 * long as it likes. It is called from the thread that called bt_snapshot_take, and after 0 or a failure no
	 * more. */
	int64_t (*read)(void *arg, void *data, size_t size);
	void *arg;
};

struct bt_snapshot_options {
	size_t size;		    /* of this struct */
	const char *host;	    /* of the directory: UTF-8, shorter than BT_HOST_SIZE; NULL: this machine */
	const char *const *exclude; /* patterns as in .gitignore, relative to the target; the last match decides */
	size_t exclude_count;
	const char *const *exclude_if_present; /* a directory with such a file is recorded without its other contents */
	size_t exclude_if_present_count;
	bool exclude_caches; /* the same for a valid CACHEDIR.TAG */
	bool one_file_system;
	const char *const *tags;
	size_t tag_count;
	bool skip_if_unchanged; /* write no file if all entries equal those of the parent, fingerprints aside, and no
				   data that the store had lost was stored again. If many files had to be read again
				   because fingerprints were missing, a file is written anyway, so that the next run is
				   fast */
	bool dry_run;		/* read and compare, but write nothing */
	bool force;		/* read every file, even if its fingerprint is unchanged */
	int level;		/* 0 auto, 1–19, BT_COMPRESSION_MAX */
	unsigned threads;	/* 0: as many as there are processors; the result does not depend on it */
	const struct bt_time *time; /* NULL: the time at which the lock was taken. For tests */
	uint64_t volume_size;	    /* 0: 256 MiB */
	struct bt_changes *changes; /* what changed since the parent: everything else is taken from the parent unread.
				       NULL: everything is read */
	const char *description;    /* one line of at most BT_DESCRIPTION_MAX bytes (see view.h); NULL: none */
	bool pinned;		    /* it is never pruned */
	bool partial;		    /* it is taken while a longer run goes on, and lacks what that has not read yet */
	const struct bt_time *expires; /* it is of no use after this time; NULL: nobody knows */
	enum bt_at_rest at_rest;       /* how the store's files lie from now on; the store remembers it */
	bool birth_times;   /* entries get their birth times, if their file system has them. These are never compared: a
			       run that is skipped because nothing else changed adds none. With another choice than the
			       parent's, changes are not followed (BT_DOUBT_DUE), so that all entries are alike */
	bool *exclude_used; /* NULL, or exclude_count of them, which are set: whether the pattern decided of an entry.
			       A comment and an empty one count as used. After a failure, and where changes were
			       followed, they say nothing */
	uint64_t exclude_larger_than; /* files of more bytes are left out; 0: none */
	bool exclude_nodump; /* entries with the inode flag d of lsattr are left out, where the file system tells */
	const char *const *ignore_files; /* names of files in any directory, with patterns for what is below it: the
					    nearest one that says something decides, after all of exclude */
	size_t ignore_file_count;
	const char *const *include; /* patterns: what matches is taken, with all below it, and the directories that
				       lead there. None begins with "!" or "#". NULL: everything is taken */
	size_t include_count;
	bool *include_used;	  /* as exclude_used */
	const char *const *paths; /* what is looked at at all: these, with all below, and the directories that lead
				     there; relative to the target, in any order. NULL: everything. A snapshot does not
				     have the list, so what is not in it counts as not asked for later on */
	size_t path_count;
	const char *as; /* the target that is recorded, and by which the parent is found, while the files are read below
			   the directory: an absolute path without "//", ".", ".." and a slash at the end. NULL: the
			   directory itself */
	bool trust_mtime_size; /* a file of the same size, mtime, mode and owner as in the parent counts as unchanged,
				  unless its mtime was too young there for a later change to show: for copies whose
				  inodes and ctimes are others each time. What such a file keeps is the parent's */
	const struct bt_stream *const *streams; /* no directory is read, and the target is not looked at: the snapshot
						   has a file for each of these, which belongs to the user and nobody
						   else may read. They are read once, one after the other, in the order
						   of their names, and in bounded memory. A file has the time of the
						   snapshot, or that of the parent's if it is the same. as is needed,
						   and options about a directory are refused */
	size_t stream_count;
};

struct bt_snapshot_result {
	size_t size;   /* of this struct */
	char name[64]; /* of the file, or of the parent if skipped; "" on a dry run. Of an interrupted run: what is kept
			  of it, or of those before it; "" if there is nothing */
	bool skipped;
	uint64_t files, directories, others, directory_size;
	uint64_t created, changed, unchanged, vanished; /* files */
	uint64_t errors;				/* entries of any type that could not be read or are torn */
	uint64_t torn;	     /* of these: files that changed while they were read; the bytes read last are kept */
	uint64_t removed;    /* entries of the parent, of any type, that do not exist any more */
	uint64_t left_out;   /* entries left out by rules */
	uint64_t boundaries; /* directories that were not entered: another file system begins there */
	char boundary[256], boundary_type[65]; /* path and type (as in struct bt_extra) of one of these; "" if none was
						  looked at, or if the path is too long */
	bool emptied;			       /* only directories are left, and the parent had other entries */
	bool shrank;			       /* both files and bytes are less than half of the parent's */
	uint64_t new_bytes;		       /* plain bytes that were new to the store */
	uint64_t stored_bytes;		       /* bytes of Base64 that these take */
	uint64_t written_bytes;		       /* sizes of all files written */
	char parent[64];		       /* "" if none */
	bool followed; /* the changes were followed: left_out and the observer cover only entries that were looked at */
	enum bt_doubt doubt; /* why the given changes were not followed */
	bool rules_omitted;  /* the rules are too long to be recorded in the snapshot */
	bool rules_changed;  /* they are other ones than those of the parent; false where one of both is not recorded */
	uint64_t removed_bytes;		     /* sizes of the files among the removed entries */
	bool partial;			     /* name is of a partial snapshot, which is what an interrupted run kept */
	uint64_t too_large, too_large_bytes; /* files that were left out for their size, and how much they have */
	uint64_t missing;		     /* listed paths that are not there; the observer was told of each */
};

/* BT_E_INVALID if target is the directory store or lies in it; otherwise 0, also if one of them does not exist. Call it
 * before making a store there. */
int bt_snapshot_place(const char *store, const char *target, struct bt_error *error);

/*
 * Takes a snapshot of the directory target (a symlink to one is followed). 0: the snapshot is durable. BT_E_INCOMPLETE:
 * it is durable, but entries could not be read or are torn; the observer was told of each. Any other code: no snapshot
 * was made, and finished volumes stay for the next run; on BT_E_CANCELLED written_bytes is their size. options and
 * observer may be NULL. Takes the shared lock of the store and refreshes it. BT_E_INVALID: a bad pattern, tag or level,
 * or a target that is the store or lies in it.
 *
 * The first snapshot of a large directory takes long. While there is no complete one of the host and directory, the
 * observer's course decides: at a checkpoint, and at the end that it wants, all that was read becomes a snapshot that
 * is partial. It has what the walk passed, in the order of the names, and no tags, pin and time of expiry. A file that
 * is being read at a checkpoint is read to its end first. The next run compares with the newest partial snapshot if
 * there is no complete one, and so goes on from there. Each later one, and in the end the complete one, holds all of
 * those before: these are taken off the list, unless they are pinned or have tags, or another program uses the store at
 * that moment; then a prune does it. Without course, and where there is a complete snapshot, nothing is partial, and
 * cancelled means what it always does. After an end ret_result is filled as after a success.
 */
int bt_snapshot_take(struct bt_store *store, const char *target, const struct bt_snapshot_options *options,
		     const struct bt_observer *observer, struct bt_snapshot_result *ret_result, struct bt_error *error);

BT_C_END

#endif
