/* SPDX-License-Identifier: MIT */
#include "base/fail.h"
#include "base/io.h"
#include "base/lock.h"
#include "base/sized.h"
#include "prune/proof.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACES_MAX 64 /* of one content that are looked at */

/* Both files of a snapshot that lies in two ways; else the other one would be listed afterwards. */
static int note_others(struct bt_prune_run *run, uint32_t named, struct bt_error *error)
{
	const struct bt_file_id *wanted = bt_store_file_id(run->store, named);
	int r = 0;

	for (uint32_t i = 0; i < bt_store_file_count(run->store) && !r; i++) {
		const struct bt_file_id *id = bt_store_file_id(run->store, i);

		if (id->snapshot && !id->gone && id->at_rest != wanted->at_rest && !strcmp(id->name, wanted->name))
			r = bt_prune_set_state(run, i, BT_PRUNE_NAMED, error);
	}
	return r;
}

static int note_names(struct bt_prune_run *run, const char *const *names, size_t count, struct bt_error *error)
{
	int r = 0;

	for (size_t i = 0; i < count && !r; i++) {
		uint32_t ordinal;

		if (bt_store_file_named(run->store, names[i], &ordinal))
			return bt_fail(error, BT_E_NOT_FOUND, names[i], "no such snapshot");
		r = bt_prune_set_state(run, ordinal, BT_PRUNE_NAMED, error);
		if (!r)
			r = note_others(run, ordinal, error);
	}
	return r;
}

/* Most of the marking happens under the shared lock, while others write; under the exclusive lock only what they added
 * is marked. A dry run keeps the shared lock. */
static int mark_shared(struct bt_prune_run *run, int *ret_lock, struct bt_error *error)
{
	int lock, r = bt_store_lock(run->store, BT_LOCK_SHARED, run->observer, &lock, error);

	if (r)
		return r;
	r = bt_store_refresh(run->store, error);
	if (!r)
		r = bt_prune_mark(run, error);
	if (run->options->dry_run)
		*ret_lock = lock;
	else
		bt_close(&lock);
	return r;
}

static void run_free(struct bt_prune_run *run)
{
	bt_mark_free(&run->mark);
	bt_digest_set_free(&run->contents);
	bt_digest_set_free(&run->pages);
	bt_digest_set_free(&run->purge);
	bt_prune_proofs_free(run);
	free(run->states);
}

static size_t count_staying(const struct bt_prune_run *run)
{
	size_t count = bt_store_snapshot_count(run->store), staying = 0;

	for (size_t i = 0; i < count; i++)
		staying += !bt_prune_removes(run, bt_store_snapshot_number(run->store, i));
	return staying;
}

/* Another prune that this one waited for may have removed all snapshots that were to stay. */
static int see_staying(const struct bt_prune_run *run, size_t before, struct bt_error *error)
{
	if (!before || count_staying(run))
		return 0;
	return bt_fail(error, BT_E_NOT_FOUND, NULL,
		       "the snapshots that were to stay have been removed meanwhile, so nothing else was; list "
		       "them again");
}

/* A named snapshot that was replaced meanwhile stays: the caller chose it by what the old file says. */
static int find_replaced(struct bt_prune_run *run, struct bt_error *error)
{
	const char *name = NULL;

	for (uint32_t i = 0; i < run->state_count; i++) {
		const struct bt_file_id *id = bt_store_file_id(run->store, i);
		uint32_t replaced;

		if (!id->gone || !bt_prune_removes(run, i) ||
		    bt_prune_has_state(run, i, BT_PRUNE_DELETED | BT_PRUNE_MOVED) ||
		    bt_store_file_named(run->store, id->name, &replaced))
			continue;
		name = id->name;
		run->result.replaced++;
	}
	if (!name)
		return 0;
	return bt_fail(error, BT_E_INCOMPLETE, name,
		       "it was replaced meanwhile by a tag or a repair, and is kept; prune again");
}

static int note_purge(struct bt_prune_run *run, struct bt_error *error)
{
	int r = 0;

	for (size_t i = 0; i < run->options->purge_count && r >= 0; i++)
		r = bt_digest_set_add(&run->purge, &run->options->purge[i]);
	return r < 0 ? bt_fail(error, BT_E_NOMEM, NULL, NULL) : 0;
}

static bool is_left(const struct bt_prune_run *run, const struct bt_digest *digest)
{
	struct bt_location places[PLACES_MAX];
	bool left = false;

	if (bt_digest_set_has(&run->mark.contents, digest) || bt_digest_set_has(&run->mark.pages, digest))
		return false;
	for (int page = 0; page < 2; page++) {
		size_t count = 0;

		if (bt_store_places(run->store, digest, page, places, PLACES_MAX, &count, NULL))
			return true;
		for (size_t i = 0; i < count; i++)
			left |= !bt_store_file_id(run->store, places[i].file)->gone;
	}
	return left;
}

static int count_left(struct bt_prune_run *run, struct bt_error *error)
{
	int r = run->options->purge_count ? bt_store_refresh(run->store, error) : 0;

	for (size_t i = 0; i < run->options->purge_count && !r && !run->options->dry_run; i++)
		run->result.purge_left += is_left(run, &run->options->purge[i]);
	return r;
}

static int fail_stuck(struct bt_error *error)
{
	return bt_fail(error, BT_E_INCOMPLETE, NULL,
		       "unreferenced data stays, since there is no room to rewrite its files; free some space, then "
		       "prune again");
}

static int fail_kept(struct bt_error *error)
{
	return bt_fail(error, BT_E_INCOMPLETE, NULL,
		       "files were kept because other copies of their contents are damaged; repair the store with "
		       "'backuptool check --repair', then prune again");
}

int bt_prune(struct bt_store *store, const char *const *names, size_t count, const struct bt_prune_options *options,
	     const struct bt_observer *observer, struct bt_prune_result *ret_result, struct bt_error *error)
{
	struct bt_prune_options wanted;
	struct bt_prune_run run = {.store = store,
				   .options = &wanted,
				   .observer = observer,
				   .gate.fd = -1,
				   .mark = {.store = store, .observer = observer}};
	size_t staying = 0;
	int alone = -1, lock = -1;

	if (bt_sized_take(&wanted, sizeof(wanted), options, error) || bt_sized_check(ret_result, error))
		return BT_E_INVALID;
	int r = note_names(&run, names, count, error);

	if (!r)
		r = note_purge(&run, error);
	if (!r) {
		staying = count_staying(&run);
		if (!run.options->dry_run)
			r = bt_store_lock(store, BT_LOCK_PRUNER, observer, &alone, error);
	}
	if (!r)
		r = mark_shared(&run, &lock, error);
	if (!r)
		r = see_staying(&run, staying, error);
	if (!r)
		r = bt_prune_retire(&run, error);
	if (!r)
		r = bt_prune_compact(&run, error);
	if (!r)
		r = count_left(&run, error);
	if (!r)
		r = find_replaced(&run, error);
	if (!r && run.result.stuck_bytes)
		r = fail_stuck(error);
	if (!r && run.result.kept)
		r = fail_kept(error);
	bt_sized_give(ret_result, &run.result, sizeof(run.result));
	bt_close(&lock);
	bt_close(&alone);
	run_free(&run);
	return r;
}
