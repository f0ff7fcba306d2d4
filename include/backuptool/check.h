/* SPDX-License-Identifier: MIT */
/* Proving that a store is whole. */
#ifndef BACKUPTOOL_CHECK_H
#define BACKUPTOOL_CHECK_H

#include <backuptool/observer.h>
#include <backuptool/store.h>

BT_C_BEGIN

struct bt_hurt;
struct bt_check_options {
	size_t size;		  /* of this struct */
	bool quick;		  /* metadata only: lists, pages, and that every content is somewhere */
	unsigned part, parts;	  /* contents: part of parts (1 of 7), always the same one; 0, 0: all */
	unsigned share;		  /* contents: about this many of 10,000, others each time; 0: all */
	const char *const *names; /* snapshots, as bt_store_snapshot_name gives them; none: the whole store */
	size_t name_count;
	unsigned threads; /* 0: as many as there are processors */
	/* may be NULL. Called with the arg of bt_check for each entry that a finding hurts, also for those that
	 * findings only count; before the findings, one call at a time */
	void (*hurt)(void *arg, const struct bt_hurt *hurt);
};

/* An entry that a finding hurts: it cannot be restored whole. */
struct bt_hurt {
	const char *snapshot;
	const char *path; /* relative to the target, any bytes; "" the target itself; NULL: all of the snapshot */
	uint64_t offset, length; /* bytes of the file, without its holes; BT_NO_OFFSET: all of it */
	size_t path_length;
	uint64_t entry; /* equal in all calls about one entry of a snapshot; 0: all of the snapshot */
};

struct bt_finding {
	const char *file;	 /* in the store; NULL: something that is in no file of the store */
	uint64_t offset, length; /* bytes of file; offset BT_NO_OFFSET: all of it, length 0: not known how far */
	const struct bt_error *error;
	const struct bt_hurt *hurts; /* the first BT_HURTS at most, while there is room for their paths */
	size_t hurt_count;
	uint64_t hurts_more; /* beyond those */
	bool traced;	     /* the entries that it hurts were looked for */
};
#define BT_HURTS      20
/* Limit for the bytes of all paths that are kept, or told as lost. A path can be as long as the store, so a limit for
 * their number alone would bound nothing. Enough for all findings that are kept, with BT_HURTS paths of 200 bytes
 * each. */
#define BT_HURT_BYTES ((uint64_t)16 << 20)

struct bt_check_result {
	size_t size;					   /* of this struct */
	uint64_t snapshots, files, pages, contents, bytes; /* looked at; bytes: plain bytes decoded */
	uint64_t findings;
	uint64_t denied;    /* findings that are no damage: this process may not read something */
	uint64_t in_pieces; /* versions of files of which every content was verified, but not the digest of the whole */
	bool complete;	    /* every byte of every file was read */
};

/*
 * Reads everything that a restore would read, using the same code, and then every other byte of every file: if nothing
 * is found, everything can be restored. With names, only what these snapshots need is read. Derived data does not
 * count: it is not trusted, and damage in it is no finding. Files in several contents are read as a whole, each version
 * once, those of the newest snapshots first, up to as many bytes as there are contents: many versions of a large file
 * do not make the check endless. That is left out if only a part of the contents is wanted.
 *
 * Holds the store's shared lock, where it can be taken. When everything was read, found is called for each finding, in
 * the order of files and offsets (findings beyond 4096 are told at once, and without the entries that they hurt), on
 * the calling thread or one at a time on others. Returns 0 (clean), BT_E_DAMAGED (findings were told; error is not
 * filled), BT_E_INCOMPLETE (likewise, but all of them may come of files that may not be read), or another failure.
 * After BT_E_CANCELLED the findings so far were told. ret_result is filled in any case.
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
	size_t size;	  /* of this struct */
	bool dry_run;	  /* look, and tell what would be done */
	unsigned threads; /* 0: as many as there are processors */
	/* All may be NULL; called by one thread at a time. */
	void *arg;
	void (*found)(void *arg, const struct bt_finding *finding); /* as bt_check, before anything is done */
	void (*done)(void *arg, const struct bt_repair *repair);
	/* each path that cannot be restored whole afterwards; on a dry run an upper bound: what unusable files still
	 * have is only found when they are moved */
	void (*lost)(void *arg, const struct bt_hurt *hurt); /* paths of up to BT_HURT_BYTES in all */
};

struct bt_repair_result {
	size_t size; /* of this struct */
	uint64_t rewritten, aside, renamed;
	uint64_t snapshots_lost; /* of those aside */
	uint64_t lost;		 /* paths, told by lost() */
	uint64_t lost_more;	 /* of these, how many were not told */
};

/*
 * Checks the whole store and makes it sound. Files that cannot be used are moved to damaged/, never deleted. A file
 * with damage inside is replaced by a new one without it, so that no later snapshot relies on what is damaged. Whatever
 * is whole in any of them is kept in the store under its digest, and derived data is built again. What is still missing
 * then is told; the next snapshot of the same directory stores again what the directory still has, and with that older
 * snapshots are whole again, too. Holds the exclusive lock, and keeps prunes away; a dry run holds the lock that a
 * check does. If it is killed at any point, the store is no worse than before, and the next repair goes on. Damaged
 * contents in version 1 files stay where they are.
 *
 * ret_check has what was found before anything was done; it and ret_result may be NULL.
 * 0: nothing is missing (any more). BT_E_INCOMPLETE: done, but something was lost. BT_E_SYSTEM, with nothing done: a
 * file could not be read for another reason than damage. On a dry run BT_E_DAMAGED if there are findings.
 */
int bt_repair(struct bt_store *store, const struct bt_repair_options *options, const struct bt_observer *observer,
	      struct bt_check_result *ret_check, struct bt_repair_result *ret_result, struct bt_error *error);

BT_C_END

#endif
