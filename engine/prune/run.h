/* SPDX-License-Identifier: MIT */
/*
 * One run of prune, the only one in its store. Two steps, each of which leaves a whole store behind:
 *   retire   names of removed snapshots go; files in which nothing is needed are deleted, others become volumes
 *   compact  volumes with much dead weight are copied into new ones without it, then deleted
 * What is needed (mark) grows while the run goes on, when snapshots appear beside it; what is held are contents and
 * pages in files that stay, as these say; before a file goes because of that, proof.h looks whether it is true. Both
 * are asked again under the exclusive lock before anything is deleted. A dry run goes the same way, and only notes what
 * would become of each file.
 */
#ifndef BT_PRUNE_RUN_H
#define BT_PRUNE_RUN_H

#include "store/gate.h"
#include "view/mark.h"
#include <backuptool/prune.h>

/* Of contents [0] and of pages [1]. */
struct bt_digest_sets {
	struct bt_digest_set of[2];
};

static inline void bt_digest_sets_free(struct bt_digest_sets *sets)
{
	bt_digest_set_free(&sets->of[0]);
	bt_digest_set_free(&sets->of[1]);
}

struct bt_prune_run {
	struct bt_store *store;
	const struct bt_prune_options *options;
	const struct bt_observer *observer;
	struct bt_mark mark;
	struct bt_digest_set contents, pages; /* held */
	struct bt_prune_proofs *proofs;	      /* of each ordinal: see proof.h */
	size_t proof_count;
	struct bt_digest_sets late; /* what snapshots need that came while files were copied */
	bool late_unknown;	    /* which could not be noted */
	bool patient;		    /* copies may be decoded under the exclusive lock */
	unsigned char *fates;	    /* of each ordinal, as bits: below */
	size_t fate_count;
	struct bt_gate gate;   /* open under the exclusive lock */
	struct bt_buf leaving; /* ordinals of the files that are doomed there, in that order */
	struct bt_prune_result result;
	struct bt_progress copying; /* files: volumes */
};

#define BT_FATE_HELD	1 /* counted on for what is in it */
#define BT_FATE_DELETED 2
#define BT_FATE_MOVED	4  /* a snapshot that became a volume */
#define BT_FATE_NAMED	8  /* a snapshot that is to be removed: this file, not another one of its name */
#define BT_FATE_COPIED	16 /* what is needed of it is copied into a new file */
#define BT_FATE_PENDING 32 /* goes if what others have of the same is sound, which is still to be found out */

/* How much of a file is needed and not held elsewhere. */
struct bt_share {
	uint64_t live, dead; /* bytes of blocks and pages; a block's count in proportion to its plain bytes */
	uint64_t kept[2];    /* what a copy has of both, in a large volume and in a small one */
	uint64_t relied;     /* how many contents and pages that are needed are held elsewhere, as is said there */
	bool damaged;	     /* its lists cannot be read: nothing is known about it */
};

/* Small volumes are gathered when there are many, so that their number does not grow with every run. */
#define BT_SMALL_VOLUME ((uint64_t)8 << 20)

/* How many percent of a volume may be dead: the run's, less in a small one, which is rewritten for next to nothing. A
 * copy drops what is dead in blocks of which more is, so that what it makes is not worth a copy. */
unsigned bt_prune_percent(const struct bt_prune_run *run, bool small);
/* Bytes of the block that so many living plain ones come to; 0 only for none. */
uint64_t bt_prune_living(const struct bt_block *block, uint64_t live);
/* Whether a copy takes the block as it is. living: of its bytes. */
bool bt_prune_takes_whole(const struct bt_block *block, uint64_t living, unsigned percent);

/* Needed, and not held by any file that stays. */
bool bt_prune_needs_content(const struct bt_prune_run *run, const struct bt_digest *digest);
bool bt_prune_needs_page(const struct bt_prune_run *run, const struct bt_digest *id);
/* Needed, and held by a file that stays, as that says. */
bool bt_prune_finds_content(const struct bt_prune_run *run, const struct bt_digest *digest);
bool bt_prune_finds_page(const struct bt_prune_run *run, const struct bt_digest *id);
bool bt_prune_removes(const struct bt_prune_run *run, uint32_t ordinal);
/* A version 1 file needs nothing but itself, and nothing of version 2 needs it. */
int bt_prune_is_classic(struct bt_prune_run *run, uint32_t ordinal, bool *ret_classic, struct bt_error *error);
/* Marks all snapshots that stay. */
int bt_prune_mark(struct bt_prune_run *run, struct bt_error *error);
bool bt_prune_has_fate(const struct bt_prune_run *run, uint32_t ordinal, unsigned fate);
int bt_prune_set_fate(struct bt_prune_run *run, uint32_t ordinal, unsigned fate, struct bt_error *error);
/* A volume of the store as this run leaves it. */
bool bt_prune_is_volume(const struct bt_prune_run *run, const struct bt_file_id *id);
/* BT_E_CANCELLED if the observer says so: asked wherever the store is whole, and no lock is held that others need. */
int bt_prune_go_on(const struct bt_prune_run *run, struct bt_error *error);
/* Everything in the file is held from now on. */
int bt_prune_hold(struct bt_prune_run *run, uint32_t ordinal, struct bt_error *error);
int bt_prune_share(struct bt_prune_run *run, uint32_t ordinal, struct bt_share *ret_share, struct bt_error *error);
/* Nothing is held any more. */
void bt_prune_forget(struct bt_prune_run *run);
/* Holds all snapshots that stay. */
int bt_prune_hold_snapshots(struct bt_prune_run *run, struct bt_error *error);

/* The exclusive lock, with the store, the mark and what is held as they are under it; in a dry run, nothing. */
int bt_prune_lock(struct bt_prune_run *run, struct bt_error *error);
void bt_prune_unlock(struct bt_prune_run *run);
/* Tells that so much of the volume was copied. */
void bt_prune_copied(struct bt_prune_run *run, const char *path, uint64_t bytes);
/* Tells that a file of the store goes, or in a dry run would go. */
void bt_prune_gone(struct bt_prune_run *run, const struct bt_file_id *id);
/* Dooms a store file, which bt_prune_delete_doomed deletes and counts; a version 1 file, of which nobody needs
 * anything, is deleted and counted at once. A dry run only counts. */
int bt_prune_delete(struct bt_prune_run *run, const struct bt_file_id *id, bool classic, struct bt_error *error);
int bt_prune_delete_doomed(struct bt_prune_run *run, struct bt_error *error);

int bt_prune_retire(struct bt_prune_run *run, struct bt_error *error);
int bt_prune_compact(struct bt_prune_run *run, struct bt_error *error);

#endif
