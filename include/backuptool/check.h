/* SPDX-License-Identifier: MIT */
/* Checking that a store is whole, and repairing it. */
#ifndef BACKUPTOOL_CHECK_H
#define BACKUPTOOL_CHECK_H

#include <backuptool/observer.h>
#include <backuptool/store.h>

BT_C_BEGIN

struct bt_hurt;
struct bt_check_options {
	size_t size;		  /* of this struct */
	bool quick;		  /* metadata only: read lists and pages, and look every content up in the lists */
	unsigned part, parts;	  /* read this part of the contents (1 of 7), the same one each time; 0, 0: all */
	unsigned share;		  /* read about this many of 10,000 contents, others each time; 0: all */
	const char *const *names; /* snapshots, as bt_store_snapshot_name gives them; none: the whole store */
	size_t name_count;
	unsigned threads; /* 0: as many as there are processors */
	/* May be NULL. Called with the arg of bt_check, one call at a time, for each entry that a finding hurts,
	 * including those that a finding only counts. All these calls come before those of found. */
	void (*hurt)(void *arg, const struct bt_hurt *hurt);
};

/* An entry that a finding hurts: it cannot be restored whole. */
struct bt_hurt {
	const char *snapshot;
	const char *
		path; /* relative to the target, any bytes; "" the target itself; NULL: all of the snapshot, or names */
	uint64_t offset, length; /* bytes of the file, without its holes; BT_NO_OFFSET: all of it */
	size_t path_length;
	uint64_t entry; /* equal in all calls about one entry of a snapshot; 0: all of the snapshot */
	bool names;	/* only the names of its users and groups; path is NULL */
};

struct bt_finding {
	const char *file; /* its path in the store; NULL: it is about something that no file of the store holds */
	uint64_t offset, length; /* bytes of file; offset BT_NO_OFFSET: all of it; length 0: unknown */
	const struct bt_error *error;
	const struct bt_hurt *hurts; /* at most the first BT_HURTS; fewer if their paths exceed BT_HURT_BYTES */
	size_t hurt_count;
	uint64_t hurts_more; /* number of further entries that it hurts */
	bool traced;	     /* whether the entries that it hurts were looked for */
};
#define BT_HURTS      20
/* Limit for the bytes of all paths that are kept for the findings, or told as lost. A path can be as long as the store,
 * so a limit for their number alone would bound nothing. Enough for all findings that are kept, with BT_HURTS paths of
 * 200 bytes each. */
#define BT_HURT_BYTES ((uint64_t)16 << 20)

struct bt_check_result {
	size_t size;					   /* of this struct */
	uint64_t snapshots, files, pages, contents, bytes; /* number read; bytes: plain bytes decoded */
	uint64_t findings;
	uint64_t denied;    /* findings without damage: this process is not allowed to read something */
	uint64_t in_pieces; /* versions of files whose contents were verified, but not the digest of the whole file */
	bool complete;	    /* every byte of every file was read */
	uint64_t drafts;    /* files of version 2 from before it was final; they are read as ever */
	uint64_t newer;	    /* findings without damage: a newer version of this program made the file */
};

/*
 * Reads everything that a restore would read, using the same code, and then every other byte of every file: if nothing
 * is found, everything can be restored. With names, only what these snapshots need is read. Damage in derived data is
 * not a finding, because nothing trusts derived data. Files in several contents are also read as a whole, to verify
 * their digests: each version once, those of the newest snapshots first, until as many bytes were read as all contents
 * have. That way many versions of a large file do not make the check endless. This is skipped if only a part of the
 * contents is read.
 *
 * Holds the store's shared lock if it can be taken. After everything was read, found is called for each finding, in the
 * order of files and offsets; findings beyond 4096 are told as soon as they are found, without the entries that they
 * hurt. The calls come from the calling thread or from others, one at a time. Returns 0 (clean), BT_E_DAMAGED (findings
 * were told; error is not filled), BT_E_INCOMPLETE (likewise, but all of them may be due to files that this process is
 * not allowed to read, or that a newer version made), or another failure. After BT_E_CANCELLED the findings so far were
 * told. ret_result is filled in any case.
 */
int bt_check(struct bt_store *store, const struct bt_check_options *options,
	     void (*found)(void *arg, const struct bt_finding *finding), void *arg, const struct bt_observer *observer,
	     struct bt_check_result *ret_result, struct bt_error *error);

/* What was done with a file. */
enum bt_repair_action {
	BT_REPAIR_REWRITTEN, /* a new file without the damaged parts replaces it; the old file is in damaged/ */
	BT_REPAIR_ASIDE,   /* the file was moved to damaged/; a new volume holds its intact contents and pages, if there
			      are any */
	BT_REPAIR_RENAMED, /* the file was renamed: its name now states the time that it records */
	BT_REPAIR_MADE_VOLUME /* the file was moved to contents/: another file has the name of its snapshot */
};

struct bt_repair {
	enum bt_repair_action action;
	const char *file;	/* its path in the store */
	const char *to;		/* its new path; on a dry run NULL */
	bool snapshot;		/* the file was a snapshot: if it was moved aside, the snapshot is lost */
	uint64_t blocks, pages; /* kept in the new file */
};

struct bt_repair_options {
	size_t size;	  /* of this struct */
	bool dry_run;	  /* change nothing, and tell what would be done */
	unsigned threads; /* 0: as many as there are processors */
	/* All may be NULL; called by one thread at a time. */
	void *arg;
	void (*found)(void *arg, const struct bt_finding *finding); /* as bt_check, before anything is done */
	void (*done)(void *arg, const struct bt_repair *repair);
	/* Called for each path that cannot be restored whole afterwards, for up to BT_HURT_BYTES of paths in all. On a
	 * dry run this is an upper bound: the intact parts of unusable files are only found when these are moved. */
	void (*lost)(void *arg, const struct bt_hurt *hurt);
};

struct bt_repair_result {
	size_t size; /* of this struct */
	uint64_t rewritten, aside, renamed;
	uint64_t snapshots_lost; /* of those aside */
	uint64_t lost;		 /* paths, told by lost() */
	uint64_t lost_more;	 /* paths beyond these, which were not told */
};

/*
 * Checks the whole store and makes it sound. Files that cannot be used are moved to damaged/, never deleted. A file
 * with damage inside is replaced by a new one without it, so that no later snapshot relies on what is damaged. The
 * intact contents and pages of all these files stay in the store, and derived data is built again. Paths that still
 * cannot be restored are told. The next snapshot of the same directory stores lost contents again if the directory
 * still has them, which makes older snapshots whole, too. Holds the exclusive lock, and keeps prunes from starting; a
 * dry run holds the same lock as a check. If it is killed at any point, the store is no worse than before, and the next
 * repair continues. Damaged contents in version 1 files stay where they are.
 *
 * ret_check is the result of the check, before anything was changed. It and ret_result may be NULL.
 * 0: nothing is missing (any more). BT_E_INCOMPLETE: done, but something was lost. BT_E_SYSTEM: nothing was done,
 * because a file could not be read for another reason than damage. BT_E_DAMAGED: a dry run that has findings.
 */
int bt_repair(struct bt_store *store, const struct bt_repair_options *options, const struct bt_observer *observer,
	      struct bt_check_result *ret_check, struct bt_repair_result *ret_result, struct bt_error *error);

BT_C_END

#endif
