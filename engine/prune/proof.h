/* SPDX-License-Identifier: MIT */
/*
 * Before a file goes, or something in it is not copied, because another file says that it holds the same: does it?
 * What a file's lists say proves only that somebody wrote it there. So the copy that stays is decoded and compared with
 * its digest, once in a run. Only what more than one file says to hold is ever looked at.
 */
#ifndef BT_PRUNE_PROOF_H
#define BT_PRUNE_PROOF_H

#include "prune/run.h"

enum bt_proof {
	BT_PROOF_SOUND,	  /* all that is needed of the file is in files that stay */
	BT_PROOF_UNSOUND, /* something is not: the file has to stay */
	BT_PROOF_PENDING, /* not known: it would have to be decoded */
};

/* Of a file that is not held itself, with its share as it is now. decode: now; else only what was found out before
 * counts. Damage is told where a file has to stay because of it, the first of each file. */
int bt_prune_prove(struct bt_prune_run *run, uint32_t ordinal, bool decode, enum bt_proof *ret_proof,
		   struct bt_error *error);
/* The same, if its share says that there is anything to be proven. */
int bt_prune_prove_share(struct bt_prune_run *run, uint32_t ordinal, const struct bt_share *share, bool decode,
			 enum bt_proof *ret_proof, struct bt_error *error);
/* The file stays, although nobody would need it if the others were as they say. */
int bt_prune_keep(struct bt_prune_run *run, uint32_t ordinal, struct bt_error *error);
/* From now on, what snapshots need that come is noted: of files that are copied, this has to be proven, too. */
void bt_prune_note_late(struct bt_prune_run *run);
void bt_prune_proofs_free(struct bt_prune_run *run);

#endif
