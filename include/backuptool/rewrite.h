/* SPDX-License-Identifier: MIT */
/* Rewriting snapshots: without some paths, or with another host, directory or time. */
#ifndef BACKUPTOOL_REWRITE_H
#define BACKUPTOOL_REWRITE_H

#include <backuptool/observer.h>
#include <backuptool/store.h>

BT_C_BEGIN

struct bt_rewrite_options {
	size_t size;		    /* of this struct */
	const char *const *exclude; /* patterns as in .gitignore, which begin at the snapshot's directory */
	size_t exclude_count;
	const char *host, *target;  /* NULL: they stay; target is absolute */
	const struct bt_time *time; /* NULL: it stays */
	bool empty;		    /* a snapshot may lose all that it has */
	bool dry_run;		    /* write nothing, and tell what would be done */
};

struct bt_rewrite_result {
	size_t size;  /* of this struct */
	bool changes; /* false: it stays as it is, since nothing in it matches, and it has this host, directory and time
		       */
	bool present; /* the new snapshot was there: an earlier run has made it */
	bool was_rewritten;		/* an earlier run has made the one that was named */
	bool empties;			/* it loses all that it has */
	char name[64];			/* of the new snapshot; empty in a dry run, or if nothing changes */
	uint64_t matches;		/* entries that match; what is below them is not counted here */
	uint64_t entries, files, bytes; /* that go, with all below; bytes: sizes of the files */
	uint64_t written_bytes;		/* of files of the store */
};

/* What all snapshots of a run lose together. The lists are the run's. */
struct bt_rewrite_loss {
	size_t size;			    /* of this struct */
	uint64_t contents, bytes;	    /* different contents of what matches, and their bytes */
	uint64_t kept_contents, kept_bytes; /* of these, what other paths or snapshots need, so that it stays */
	const char *const *names;	    /* of the snapshots that stay as they are, and need some of it */
	size_t name_count;
	const struct bt_digest *digests; /* the contents that nothing needs any more, and the pages: for bt_prune */
	size_t digest_count;
};

/*
 * One run; while it is open, nothing is deleted from the store, and others may take snapshots. Directories that are
 * alike under the same path are gone through once, however many snapshots have them.
 */
struct bt_rewrite_run;
int bt_rewrite_begin(struct bt_store *store, const struct bt_rewrite_options *options,
		     const struct bt_observer *observer, struct bt_rewrite_run **ret_run, struct bt_error *error);
void bt_rewrite_end(struct bt_rewrite_run *run); /* NULL is fine; it refreshes the store */

/*
 * Rewrites a snapshot, named as bt_store_snapshot_name gives it. The new one gets the first free name of its second;
 * the old one stays, for bt_prune to remove. Time, host, directory, tags, pin, expiry and what this version does not
 * know are the old one's, unless the options say otherwise; the patterns are added to its rules, as if it had been
 * taken with them. Only pages on the way to what matches are written. A parent that this run has rewritten is named by
 * its new name. BT_E_DAMAGED: a directory cannot be read, which may have something that matches. BT_E_INVALID: nothing
 * would be left of it. BT_E_UNSUPPORTED: a version 1 file that something matches in. After these the next ones can
 * still be rewritten.
 */
int bt_rewrite_snapshot(struct bt_rewrite_run *run, const char *name, struct bt_rewrite_result *ret_result,
			struct bt_error *error);
/* Whether the exclude pattern of this index has matched so far. */
bool bt_rewrite_used(const struct bt_rewrite_run *run, size_t index);
/* Reads what all other snapshots need. BT_E_DAMAGED: one of them cannot be read, so that a prune would fail, too. */
int bt_rewrite_loss(struct bt_rewrite_run *run, struct bt_rewrite_loss *ret_loss, struct bt_error *error);

BT_C_END

#endif
