/* SPDX-License-Identifier: MIT */
#include "base/fail.h"
#include "prune/copy.h"
#include "prune/proof.h"
#include <errno.h>
#include <stdlib.h>

#define DEFAULT_VOLUME_SIZE ((uint64_t)256 << 20)
#define SMALL_VOLUMES	    8

struct batch {
	uint32_t *ordinals;
	size_t count;
	uint64_t live, dead;
	uint64_t kept[2]; /* as in struct bt_prune_usage */
	uint64_t rest[2]; /* estimated size of the copy, in a large volume and in a small one */
};

/* Whether the copy is a small volume. */
static bool is_small(const struct batch *batch)
{
	return batch->live < BT_SMALL_VOLUME;
}

static int hold_batch(struct bt_prune_run *run, const struct batch *batch, struct bt_error *error)
{
	int r = 0;

	for (size_t i = 0; i < batch->count && !r; i++)
		r = bt_prune_hold(run, batch->ordinals[i], error);
	return r;
}

/* Copies what is needed of the file, unless it relies on copies elsewhere that are not sound: then it stays. copy NULL:
 * a dry run. */
static int copy_proven(struct bt_prune_run *run, struct bt_prune_copy *copy, uint32_t ordinal, bool *ret_copied,
		       struct bt_error *error)
{
	enum bt_proof proof = BT_PROOF_SOUND;
	struct bt_prune_usage usage;
	int r = bt_prune_measure(run, ordinal, &usage, error);

	if (!r)
		r = bt_prune_prove_usage(run, ordinal, &usage, true, &proof, error);
	*ret_copied = proof == BT_PROOF_SOUND;
	if (!r && !*ret_copied)
		return bt_prune_keep(run, ordinal, error);
	if (!r)
		r = copy ? bt_prune_copy_file(copy, ordinal) : bt_prune_hold(run, ordinal, error);
	return r ? r : bt_prune_set_state(run, ordinal, BT_PRUNE_COPIED, error);
}

/* Afterwards the batch has only the files that were copied. */
static int copy_all_proven(struct bt_prune_run *run, struct bt_prune_copy *copy, struct batch *batch,
			   struct bt_error *error)
{
	size_t count = 0;
	int r = 0;

	for (size_t i = 0; i < batch->count && !r; i++) {
		bool copied = false;

		r = copy_proven(run, copy, batch->ordinals[i], &copied, error);
		if (!r && copied)
			batch->ordinals[count++] = batch->ordinals[i];
	}
	if (!r)
		batch->count = count;
	return r;
}

static int copy_batch(struct bt_prune_run *run, struct batch *batch, uint64_t *ret_size, struct bt_error *error)
{
	struct bt_prune_copy copy;
	int r = bt_prune_copy_begin(&copy, run, is_small(batch), error);

	if (!r)
		r = copy_all_proven(run, &copy, batch, error);
	if (!r && batch->count)
		r = bt_prune_copy_seal(&copy);
	if (!r)
		*ret_size = batch->count
				    ? bt_store_file_id(run->store, (uint32_t)bt_store_file_count(run->store) - 1)->size
				    : 0;
	bt_prune_copy_end(&copy);
	return r;
}

/* A snapshot that was added meanwhile may need what was dead before; then the file stays, too. It also stays if a copy
 * would have to be decoded, since this is under the exclusive lock. */
static int delete_unneeded(struct bt_prune_run *run, uint32_t ordinal, struct bt_error *error)
{
	const struct bt_file_id *id = bt_store_file_id(run->store, ordinal);
	enum bt_proof proof = BT_PROOF_UNSOUND;
	struct bt_prune_usage usage;
	int r = id->gone ? 0 : bt_prune_measure(run, ordinal, &usage, error);

	if (r || id->gone || usage.live || usage.damaged)
		return r;
	r = bt_prune_prove_usage(run, ordinal, &usage, false, &proof, error);
	return r || proof != BT_PROOF_SOUND ? r : bt_prune_delete(run, id, false, error);
}

static int delete_batch(struct bt_prune_run *run, const struct batch *batch, struct bt_error *error)
{
	uint64_t before = run->result.files_deleted;
	int r = bt_prune_lock(run, error);

	if (r)
		return r;
	for (size_t i = 0; i < batch->count && !r; i++)
		r = delete_unneeded(run, batch->ordinals[i], error);
	if (!r)
		r = bt_prune_delete_doomed(run, error);
	run->result.files_rewritten += run->result.files_deleted - before;
	run->result.files_deleted = before;
	if (!r && !run->options->dry_run)
		r = bt_store_settle(run->store, error);
	bt_prune_unlock(run);
	return r;
}

static bool worth_rewriting(const struct bt_prune_run *run, const struct bt_prune_usage *usage, bool gather_small)
{
	uint64_t total = usage->live + usage->dead;
	bool small = total < BT_SMALL_VOLUME;
	unsigned percent = bt_prune_percent(run, small);

	if (usage->damaged)
		return false;
	if (usage->purged || (run->options->thorough && usage->dead))
		return true;
	if (percent >= 100)
		return false;
	return usage->dead * 100 > total * percent || (gather_small && small);
}

static size_t count_small(struct bt_prune_run *run)
{
	size_t count = bt_store_file_count(run->store), small = 0;

	for (size_t i = 0; i < count; i++) {
		const struct bt_file_id *id = bt_store_file_id(run->store, (uint32_t)i);

		small += bt_prune_is_volume(run, id) && id->size < BT_SMALL_VOLUME;
	}
	return small;
}

static int choose_volume(struct bt_prune_run *run, uint32_t ordinal, bool gather, struct batch *chosen,
			 struct bt_error *error)
{
	struct bt_prune_usage usage;
	int r = bt_prune_measure(run, ordinal, &usage, error);

	if (r || usage.damaged)
		return r;
	if (worth_rewriting(run, &usage, gather)) {
		chosen->ordinals[chosen->count++] = ordinal;
		return 0;
	}
	run->result.dead_bytes += usage.dead;
	return bt_prune_hold(run, ordinal, error);
}

/* Chooses the volumes to rewrite, and holds the others. */
static int choose(struct bt_prune_run *run, struct batch *chosen, struct bt_error *error)
{
	size_t count = bt_store_file_count(run->store);
	bool gather = count_small(run) > SMALL_VOLUMES;
	int r;

	bt_prune_forget(run);
	r = bt_prune_hold_snapshots(run, error);
	chosen->ordinals = calloc(count + 1, sizeof(*chosen->ordinals));
	if (!r && !chosen->ordinals)
		r = bt_fail(error, BT_E_NOMEM, NULL, NULL);
	/* Snapshots that became volumes have the last ordinals; in a dry run they are visited last, too. */
	for (size_t i = 0; i < 2 * count && !r; i++) {
		const struct bt_file_id *id = bt_store_file_id(run->store, (uint32_t)(i % count));

		if (!bt_prune_is_volume(run, id) || id->snapshot != (i >= count))
			continue;
		r = bt_prune_cancelled(run, error);
		if (!r)
			r = choose_volume(run, id->ordinal, gather, chosen, error);
	}
	return r;
}

static bool is_no_room(const struct bt_error *error)
{
	return error->code == BT_E_SYSTEM && (error->sys == ENOSPC || error->sys == EDQUOT);
}

/* There is no room for the copy: the files stay, with all that it was to hold. */
static int leave_batch(struct bt_prune_run *run, const struct batch *batch, struct bt_error *error)
{
	run->result.stuck_bytes += batch->dead;
	return hold_batch(run, batch, error);
}

static int rewrite_batch(struct bt_prune_run *run, struct batch *batch, struct bt_error *error)
{
	uint64_t size = batch->rest[is_small(batch)];
	struct bt_error copying = {0};
	int r = bt_prune_cancelled(run, error);

	if (r)
		return r;
	bt_prune_note_added(run);
	if (run->options->dry_run)
		r = copy_all_proven(run, NULL, batch, &copying);
	else if (batch->live)
		r = copy_batch(run, batch, &size, &copying);

	if (r && is_no_room(&copying))
		return leave_batch(run, batch, error);
	if (r)
		return bt_error_pass(error, &copying, r);
	run->result.freed_bytes -= (int64_t)size;
	run->result.dead_bytes += batch->kept[is_small(batch)] - batch->live;
	return delete_batch(run, batch, error);
}

/* Deletes files without any needed content first, which makes room for the copies. */
static int delete_dead(struct bt_prune_run *run, struct batch *chosen, struct bt_error *error)
{
	struct batch dead = {.ordinals = chosen->ordinals};
	int r = 0;

	for (size_t i = 0; i < chosen->count && !r; i++) {
		uint32_t ordinal = chosen->ordinals[i];
		struct bt_prune_usage usage = {0};
		enum bt_proof proof;

		r = bt_prune_measure(run, ordinal, &usage, error);
		run->copying.total_bytes += usage.live;
		if (r || usage.live)
			continue;
		r = bt_prune_prove_usage(run, ordinal, &usage, true, &proof, error);
		if (!r && proof != BT_PROOF_SOUND) {
			chosen->ordinals[i--] = chosen->ordinals[--chosen->count];
			r = bt_prune_keep(run, ordinal, error);
			continue;
		}
		chosen->ordinals[i] = chosen->ordinals[dead.count];
		chosen->ordinals[dead.count++] = ordinal;
	}
	if (!r && dead.count)
		r = delete_batch(run, &dead, error);
	chosen->ordinals += dead.count;
	chosen->count -= dead.count;
	return r;
}

static void add_to_batch(const struct bt_prune_run *run, struct batch *batch, uint32_t ordinal,
			 const struct bt_prune_usage *usage)
{
	double size = (double)bt_store_file_id(run->store, ordinal)->size, total = (double)(usage->live + usage->dead);

	batch->live += usage->live;
	batch->dead += usage->dead;
	for (int small = 0; small < 2; small++) {
		batch->kept[small] += usage->kept[small];
		batch->rest[small] += total > 0 ? (uint64_t)(size * ((double)usage->kept[small] / total)) : 0;
	}
	batch->count++;
}

static int compact(struct bt_prune_run *run, const struct batch *chosen, struct bt_error *error)
{
	uint64_t limit = run->options->volume_size ? run->options->volume_size : DEFAULT_VOLUME_SIZE;
	int r = 0;

	for (size_t i = 0; i < chosen->count && !r;) {
		struct batch batch = {.ordinals = chosen->ordinals + i};

		while (i < chosen->count && !r) {
			struct bt_prune_usage usage;

			r = bt_prune_measure(run, chosen->ordinals[i], &usage, error);
			if (r || (batch.count && batch.live + usage.live > limit))
				break;
			add_to_batch(run, &batch, chosen->ordinals[i++], &usage);
		}
		if (!r)
			r = rewrite_batch(run, &batch, error);
	}
	return r;
}

int bt_prune_compact(struct bt_prune_run *run, struct bt_error *error)
{
	struct batch chosen = {0};
	int r = choose(run, &chosen, error);
	uint32_t *ordinals = chosen.ordinals;

	if (!r)
		r = delete_dead(run, &chosen, error);
	if (!r)
		r = compact(run, &chosen, error);
	free(ordinals);
	return r;
}
