/* SPDX-License-Identifier: MIT */
#include "prune/proof.h"

#define ROUNDS 4

/* The file becomes a volume, which keeps what is needed of it. */
static int move_to_contents(struct bt_prune_run *run, const struct bt_file_id *id, struct bt_error *error)
{
	int r = bt_prune_set_state(run, id->ordinal, BT_PRUNE_MOVED, error);

	if (!r && !run->options->dry_run)
		r = bt_gate_move(&run->gate, id->ordinal, error);
	if (r)
		return r;
	bt_prune_tell_deleted(run, id);
	run->result.files_moved++;
	return 0;
}

/* Deletes a file of which nothing is needed, if the copies in other files are sound. Decoding them under the lock would
 * make others wait, so that is left to prove_pending, and the file is deleted in the next round. */
static int delete_proven(struct bt_prune_run *run, const struct bt_file_id *id, const struct bt_prune_usage *usage,
			 struct bt_error *error)
{
	enum bt_proof proof;
	int r = bt_prune_prove_usage(run, id->ordinal, usage, run->may_decode, &proof, error);

	if (r)
		return r;
	if (proof == BT_PROOF_SOUND)
		return bt_prune_delete(run, id, false, error);
	if (proof == BT_PROOF_PENDING)
		return bt_prune_set_state(run, id->ordinal, BT_PRUNE_PENDING, error);
	r = bt_prune_keep(run, id->ordinal, error);
	if (!r && id->snapshot)
		r = move_to_contents(run, id, error);
	return r;
}

static int retire_file(struct bt_prune_run *run, const struct bt_file_id *id, struct bt_error *error)
{
	struct bt_prune_usage usage;
	bool classic = false;
	int r = id->snapshot ? bt_prune_is_classic(run, id->ordinal, &classic, error) : 0;

	if (r)
		return r;
	if (classic)
		return bt_prune_delete(run, id, true, error);
	r = bt_prune_measure(run, id->ordinal, &usage, error);
	if (r)
		return r;
	if (usage.damaged && !id->snapshot)
		return 0;
	run->result.files_damaged += usage.damaged && !usage.newer;
	run->result.files_newer += usage.newer;
	if (usage.damaged)
		return move_to_contents(run, id, error);
	if (!usage.live)
		return delete_proven(run, id, &usage, error);
	r = bt_prune_hold(run, id->ordinal, error);
	if (!r && id->snapshot)
		r = move_to_contents(run, id, error);
	return r;
}

static bool is_done(const struct bt_prune_run *run, const struct bt_file_id *id)
{
	return bt_prune_has_state(run, id->ordinal, BT_PRUNE_DELETED | BT_PRUNE_MOVED);
}

static int retire_all(struct bt_prune_run *run, bool snapshots, size_t count, struct bt_error *error)
{
	int r = 0;

	for (size_t i = 0; i < count && !r; i++) {
		const struct bt_file_id *id = bt_store_file_id(run->store, (uint32_t)i);

		if (id->gone || is_done(run, id) || id->snapshot != snapshots ||
		    (snapshots && !bt_prune_removes(run, id->ordinal)))
			continue;
		r = bt_prune_cancelled(run, error);
		if (!r)
			r = retire_file(run, id, error);
		if (!r && snapshots)
			run->result.removed += is_done(run, id);
	}
	return r;
}

/* Snapshots lose their names first, and durably: no crash may leave one listed without its contents. Whether its file
 * in contents/ survives does not matter here. */
static int retire_locked(struct bt_prune_run *run, struct bt_error *error)
{
	size_t count = bt_store_file_count(run->store);
	int r = bt_prune_hold_snapshots(run, error);

	if (!r)
		r = retire_all(run, true, count, error);
	if (!r && !run->options->dry_run)
		r = bt_store_settle(run->store, error);
	if (!r)
		r = retire_all(run, false, count, error);
	if (!r)
		r = bt_prune_delete_doomed(run, error);
	return r;
}

static int retire_round(struct bt_prune_run *run, struct bt_error *error)
{
	int r = bt_prune_lock(run, error);

	if (!r)
		r = bt_gate_pass(&run->gate, error);
	if (!r && !run->options->dry_run)
		bt_store_sweep(run->store, true);
	bt_prune_forget(run);
	if (!r)
		r = retire_locked(run, error);
	if (!r && !run->options->dry_run)
		r = bt_store_refresh(run->store, error);
	bt_prune_unlock(run);
	return r;
}

/* Verifies the other copies of pending files, while others may work in the store. */
static int prove_pending(struct bt_prune_run *run, bool *ret_any, struct bt_error *error)
{
	enum bt_proof unused;
	int r = 0;

	*ret_any = false;
	for (uint32_t i = 0; i < run->state_count && !r; i++) {
		if (!bt_prune_has_state(run, i, BT_PRUNE_PENDING))
			continue;
		*ret_any = true;
		run->states[i] &= (unsigned char)~BT_PRUNE_PENDING;
		if (!bt_store_file_id(run->store, i)->gone)
			r = bt_prune_prove(run, i, true, &unused, error);
	}
	return r;
}

/* Copies are verified between the rounds. Since a new round may have to rely on other files, the last one decodes what
 * it needs under the lock. */
int bt_prune_retire(struct bt_prune_run *run, struct bt_error *error)
{
	bool again = true;
	int r = 0;

	for (int round = 1; again && !r; round++) {
		run->may_decode = run->options->dry_run || round == ROUNDS;
		r = retire_round(run, error);
		if (!r)
			r = prove_pending(run, &again, error);
	}
	run->may_decode = false;
	return r;
}
