/* SPDX-License-Identifier: MIT */
#include "base/fail.h"
#include "base/io.h"
#include "base/lock.h"
#include "prune/run.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The long part of marking happens while others write; only what they add is looked at again under the exclusive lock.
 */
static int mark_shared(struct bt_prune_run *run, struct bt_error *error)
{
	int lock, result = bt_store_lock(run->store, BT_LOCK_SHARED, &lock, error);

	if (result)
		return result;
	result = bt_prune_mark(run, error);
	bt_close(&lock);
	return result;
}

/* The caller's names may be the store's own, which a refresh frees. */
static int copy_names(struct bt_prune_run *run, const char *const *names, size_t count, struct bt_error *error)
{
	uint32_t ordinal;

	run->names = calloc(count + 1, sizeof(*run->names));
	if (!run->names)
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	for (size_t i = 0; i < count; i++) {
		if (bt_store_file_named(run->store, names[i], &ordinal))
			return bt_fail(error, BT_E_NOT_FOUND, names[i], "no such snapshot");
		run->names[i] = strdup(names[i]);
		if (!run->names[i])
			return bt_fail(error, BT_E_NOMEM, NULL, NULL);
		run->name_count++;
	}
	return 0;
}

static void run_free(struct bt_prune_run *run)
{
	for (size_t i = 0; i < run->name_count; i++)
		free(run->names[i]);
	free(run->names);
	bt_mark_free(&run->mark);
	bt_digest_set_free(&run->contents);
	bt_digest_set_free(&run->pages);
}

/* What a run would do, as far as it can be told without doing it. */
static int foresee(struct bt_prune_run *run, struct bt_error *error)
{
	size_t count = bt_store_file_count(run->store);
	int result = bt_prune_hold_snapshots(run, error);

	run->result.removed = run->name_count;
	for (size_t i = 0; i < count && !result; i++) {
		const struct bt_file_id *id = bt_store_file_id(run->store, (uint32_t)i);
		struct bt_share share;

		if (id->gone || (id->snapshot && !bt_prune_removes(run, id->name)))
			continue;
		result = bt_prune_share(run, id->ordinal, &share, error);
		if (!result && !share.damaged)
			run->result.freed_bytes += (int64_t)(share.live ? share.dead : id->size);
	}
	return result;
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
				   .mark = {.store = store, .observer = observer}};
	int result = copy_names(&run, names, count, error);

	if (!result)
		result = mark_shared(&run, error);
	if (!result && run.options->dry_run)
		result = foresee(&run, error);
	else if (!result)
		result = bt_prune_retire(&run, error);
	if (!result && !run.options->dry_run)
		result = bt_prune_compact(&run, error);
	if (!result && ret_result)
		*ret_result = run.result;
	if (!result && run.result.stuck_bytes)
		result = fail_stuck(&run, error);
	run_free(&run);
	return result;
}
