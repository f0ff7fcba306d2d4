/* SPDX-License-Identifier: MIT */
#include "prune/proof.h"
#include "base/fail.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The most places of one digest that are considered. If the store has more copies than that, a sound one may be missed:
 * then the file stays. */
#define PLACES 64

/* The results for one file. */
struct bt_prune_proofs {
	struct bt_digest_sets sound, unsound;
};

struct proof {
	struct bt_prune_run *run;
	uint32_t ordinal; /* of the file to delete */
	bool decode, pending;
	struct bt_digest_sets relied; /* needed contents and pages that others hold */
	struct bt_digest_sets found;  /* those of them with a sound copy */
	unsigned char *holders;	      /* by ordinal: whether the file may have a copy */
	uint32_t holder;	      /* the file whose copies are verified */
	struct bt_error damage;	      /* the first that was found */
	struct bt_error *error;
};

/* A file of the batch that was copied counts, too: its contents are in the new volume, as good as they were. */
static bool is_trusted(const struct proof *proof, uint32_t ordinal)
{
	return ordinal != proof->ordinal && bt_prune_has_state(proof->run, ordinal, BT_PRUNE_HELD | BT_PRUNE_COPIED);
}

/* When a file is copied, all that was needed of it is proven or copied: only what the mark gained since is left. */
static bool relies(const struct proof *proof, bool page, const struct bt_digest *digest)
{
	const struct bt_prune_run *run = proof->run;
	bool elsewhere = page ? bt_prune_relies_on_page(run, digest) : bt_prune_relies_on_content(run, digest);

	return elsewhere && (run->added_unknown || !bt_prune_has_state(run, proof->ordinal, BT_PRUNE_COPIED) ||
			     bt_digest_set_has(&run->added.of[page], digest));
}

static int note_relied(struct proof *proof, bool page, const struct bt_digest *digest)
{
	struct bt_location places[PLACES];
	size_t count;
	int r;

	if (!relies(proof, page, digest))
		return 0;
	r = bt_digest_set_add(&proof->relied.of[page], digest);
	if (r <= 0)
		return r;
	r = bt_store_places(proof->run->store, digest, page, places, PLACES, &count, NULL);
	for (size_t i = 0; i < count && !r; i++)
		if (is_trusted(proof, places[i].file))
			proof->holders[places[i].file] = 1;
	return r;
}

static int note_content(void *arg, const struct bt_block *block, const struct bt_digest *digest, uint32_t offset,
			uint32_t size)
{
	return note_relied(arg, false, digest);
}

static int note_page(void *arg, const struct bt_digest *id, uint64_t at, uint32_t length)
{
	return note_relied(arg, true, id);
}

/* Lists the contents and pages that the file relies on others for, and those other files. */
static int note_all_relied(struct proof *proof)
{
	const struct bt_index_visitor visitor = {proof, note_content, note_page};
	struct bt_file *file;
	int r = bt_store_file(proof->run->store, proof->ordinal, &file, proof->error);

	return r ? r : bt_file_visit(file, &visitor, proof->error);
}

/* Damage, or a medium that gives an I/O error. Any other failure says nothing about the copy. */
static bool is_damage(int r, const struct bt_error *error)
{
	return r == BT_E_DAMAGED || (r == BT_E_SYSTEM && error->sys == EIO);
}

static int add_sound(struct proof *proof, struct bt_prune_proofs *proofs, const struct bt_location *place,
		     const struct bt_digest *digest)
{
	struct bt_prune_result *r = &proof->run->result;

	r->proven++;
	r->proven_bytes += place->page ? place->block.length : place->size;
	return bt_digest_set_add(&proofs->sound.of[place->page], digest);
}

static int verify_copy(struct proof *proof, struct bt_prune_proofs *proofs, const struct bt_location *place,
		       const struct bt_digest *digest)
{
	struct bt_error error = {0};
	int r = bt_prune_cancelled(proof->run, &error);

	if (!r)
		r = bt_store_verify_at(proof->run->store, place, digest, &error);
	if (!r)
		return add_sound(proof, proofs, place, digest);
	if (is_damage(r, &error)) {
		if (!proof->damage.code)
			proof->damage = error;
		return bt_digest_set_add(&proofs->unsound.of[place->page], digest);
	}
	return bt_error_pass(proof->error, &error, r);
}

static int ask_copy(struct proof *proof, const struct bt_location *place, const struct bt_digest *digest)
{
	struct bt_prune_proofs *proofs = &proof->run->proofs[proof->holder];
	bool page = place->page;
	int r = 0;

	if (!bt_digest_set_has(&proof->relied.of[page], digest) || bt_digest_set_has(&proof->found.of[page], digest))
		return 0;
	if (!bt_digest_set_has(&proofs->sound.of[page], digest) &&
	    !bt_digest_set_has(&proofs->unsound.of[page], digest)) {
		proof->pending |= !proof->decode;
		r = proof->decode ? verify_copy(proof, proofs, place, digest) : 0;
	}
	if (r >= 0 && bt_digest_set_has(&proofs->sound.of[page], digest))
		r = bt_digest_set_add(&proof->found.of[page], digest);
	return r < 0 ? r : 0;
}

static int ask_content(void *arg, const struct bt_block *block, const struct bt_digest *digest, uint32_t offset,
		       uint32_t size)
{
	struct proof *proof = arg;
	const struct bt_location place = {.file = proof->holder, .block = *block, .offset = offset, .size = size};

	return ask_copy(proof, &place, digest);
}

static int ask_page(void *arg, const struct bt_digest *id, uint64_t at, uint32_t length)
{
	struct proof *proof = arg;
	const struct bt_location place = {.file = proof->holder, .page = true, .block = {.at = at, .length = length}};

	return ask_copy(proof, &place, id);
}

static bool all_found(const struct proof *proof)
{
	return proof->found.of[0].count == proof->relied.of[0].count &&
	       proof->found.of[1].count == proof->relied.of[1].count;
}

/* The file's own lists say where in it a copy lies. */
static int ask_holder(struct proof *proof, uint32_t holder)
{
	const struct bt_index_visitor visitor = {proof, ask_content, ask_page};
	struct bt_file *file;
	int r = bt_store_file(proof->run->store, holder, &file, proof->error);

	proof->holder = holder;
	return r ? r : bt_file_visit(file, &visitor, proof->error);
}

static int ask_holders(struct proof *proof)
{
	int r = 0;

	for (uint32_t i = 0; i < proof->run->state_count && !r && !all_found(proof); i++)
		if (proof->holders[i])
			r = ask_holder(proof, i);
	return r;
}

/* Makes room for every ordinal in holders and in the run's results. */
static int make_room(struct proof *proof)
{
	struct bt_prune_run *run = proof->run;
	size_t count = bt_store_file_count(run->store);
	struct bt_prune_proofs *proofs = run->proofs;

	proof->holders = calloc(count + 1, 1);
	if (run->proof_count < count)
		proofs = reallocarray(proofs, count, sizeof(*proofs));
	if (proofs && run->proof_count < count) {
		memset(proofs + run->proof_count, 0, (count - run->proof_count) * sizeof(*proofs));
		run->proof_count = count;
		run->proofs = proofs;
	}
	return proof->holders && proofs ? 0 : bt_fail(proof->error, BT_E_NOMEM, NULL, NULL);
}

static void tell_kept(struct proof *proof)
{
	const struct bt_observer *observer = proof->run->observer;

	if (observer && observer->problem && proof->damage.code)
		observer->problem(observer->arg, bt_store_file_id(proof->run->store, proof->ordinal)->path,
				  &proof->damage);
}

static enum bt_proof conclude(struct proof *proof)
{
	if (all_found(proof))
		return BT_PROOF_SOUND;
	if (proof->pending)
		return BT_PROOF_PENDING;
	tell_kept(proof);
	return BT_PROOF_UNSOUND;
}

int bt_prune_prove(struct bt_prune_run *run, uint32_t ordinal, bool decode, enum bt_proof *ret_proof,
		   struct bt_error *error)
{
	struct proof proof = {.run = run, .ordinal = ordinal, .decode = decode, .error = error};
	int r = make_room(&proof);

	if (!r)
		r = note_all_relied(&proof);
	if (!r)
		r = ask_holders(&proof);
	if (!r)
		*ret_proof = conclude(&proof);
	bt_digest_sets_free(&proof.relied);
	bt_digest_sets_free(&proof.found);
	free(proof.holders);
	return r;
}

int bt_prune_prove_usage(struct bt_prune_run *run, uint32_t ordinal, const struct bt_prune_usage *usage, bool decode,
			 enum bt_proof *ret_proof, struct bt_error *error)
{
	bool copied = bt_prune_has_state(run, ordinal, BT_PRUNE_COPIED);
	bool added = run->added_unknown || run->added.of[0].count || run->added.of[1].count;

	*ret_proof = BT_PROOF_SOUND;
	if (!usage->relied || (copied && !added))
		return 0;
	return bt_prune_prove(run, ordinal, decode, ret_proof, error);
}

int bt_prune_keep(struct bt_prune_run *run, uint32_t ordinal, struct bt_error *error)
{
	run->result.kept = true;
	return bt_prune_hold(run, ordinal, error);
}

static void note_added_content(void *arg, const struct bt_chunk *content)
{
	struct bt_prune_run *run = arg;

	run->added_unknown |= bt_digest_set_add(&run->added.of[0], &content->digest) < 0;
}

static void note_added_page(void *arg, const struct bt_digest *id)
{
	struct bt_prune_run *run = arg;

	run->added_unknown |= bt_digest_set_add(&run->added.of[1], id) < 0;
}

void bt_prune_note_added(struct bt_prune_run *run)
{
	run->mark.arg = run;
	run->mark.added = note_added_content;
	run->mark.added_page = note_added_page;
	bt_digest_sets_free(&run->added);
	run->added_unknown = false;
}

void bt_prune_proofs_free(struct bt_prune_run *run)
{
	for (size_t i = 0; i < run->proof_count; i++) {
		bt_digest_sets_free(&run->proofs[i].sound);
		bt_digest_sets_free(&run->proofs[i].unsound);
	}
	free(run->proofs);
	bt_digest_sets_free(&run->added);
}
