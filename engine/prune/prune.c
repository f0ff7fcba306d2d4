/* SPDX-License-Identifier: MIT */
#include "base/fail.h"
#include "base/io.h"
#include "base/lock.h"
#include "prune/run.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The caller's names may be the store's own, which a refresh frees. */
static int copy_names(struct bt_prune_run *run, const char *const *names, size_t count, struct bt_error *error)
{
	run->names = calloc(count + 1, sizeof(*run->names));
	run->ordinals = calloc(count + 1, sizeof(*run->ordinals));
	if (!run->names || !run->ordinals)
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	for (size_t i = 0; i < count; i++) {
		if (bt_store_file_named(run->store, names[i], &run->ordinals[i]))
			return bt_fail(error, BT_E_NOT_FOUND, names[i], "no such snapshot");
		run->names[i] = strdup(names[i]);
		if (!run->names[i])
			return bt_fail(error, BT_E_NOMEM, NULL, NULL);
		run->name_count++;
	}
	return 0;
}

/* Somebody else removed them; a name may even belong to another snapshot now. */
static void forget_gone(struct bt_prune_run *run)
{
	size_t left = 0;

	for (size_t i = 0; i < run->name_count; i++) {
		if (!bt_store_file_id(run->store, run->ordinals[i])->gone) {
			run->ordinals[left] = run->ordinals[i];
			run->names[left++] = run->names[i];
		} else {
			free(run->names[i]);
		}
	}
	run->name_count = left;
}

/* The long part of marking happens while others write; only what they add is looked at again under the exclusive lock.
 * A dry run keeps the lock. */
static int mark_shared(struct bt_prune_run *run, int *ret_lock, struct bt_error *error)
{
	int lock, result = bt_store_lock(run->store, BT_LOCK_SHARED, run->observer, &lock, error);

	if (result)
		return result;
	result = bt_store_refresh(run->store, error);
	if (!result) {
		forget_gone(run);
		result = bt_prune_mark(run, error);
	}
	if (run->options->dry_run)
		*ret_lock = lock;
	else
		bt_close(&lock);
	return result;
}

static void run_free(struct bt_prune_run *run)
{
	for (size_t i = 0; i < run->name_count; i++)
		free(run->names[i]);
	free(run->names);
	free(run->ordinals);
	bt_mark_free(&run->mark);
	bt_digest_set_free(&run->contents);
	bt_digest_set_free(&run->pages);
	free(run->fates);
}

static size_t count_staying(const struct bt_prune_run *run)
{
	size_t count = bt_store_snapshot_count(run->store), staying = 0;

	for (size_t i = 0; i < count; i++)
		staying += !bt_prune_removes(run, bt_store_snapshot_name(run->store, i));
	return staying;
}

/* While it waited for another prune, that one may have removed all that this one was to leave. */
static int see_staying(const struct bt_prune_run *run, size_t before, struct bt_error *error)
{
	if (!before || count_staying(run))
		return 0;
	return bt_fail(error, BT_E_NOT_FOUND, NULL,
		       "what was to stay has been removed meanwhile, so nothing more was removed; look again");
}

static int fail_stuck(const struct bt_prune_run *run, struct bt_error *error)
{
	char text[200];

	snprintf(text, sizeof(text),
		 "%" PRIu64 " bytes that nobody needs stay in files that are partly needed, since there is no room to "
		 "write these anew; prune again when there is",
		 run->result.stuck_bytes);
	return bt_fail(error, BT_E_INCOMPLETE, NULL, text);
}

int bt_prune(struct bt_store *store, const char *const *names, size_t count, const struct bt_prune_options *options,
	     const struct bt_observer *observer, struct bt_prune_result *ret_result, struct bt_error *error)
{
	static const struct bt_prune_options defaults = {0};
	struct bt_prune_run run = {.store = store,
				   .options = options ? options : &defaults,
				   .observer = observer,
				   .mark = {.store = store, .observer = observer}};
	size_t staying = 0;
	int alone = -1, lock = -1, result = copy_names(&run, names, count, error);

	if (!result) {
		staying = count_staying(&run);
		if (!run.options->dry_run)
			result = bt_store_lock(store, BT_LOCK_PRUNER, observer, &alone, error);
	}
	if (!result)
		result = mark_shared(&run, &lock, error);
	if (!result)
		result = see_staying(&run, staying, error);
	if (!result)
		result = bt_prune_retire(&run, error);
	if (!result)
		result = bt_prune_compact(&run, error);
	if (!result && run.result.stuck_bytes)
		result = fail_stuck(&run, error);
	if (ret_result)
		*ret_result = run.result;
	bt_close(&lock);
	bt_close(&alone);
	run_free(&run);
	return result;
}
