/* SPDX-License-Identifier: MIT */
/* Proving that a store is whole. */
#ifndef BACKUPTOOL_CHECK_H
#define BACKUPTOOL_CHECK_H

#include <backuptool/observer.h>
#include <backuptool/store.h>

struct bt_hurt;
struct bt_check_options {
	bool quick;		  /* metadata only: lists, pages, and that every content is somewhere */
	unsigned part, parts;	  /* contents: part of parts (1 of 7), always the same one; 0, 0: all */
	unsigned share;		  /* contents: about so many of 10,000, others each time; 0: all */
	const char *const *names; /* snapshots, as bt_store_snapshot_name gives them; none: the whole store */
	size_t name_count;
	unsigned threads; /* 0: as many as there are processors */
	/* if given: each entry that a finding hurts, also those that findings only count, with the arg of bt_check,
	 * before the findings; one at a time */
	void (*hurt)(void *arg, const struct bt_hurt *hurt);
};

/* An entry that a finding hurts: it cannot be restored whole. */
struct bt_hurt {
	const char *snapshot;
	const char *path; /* relative to the target, any bytes; "" the target itself; NULL: all of the snapshot */
	uint64_t offset, length; /* bytes of the file, without its holes; BT_NO_OFFSET: all of it */
	size_t path_length;
	uint64_t entry; /* the same in all that one entry of a snapshot is told of; 0: all of the snapshot */
};

struct bt_finding {
	const char *file;	 /* in the store; NULL: what no file of the store has */
	uint64_t offset, length; /* bytes of file; offset BT_NO_OFFSET: all of it, length 0: not known how far */
	const struct bt_error *error;
	const struct bt_hurt *hurts; /* the first BT_HURTS at most, while there is room for their paths */
	size_t hurt_count;
	uint64_t hurts_more; /* beyond those */
	bool traced;	     /* they were looked for */
};
#define BT_HURTS      20
/* Bytes of the paths that are kept, or told as lost, in all: a path can be as long as the store, so that a count alone
 * bounds nothing. Enough for all findings that are kept, with BT_HURTS paths of 200 bytes each. */
#define BT_HURT_BYTES ((uint64_t)16 << 20)

struct bt_check_result {
	uint64_t snapshots, files, pages, contents, bytes; /* looked at; bytes: plain bytes decoded */
	uint64_t findings;
	uint64_t denied;    /* of the findings: what this process may not read, which is no damage */
	uint64_t in_pieces; /* versions of files whose digest was not compared, their contents only each by itself */
	bool complete;	    /* every byte of every file was read */
};

/*
 * Looks at everything that restoring needs with what restoring looks at it with, and beyond that at every byte of every
 * file: no finding means that all of it restores. With names: only at what these snapshots need. Derived data counts
 * for nothing: it is not trusted, and damage in it is none. Files in several contents are read through, every version
 * once, those of the newest snapshots first and as many bytes as there are contents: so many versions of a large file
 * do not make it endless. Not if only a part of the contents is wanted.
 *
 * Holds the store's shared lock, where it can be taken. found is called for each finding in the order of files and
 * offsets when everything was looked at (beyond 4096 findings at once and without what they hurt), on the calling
 * thread or one at a time on others. 0 (clean), BT_E_DAMAGED (findings were told; error is not filled),
 * BT_E_INCOMPLETE (likewise, but all of them can be because some files may not be read), or another failure; with
 * BT_E_CANCELLED what was found so far is told. ret_result is filled in any case.
 */
int bt_check(struct bt_store *store, const struct bt_check_options *options,
	     void (*found)(void *arg, const struct bt_finding *finding), void *arg, const struct bt_observer *observer,
	     struct bt_check_result *ret_result, struct bt_error *error);

/* What was done with a file. */
enum bt_repair_action {
	BT_REPAIR_REWRITTEN, /* a new file has its place, without what is damaged; the old one is in damaged/ */
	BT_REPAIR_ASIDE,     /* the file is in damaged/; a new volume keeps what is whole in it, if anything is */
	BT_REPAIR_RENAMED,   /* the file has the name that its time says */
};

struct bt_repair {
	enum bt_repair_action action;
	const char *file;	/* its path in the store */
	const char *to;		/* where it is now; on a dry run NULL */
	bool snapshot;		/* the file was a snapshot: moved aside, it is lost as such */
	uint64_t blocks, pages; /* kept in the new file */
};

struct bt_repair_options {
	bool dry_run;	  /* look, and tell what would be done */
	unsigned threads; /* 0: as many as there are processors */
	/* All may be NULL; called by one thread at a time. */
	void *arg;
	void (*found)(void *arg, const struct bt_finding *finding); /* as bt_check, before anything is done */
	void (*done)(void *arg, const struct bt_repair *repair);
	/* what cannot be restored whole afterwards, each path; on a dry run at most this: what unusable files still
	 * have is only found when they are moved */
	void (*lost)(void *arg, const struct bt_hurt *hurt); /* those of up to BT_HURT_BYTES in all */
};

struct bt_repair_result {
	struct bt_check_result check; /* before anything was done */
	uint64_t rewritten, aside, renamed;
	uint64_t snapshots_lost; /* of those aside */
	uint64_t lost;		 /* paths, told by lost() */
	uint64_t lost_more;	 /* of these, those that were not told */
};

/*
 * Checks the whole store and makes it sound: files that cannot be used are moved to damaged/, never deleted; of files
 * with damage inside, new ones without it take the place, so that no later snapshot relies on what is damaged; what is
 * whole in any of them is kept in the store under its digest, and derived data is built anew. What is still missing
 * then is told; the next snapshot of the same directory stores again what that still has, which makes older snapshots
 * whole, too. Holds the exclusive lock, and no prune is at work meanwhile; a dry run holds what a check does. Killed at
 * any point, the store is no worse than before, and the next repair goes on. Damage of contents in version 1 files
 * stays where it is.
 *
 * 0: nothing is missing (any more). BT_E_INCOMPLETE: done, but something was lost. BT_E_SYSTEM, with nothing done: a
 * file could not be read for another reason than damage. On a dry run BT_E_DAMAGED if there are findings.
 */
int bt_repair(struct bt_store *store, const struct bt_repair_options *options, const struct bt_observer *observer,
	      struct bt_repair_result *ret_result, struct bt_error *error);

#endif
