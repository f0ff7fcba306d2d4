/* SPDX-License-Identifier: MIT */
/*
 * One run of prune; only one works in a store at a time. It has two steps, and the store is whole after each:
 *   retire   takes the names of removed snapshots away; deletes files of which nothing is needed, makes volumes of
 *            others
 *   compact  copies volumes with much dead data into new ones without it, then deletes them
 * Needed is what the mark finds. It grows during the run when other programs add snapshots. Held are the contents and
 * pages that the lists of files that stay name; proof.h verifies them before a file goes because of that. Both are
 * worked out again under the exclusive lock before anything is deleted. A dry run takes the same steps, and only
 * records what would become of each file.
 */
#ifndef BT_PRUNE_RUN_H
#define BT_PRUNE_RUN_H

#include "store/gate.h"
#include "view/mark.h"
#include <backuptool/prune.h>

struct bt_prune_run {
	struct bt_store *store;
	const struct bt_prune_options *options;
	const struct bt_observer *observer;
	struct bt_mark mark;
	struct bt_digest_set contents, pages; /* held */
	struct bt_digest_set purge;	      /* what the options say is to go */
	struct bt_prune_proofs *proofs;	      /* by ordinal: see proof.h */
	size_t proof_count;
	struct bt_digest_sets added; /* what the mark gained while files were copied */
	bool added_unknown;	     /* memory ran out while that was recorded */
	bool may_decode;	     /* copies are decoded under the exclusive lock */
	unsigned char *states;	     /* bits by ordinal: below */
	size_t state_count;
	struct bt_gate gate;  /* open under the exclusive lock */
	struct bt_buf doomed; /* ordinals of the files doomed through the gate, in that order */
	struct bt_prune_result result;
	struct bt_progress copying; /* files: volumes */
};

#define BT_PRUNE_HELD	 1 /* what its lists name is held */
#define BT_PRUNE_DELETED 2
#define BT_PRUNE_MOVED	 4  /* a snapshot file that became a volume */
#define BT_PRUNE_NAMED	 8  /* the snapshot is to be removed: this file, not another one that took its name */
#define BT_PRUNE_COPIED	 16 /* its needed part is copied into a new file */
#define BT_PRUNE_PENDING 32 /* can go if other copies are sound, which is not known yet */

/* How much of a file is needed and not held elsewhere. */
struct bt_prune_usage {
	uint64_t live, dead; /* bytes of blocks and pages; of a block, in proportion to its plain bytes */
	uint64_t kept[2];    /* bytes of both in a copy: in a large volume, in a small one */
	uint64_t relied;     /* needed contents and pages that other files hold, by their lists */
	bool purged;	     /* something in it is to go, and not needed */
	bool damaged, newer; /* its lists cannot be read, so nothing else is known */
};

/* Small volumes are merged when there are many, so that their number does not grow with every run. */
#define BT_SMALL_VOLUME ((uint64_t)8 << 20)

/* The percentage of a volume that may be dead. It is lower for a small volume, since rewriting one costs next to
 * nothing. A copy drops the dead contents of blocks with more than this, so that the new volume is not worth
 * rewriting: see bt_prune_block_percent. */
unsigned bt_prune_percent(const struct bt_prune_run *run, bool small);
/* The percentage of a block that may be dead in a copy. */
unsigned bt_prune_block_percent(const struct bt_prune_run *run, bool small);
/* Needed, and held by no file that stays. */
bool bt_prune_needs_content(const struct bt_prune_run *run, const struct bt_digest *digest);
bool bt_prune_needs_page(const struct bt_prune_run *run, const struct bt_digest *id);
/* Needed, and held by a file that stays, by its lists. */
bool bt_prune_relies_on_content(const struct bt_prune_run *run, const struct bt_digest *digest);
bool bt_prune_relies_on_page(const struct bt_prune_run *run, const struct bt_digest *id);
bool bt_prune_removes(const struct bt_prune_run *run, uint32_t ordinal);
/* A version 1 file needs no other file, and no file of version 2 needs it. */
int bt_prune_is_classic(struct bt_prune_run *run, uint32_t ordinal, bool *ret_classic, struct bt_error *error);
/* Marks all snapshots that stay. */
int bt_prune_mark(struct bt_prune_run *run, struct bt_error *error);
bool bt_prune_has_state(const struct bt_prune_run *run, uint32_t ordinal, unsigned state);
int bt_prune_set_state(struct bt_prune_run *run, uint32_t ordinal, unsigned state, struct bt_error *error);
/* Whether the file is a volume after this run. */
bool bt_prune_is_volume(const struct bt_prune_run *run, const struct bt_file_id *id);
/* BT_E_CANCELLED if the observer wants the end. Call it only where the store is whole: a lock may be held, which the
 * caller gives up then. */
int bt_prune_cancelled(const struct bt_prune_run *run, struct bt_error *error);
/* Holds everything that the file's lists name. */
int bt_prune_hold(struct bt_prune_run *run, uint32_t ordinal, struct bt_error *error);
int bt_prune_measure(struct bt_prune_run *run, uint32_t ordinal, struct bt_prune_usage *ret_usage,
		     struct bt_error *error);
/* Holds nothing any more. */
void bt_prune_forget(struct bt_prune_run *run);
/* Holds all snapshots that stay. */
int bt_prune_hold_snapshots(struct bt_prune_run *run, struct bt_error *error);

/* Takes the exclusive lock, and brings the store, the mark and the held sets up to date under it. A dry run does
 * nothing. */
int bt_prune_lock(struct bt_prune_run *run, struct bt_error *error);
void bt_prune_unlock(struct bt_prune_run *run);
/* Reports progress: this many bytes of the volume were copied. */
void bt_prune_tell_copied(struct bt_prune_run *run, const char *path, uint64_t bytes);
/* Reports that a file of the store is deleted, or in a dry run would be. */
void bt_prune_tell_deleted(struct bt_prune_run *run, const struct bt_file_id *id);
/* Dooms a file, which bt_prune_delete_doomed deletes and counts. A version 1 file, which nothing needs, is deleted and
 * counted at once. A dry run only counts. */
int bt_prune_delete(struct bt_prune_run *run, const struct bt_file_id *id, bool classic, struct bt_error *error);
int bt_prune_delete_doomed(struct bt_prune_run *run, struct bt_error *error);

int bt_prune_retire(struct bt_prune_run *run, struct bt_error *error);
int bt_prune_compact(struct bt_prune_run *run, struct bt_error *error);

#endif
