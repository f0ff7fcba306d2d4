/* SPDX-License-Identifier: MIT */
/* Verifies other copies before a file is deleted, or a content is not copied, because another file's lists name the
 * same content. Lists only prove that somebody wrote them. So the copy that stays is decoded and compared with its
 * digest, once in a run. Contents that only one file names are never decoded here. */
#ifndef BT_PRUNE_PROOF_H
#define BT_PRUNE_PROOF_H

#include "prune/run.h"

enum bt_proof {
	BT_PROOF_SOUND,	  /* everything needed of the file is in files that stay */
	BT_PROOF_UNSOUND, /* something is not, so the file has to stay */
	BT_PROOF_PENDING, /* not known without decoding, which was not allowed */
};

/* The file must not be held itself, and its usage must be up to date. decode false: only earlier results count. The
 * first damage that makes the file stay is reported to the observer. */
int bt_prune_prove(struct bt_prune_run *run, uint32_t ordinal, bool decode, enum bt_proof *ret_proof,
		   struct bt_error *error);
/* The same, but sound at once if its usage says that there is nothing to prove. */
int bt_prune_prove_usage(struct bt_prune_run *run, uint32_t ordinal, const struct bt_prune_usage *usage, bool decode,
			 enum bt_proof *ret_proof, struct bt_error *error);
/* Holds a file that could go if the other copies of its contents were sound. */
int bt_prune_keep(struct bt_prune_run *run, uint32_t ordinal, struct bt_error *error);
/* Records what the mark gains from now on: for files that are copied, this has to be proven, too. */
void bt_prune_note_added(struct bt_prune_run *run);
void bt_prune_proofs_free(struct bt_prune_run *run);

#endif
