/* SPDX-License-Identifier: MIT */
#include "prune/run.h"
#include "base/fail.h"
#include "base/io.h"
#include "base/voice.h"
#include "pack/transfer.h"
#include <internal/store.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_DEAD_PERCENT 25
#define SMALL_DEAD_PERCENT   10

bool bt_prune_needs_content(const struct bt_prune_run *run, const struct bt_digest *digest)
{
	return bt_digest_set_has(&run->mark.contents, digest) && !bt_digest_set_has(&run->contents, digest);
}

bool bt_prune_needs_page(const struct bt_prune_run *run, const struct bt_digest *id)
{
	return bt_digest_set_has(&run->mark.pages, id) && !bt_digest_set_has(&run->pages, id);
}

bool bt_prune_relies_on_content(const struct bt_prune_run *run, const struct bt_digest *digest)
{
	return bt_digest_set_has(&run->mark.contents, digest) && bt_digest_set_has(&run->contents, digest);
}

bool bt_prune_relies_on_page(const struct bt_prune_run *run, const struct bt_digest *id)
{
	return bt_digest_set_has(&run->mark.pages, id) && bt_digest_set_has(&run->pages, id);
}

bool bt_prune_removes(const struct bt_prune_run *run, uint32_t ordinal)
{
	return bt_prune_has_state(run, ordinal, BT_PRUNE_NAMED);
}

/* A damaged file may only look like version 1, and others may need its contents: it counts only if it can be read as
 * one. */
static int is_whole_classic(struct bt_prune_run *run, uint32_t ordinal, bool *ret_classic, struct bt_error *error)
{
	struct bt_error found = {0};
	struct bt_file *file;
	int r = bt_store_file(run->store, ordinal, &file, &found);

	*ret_classic = !r && bt_file_kind(file) == BT_KIND_CLASSIC;
	if (!r || r == BT_E_DAMAGED)
		return 0;
	return bt_error_pass(error, &found, r);
}

int bt_prune_is_classic(struct bt_prune_run *run, uint32_t ordinal, bool *ret_classic, struct bt_error *error)
{
	struct bt_error failure = {0};
	struct bt_object *object;
	int r = bt_store_open_apart(run->store, ordinal, &object, &failure);

	*ret_classic = false;
	if (r && failure.reason == BT_R_NOT_A_FILE)
		return 0; /* as good as damaged, which the file's reader reports */
	if (r)
		return bt_error_pass(error, &failure, r);
	*ret_classic = bt_is_classic(object);
	bt_object_close(object);
	return *ret_classic ? is_whole_classic(run, ordinal, ret_classic, error) : 0;
}

bool bt_prune_has_state(const struct bt_prune_run *run, uint32_t ordinal, unsigned state)
{
	return ordinal < run->state_count && run->states[ordinal] & state;
}

int bt_prune_set_state(struct bt_prune_run *run, uint32_t ordinal, unsigned state, struct bt_error *error)
{
	size_t count = bt_store_file_count(run->store);
	unsigned char *states = run->states;

	if (ordinal >= run->state_count) {
		states = realloc(states, count);
		if (!states)
			return bt_fail(error, BT_E_NOMEM, NULL, NULL);
		memset(states + run->state_count, 0, count - run->state_count);
		run->states = states;
		run->state_count = count;
	}
	states[ordinal] |= state;
	return 0;
}

static bool is_there(const struct bt_prune_run *run, const struct bt_file_id *id)
{
	return !id->gone && !bt_prune_has_state(run, id->ordinal, BT_PRUNE_DELETED);
}

bool bt_prune_is_volume(const struct bt_prune_run *run, const struct bt_file_id *id)
{
	return is_there(run, id) && (!id->snapshot || bt_prune_has_state(run, id->ordinal, BT_PRUNE_MOVED));
}

int bt_prune_cancelled(const struct bt_prune_run *run, struct bt_error *error)
{
	return bt_cancelled(run->observer) ? bt_fail(error, BT_E_CANCELLED, NULL, NULL) : 0;
}

int bt_prune_mark(struct bt_prune_run *run, struct bt_error *error)
{
	size_t count = bt_store_snapshot_count(run->store);
	int r = 0;

	run->mark.progress = (struct bt_progress){0};
	for (size_t i = 0; i < count; i++)
		run->mark.progress.total_files += !bt_prune_removes(run, bt_store_snapshot_number(run->store, i));
	for (size_t i = 0; i < count && !r; i++) {
		uint32_t ordinal = bt_store_snapshot_number(run->store, i);
		bool classic = false;

		if (bt_prune_removes(run, ordinal))
			continue;
		r = bt_prune_is_classic(run, ordinal, &classic, error);
		if (!r && !classic)
			r = bt_mark_snapshot(&run->mark, bt_store_snapshot_name(run->store, i), error);
		run->mark.progress.files++;
	}
	return r;
}

void bt_prune_tell_copied(struct bt_prune_run *run, const char *path, uint64_t bytes)
{
	const struct bt_observer *observer = run->observer;

	run->copying.bytes += bytes;
	if (!bt_pace_due(&run->mark.pace, observer))
		return;
	run->copying.path = path;
	observer->progress(observer->arg, &run->copying);
}

static int hold_content(void *arg, const struct bt_block *block, const struct bt_digest *digest, uint32_t offset,
			uint32_t size)
{
	struct bt_prune_run *run = arg;
	int r = bt_digest_set_add(&run->contents, digest);

	return r < 0 ? r : 0;
}

static int hold_page(void *arg, const struct bt_digest *id, uint64_t at, uint32_t length)
{
	struct bt_prune_run *run = arg;
	int r = bt_digest_set_add(&run->pages, id);

	return r < 0 ? r : 0;
}

int bt_prune_hold(struct bt_prune_run *run, uint32_t ordinal, struct bt_error *error)
{
	struct bt_index_visitor visitor = {run, hold_content, hold_page};
	struct bt_file *file;
	int r = bt_store_file(run->store, ordinal, &file, error);

	if (!r)
		r = bt_file_visit(file, &visitor, error);
	return r ? r : bt_prune_set_state(run, ordinal, BT_PRUNE_HELD, error);
}

static void forget_contents(struct bt_prune_run *run)
{
	bt_digest_set_free(&run->contents);
	bt_digest_set_free(&run->pages);
}

void bt_prune_forget(struct bt_prune_run *run)
{
	forget_contents(run);
	for (size_t i = 0; i < run->state_count; i++)
		run->states[i] &= (unsigned char)~BT_PRUNE_HELD;
}

int bt_prune_hold_snapshots(struct bt_prune_run *run, struct bt_error *error)
{
	size_t count = bt_store_snapshot_count(run->store);
	int r = 0;

	for (size_t i = 0; i < count && !r; i++) {
		uint32_t ordinal = bt_store_snapshot_number(run->store, i);
		bool classic = false;

		if (bt_prune_removes(run, ordinal))
			continue;
		r = bt_prune_is_classic(run, ordinal, &classic, error);
		if (!r && !classic)
			r = bt_prune_hold(run, ordinal, error);
	}
	return r;
}

unsigned bt_prune_percent(const struct bt_prune_run *run, bool small)
{
	unsigned percent = run->options->dead_percent ? run->options->dead_percent : DEFAULT_DEAD_PERCENT;

	return small && percent < 100 && percent > SMALL_DEAD_PERCENT ? SMALL_DEAD_PERCENT : percent;
}

/* What is to go must not stay because its block is mostly needed. */
unsigned bt_prune_block_percent(const struct bt_prune_run *run, bool small)
{
	return run->options->thorough || run->options->purge_count ? 0 : bt_prune_percent(run, small);
}

struct usage_visit {
	struct bt_prune_run *run;
	struct bt_prune_usage usage;
	struct bt_block block; /* the one being visited; length 0: none yet */
	uint64_t live;	       /* its live plain bytes */
};

static void end_block(struct usage_visit *visit)
{
	const struct bt_block *block = &visit->block;
	uint64_t living = block->length ? bt_transfer_living(block, visit->live) : 0;

	visit->usage.live += living;
	visit->usage.dead += block->length - living;
	for (int small = 0; small < 2; small++)
		visit->usage.kept[small] +=
			bt_transfer_as_text(block, living, bt_prune_block_percent(visit->run, small)) ? block->length
												      : living;
	visit->live = 0;
}

static int measure_content(void *arg, const struct bt_block *block, const struct bt_digest *digest, uint32_t offset,
			   uint32_t size)
{
	struct usage_visit *visit = arg;

	if (visit->block.length && block->at != visit->block.at)
		end_block(visit);
	visit->block = *block;
	if (bt_prune_needs_content(visit->run, digest))
		visit->live += size;
	else
		visit->usage.purged |= bt_digest_set_has(&visit->run->purge, digest);
	visit->usage.relied += bt_prune_relies_on_content(visit->run, digest);
	return 0;
}

static int measure_page(void *arg, const struct bt_digest *id, uint64_t at, uint32_t length)
{
	struct usage_visit *visit = arg;
	bool needed = bt_prune_needs_page(visit->run, id);

	visit->usage.relied += bt_prune_relies_on_page(visit->run, id);
	visit->usage.purged |= !needed && bt_digest_set_has(&visit->run->purge, id);
	visit->usage.live += needed ? length : 0;
	visit->usage.dead += needed ? 0 : length;
	visit->usage.kept[0] += needed ? length : 0;
	visit->usage.kept[1] += needed ? length : 0;
	return 0;
}

int bt_prune_measure(struct bt_prune_run *run, uint32_t ordinal, struct bt_prune_usage *ret_usage,
		     struct bt_error *error)
{
	struct usage_visit visit = {.run = run};
	struct bt_index_visitor visitor = {&visit, measure_content, measure_page};
	struct bt_error found = {0};
	struct bt_file *file;
	int r = bt_store_file(run->store, ordinal, &file, &found);

	if (!r)
		r = bt_file_visit(file, &visitor, &found);
	end_block(&visit);
	visit.usage.damaged = r == BT_E_DAMAGED;
	visit.usage.newer = bt_error_is_newer(&found);
	if (r && !visit.usage.damaged)
		return bt_error_pass(error, &found, r);
	*ret_usage = visit.usage;
	return 0;
}

static bool held_is_gone(const struct bt_prune_run *run)
{
	for (size_t i = 0; i < run->state_count; i++)
		if (bt_prune_has_state(run, (uint32_t)i, BT_PRUNE_HELD) &&
		    bt_store_file_id(run->store, (uint32_t)i)->gone)
			return true;
	return false;
}

/* A file that was held has been removed by another program: only files that are still there count. */
static int hold_again(struct bt_prune_run *run, struct bt_error *error)
{
	int r;

	forget_contents(run);
	for (size_t i = 0; i < run->state_count; i++)
		run->states[i] &= (unsigned char)~BT_PRUNE_COPIED; /* their copies are gone, too */
	r = bt_prune_hold_snapshots(run, error);
	for (size_t i = 0; i < run->state_count && !r; i++) {
		const struct bt_file_id *id = bt_store_file_id(run->store, (uint32_t)i);

		if (bt_prune_is_volume(run, id) && bt_prune_has_state(run, id->ordinal, BT_PRUNE_HELD))
			r = bt_prune_hold(run, id->ordinal, error);
		else if (id->gone)
			run->states[i] &= (unsigned char)~BT_PRUNE_HELD;
	}
	return r;
}

int bt_prune_lock(struct bt_prune_run *run, struct bt_error *error)
{
	int r;

	if (run->options->dry_run)
		return 0;
	r = bt_gate_open(run->store, BT_LOCK_EXCLUSIVE, run->observer, &run->gate, error);
	if (r)
		return r;
	r = bt_prune_mark(run, error);
	if (!r && held_is_gone(run))
		r = hold_again(run, error);
	if (r)
		bt_prune_unlock(run);
	return r;
}

void bt_prune_unlock(struct bt_prune_run *run)
{
	bt_gate_close(&run->gate);
	bt_buf_free(&run->doomed);
}

void bt_prune_tell_deleted(struct bt_prune_run *run, const struct bt_file_id *id)
{
	bt_tell_entry(run->observer, BT_EVENT_DELETED, id->path, id->size);
}

static int doom(struct bt_prune_run *run, const struct bt_file_id *id, struct bt_error *error)
{
	if (bt_buf_append(&run->doomed, &id->ordinal, sizeof(id->ordinal)))
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	return bt_gate_doom(&run->gate, id->ordinal, error);
}

static void count_deleted(struct bt_prune_run *run, const struct bt_file_id *id)
{
	run->result.files_deleted++;
	run->result.freed_bytes += (int64_t)id->size;
}

int bt_prune_delete(struct bt_prune_run *run, const struct bt_file_id *id, bool classic, struct bt_error *error)
{
	bool at_once = classic || run->options->dry_run;
	int r = bt_prune_set_state(run, id->ordinal, BT_PRUNE_DELETED, error);

	if (!r && !run->options->dry_run)
		r = classic ? bt_gate_remove(&run->gate, id->ordinal, error) : doom(run, id, error);
	if (r)
		return r;
	/* else it was reported under its old name, or is when it is deleted */
	if (!bt_prune_has_state(run, id->ordinal, BT_PRUNE_MOVED) && (id->snapshot || run->options->dry_run))
		bt_prune_tell_deleted(run, id);
	if (at_once)
		count_deleted(run, id);
	return 0;
}

static int deleted(void *arg, size_t index, struct bt_error *error)
{
	struct bt_prune_run *run = arg;
	const uint32_t *ordinals = (const uint32_t *)run->doomed.data;
	const struct bt_file_id *id = bt_store_file_id(run->store, ordinals[index]);

	if (!id->snapshot)
		bt_prune_tell_deleted(run, id);
	count_deleted(run, id);
	return bt_prune_cancelled(run, error);
}

int bt_prune_delete_doomed(struct bt_prune_run *run, struct bt_error *error)
{
	int r = run->options->dry_run ? 0 : bt_gate_delete(&run->gate, deleted, run, error);

	bt_buf_free(&run->doomed);
	/* On a full disk the space of an open file is not there for those that are written next. */
	if (!run->options->dry_run)
		bt_store_release(run->store);
	return r;
}
