/* SPDX-License-Identifier: MIT */
#include "prune/run.h"
#include "base/fail.h"
#include "base/io.h"
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

bool bt_prune_finds_content(const struct bt_prune_run *run, const struct bt_digest *digest)
{
	return bt_digest_set_has(&run->mark.contents, digest) && bt_digest_set_has(&run->contents, digest);
}

bool bt_prune_finds_page(const struct bt_prune_run *run, const struct bt_digest *id)
{
	return bt_digest_set_has(&run->mark.pages, id) && bt_digest_set_has(&run->pages, id);
}

bool bt_prune_removes(const struct bt_prune_run *run, uint32_t ordinal)
{
	return bt_prune_has_fate(run, ordinal, BT_FATE_NAMED);
}

/* A damaged file may only look like one, and others may need what it holds: what counts is that it can be read as one.
 */
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
		return 0; /* as good as damaged, which is told by who needs it */
	if (r)
		return bt_error_pass(error, &failure, r);
	*ret_classic = bt_is_classic(object);
	bt_object_close(object);
	return *ret_classic ? is_whole_classic(run, ordinal, ret_classic, error) : 0;
}

bool bt_prune_has_fate(const struct bt_prune_run *run, uint32_t ordinal, unsigned fate)
{
	return ordinal < run->fate_count && run->fates[ordinal] & fate;
}

int bt_prune_set_fate(struct bt_prune_run *run, uint32_t ordinal, unsigned fate, struct bt_error *error)
{
	size_t count = bt_store_file_count(run->store);
	unsigned char *fates = run->fates;

	if (ordinal >= run->fate_count) {
		fates = realloc(fates, count);
		if (!fates)
			return bt_fail(error, BT_E_NOMEM, NULL, NULL);
		memset(fates + run->fate_count, 0, count - run->fate_count);
		run->fates = fates;
		run->fate_count = count;
	}
	fates[ordinal] |= fate;
	return 0;
}

static bool is_there(const struct bt_prune_run *run, const struct bt_file_id *id)
{
	return !id->gone && !bt_prune_has_fate(run, id->ordinal, BT_FATE_DELETED);
}

bool bt_prune_is_volume(const struct bt_prune_run *run, const struct bt_file_id *id)
{
	return is_there(run, id) && (!id->snapshot || bt_prune_has_fate(run, id->ordinal, BT_FATE_MOVED));
}

int bt_prune_go_on(const struct bt_prune_run *run, struct bt_error *error)
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

void bt_prune_copied(struct bt_prune_run *run, const char *path, uint64_t bytes)
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
	return r ? r : bt_prune_set_fate(run, ordinal, BT_FATE_HELD, error);
}

static void forget_contents(struct bt_prune_run *run)
{
	bt_digest_set_free(&run->contents);
	bt_digest_set_free(&run->pages);
}

void bt_prune_forget(struct bt_prune_run *run)
{
	forget_contents(run);
	for (size_t i = 0; i < run->fate_count; i++)
		run->fates[i] &= (unsigned char)~BT_FATE_HELD;
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

uint64_t bt_prune_living(const struct bt_block *block, uint64_t live)
{
	uint64_t living = (uint64_t)block->length * live / block->size;

	return live && !living ? 1 : living;
}

bool bt_prune_takes_whole(const struct bt_block *block, uint64_t living, unsigned percent)
{
	return living && (block->length - living) * 100 <= (uint64_t)block->length * percent;
}

struct share_visit {
	struct bt_prune_run *run;
	struct bt_share share;
	struct bt_block block; /* the one that is visited; length 0: none yet */
	uint64_t live;	       /* plain bytes of it */
};

static void end_block(struct share_visit *visit)
{
	const struct bt_block *block = &visit->block;
	uint64_t living = block->length ? bt_prune_living(block, visit->live) : 0;

	visit->share.live += living;
	visit->share.dead += block->length - living;
	for (int small = 0; small < 2; small++)
		visit->share.kept[small] += bt_prune_takes_whole(block, living, bt_prune_percent(visit->run, small))
						    ? block->length
						    : living;
	visit->live = 0;
}

static int share_content(void *arg, const struct bt_block *block, const struct bt_digest *digest, uint32_t offset,
			 uint32_t size)
{
	struct share_visit *visit = arg;

	if (visit->block.length && block->at != visit->block.at)
		end_block(visit);
	visit->block = *block;
	if (bt_prune_needs_content(visit->run, digest))
		visit->live += size;
	visit->share.relied += bt_prune_finds_content(visit->run, digest);
	return 0;
}

static int share_page(void *arg, const struct bt_digest *id, uint64_t at, uint32_t length)
{
	struct share_visit *visit = arg;
	bool needed = bt_prune_needs_page(visit->run, id);

	visit->share.relied += bt_prune_finds_page(visit->run, id);
	visit->share.live += needed ? length : 0;
	visit->share.dead += needed ? 0 : length;
	visit->share.kept[0] += needed ? length : 0;
	visit->share.kept[1] += needed ? length : 0;
	return 0;
}

int bt_prune_share(struct bt_prune_run *run, uint32_t ordinal, struct bt_share *ret_share, struct bt_error *error)
{
	struct share_visit visit = {.run = run};
	struct bt_index_visitor visitor = {&visit, share_content, share_page};
	struct bt_error found = {0};
	struct bt_file *file;
	int r = bt_store_file(run->store, ordinal, &file, &found);

	if (!r)
		r = bt_file_visit(file, &visitor, &found);
	end_block(&visit);
	visit.share.damaged = r == BT_E_DAMAGED;
	if (r && !visit.share.damaged)
		return bt_error_pass(error, &found, r);
	*ret_share = visit.share;
	return 0;
}

static bool held_is_gone(const struct bt_prune_run *run)
{
	for (size_t i = 0; i < run->fate_count; i++)
		if (bt_prune_has_fate(run, (uint32_t)i, BT_FATE_HELD) &&
		    bt_store_file_id(run->store, (uint32_t)i)->gone)
			return true;
	return false;
}

/* Something was counted on that somebody else took away: only what is still there counts. */
static int hold_anew(struct bt_prune_run *run, struct bt_error *error)
{
	int r;

	forget_contents(run);
	for (size_t i = 0; i < run->fate_count; i++)
		run->fates[i] &= (unsigned char)~BT_FATE_COPIED; /* where the copies are gone, too */
	r = bt_prune_hold_snapshots(run, error);
	for (size_t i = 0; i < run->fate_count && !r; i++) {
		const struct bt_file_id *id = bt_store_file_id(run->store, (uint32_t)i);

		if (bt_prune_is_volume(run, id) && bt_prune_has_fate(run, id->ordinal, BT_FATE_HELD))
			r = bt_prune_hold(run, id->ordinal, error);
		else if (id->gone)
			run->fates[i] &= (unsigned char)~BT_FATE_HELD;
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
		r = hold_anew(run, error);
	if (r)
		bt_prune_unlock(run);
	return r;
}

void bt_prune_unlock(struct bt_prune_run *run)
{
	bt_gate_close(&run->gate);
	bt_buf_free(&run->leaving);
}

void bt_prune_gone(struct bt_prune_run *run, const struct bt_file_id *id)
{
	const struct bt_observer *observer = run->observer;

	if (observer && observer->entry)
		observer->entry(observer->arg, BT_EVENT_DELETED, id->path);
}

static int doom(struct bt_prune_run *run, const struct bt_file_id *id, struct bt_error *error)
{
	if (bt_buf_append(&run->leaving, &id->ordinal, sizeof(id->ordinal)))
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
	int r = bt_prune_set_fate(run, id->ordinal, BT_FATE_DELETED, error);

	if (!r && !run->options->dry_run)
		r = classic ? bt_gate_remove(&run->gate, id->ordinal, error) : doom(run, id, error);
	if (r)
		return r;
	/* else it was told, under its old name, or is told when it is gone */
	if (!bt_prune_has_fate(run, id->ordinal, BT_FATE_MOVED) && (id->snapshot || run->options->dry_run))
		bt_prune_gone(run, id);
	if (at_once)
		count_deleted(run, id);
	return 0;
}

static int deleted(void *arg, size_t index, struct bt_error *error)
{
	struct bt_prune_run *run = arg;
	const uint32_t *ordinals = (const uint32_t *)run->leaving.data;
	const struct bt_file_id *id = bt_store_file_id(run->store, ordinals[index]);

	if (!id->snapshot)
		bt_prune_gone(run, id);
	count_deleted(run, id);
	return bt_prune_go_on(run, error);
}

int bt_prune_delete_doomed(struct bt_prune_run *run, struct bt_error *error)
{
	int r = run->options->dry_run ? 0 : bt_gate_delete(&run->gate, deleted, run, error);

	bt_buf_free(&run->leaving);
	return r;
}
