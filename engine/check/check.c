/* SPDX-License-Identifier: MIT */
#include "base/fail.h"
#include "base/io.h"
#include "base/lock.h"
#include "base/random.h"
#include "base/sized.h"
#include "check/run.h"
#include "codec/hash.h"
#include <errno.h>

struct bt_digest bt_check_key(const struct bt_digest *digest, uint64_t size)
{
	struct bt_digest key = *digest;

	for (size_t i = 0; i < sizeof(size); i++)
		key.bytes[i] ^= (unsigned char)(size >> 8 * i);
	return key;
}

void bt_check_progress(struct bt_check_run *run, const char *path, uint64_t files, uint64_t bytes)
{
	const struct bt_observer *observer = run->voice.observer;

	pthread_mutex_lock(&run->voice.lock);
	run->progress.files += files;
	run->progress.bytes += bytes;
	if (bt_pace_due(&run->pace, observer)) {
		run->progress.path = path;
		observer->progress(observer->arg, &run->progress);
	}
	pthread_mutex_unlock(&run->voice.lock);
}

static void foresee(struct bt_check_run *run)
{
	for (uint32_t i = 0; i < bt_store_file_count(run->store); i++) {
		const struct bt_file_id *id = bt_store_file_id(run->store, i);

		run->progress.total_files += !id->gone;
		run->progress.total_bytes += id->gone ? 0 : id->size;
	}
	if (run->options->parts)
		run->progress.total_bytes /= run->options->parts;
	if (run->options->share)
		run->progress.total_bytes = run->progress.total_bytes / BT_SHARES * run->options->share;
	if (run->options->quick || run->options->name_count)
		run->progress.total_bytes = 0;
}

bool bt_check_is_partial(const struct bt_check_options *options)
{
	return options->quick || options->parts || options->share;
}

static int check_options(struct bt_check_run *run, struct bt_error *error)
{
	const struct bt_check_options *options = run->options;
	uint32_t ordinal;

	if (options->parts && (!options->part || options->part > options->parts))
		return bt_fail(error, BT_E_INVALID, NULL, "no such part");
	if (options->share > BT_SHARES)
		return bt_fail(error, BT_E_INVALID, NULL, "no such share");
	int r = options->share ? bt_random(&run->seed, sizeof(run->seed)) : 0;
	if (r)
		return bt_fail_sys(error, -r, NULL, "get random bytes");
	for (size_t i = 0; i < options->name_count; i++)
		if (bt_store_file_named(run->store, options->names[i], &ordinal))
			return bt_fail(error, BT_E_NOT_FOUND, options->names[i], "no such snapshot");
	return 0;
}

/* No snapshot needs the store's id: a check of some snapshots does not report it. */
static int check_identity(struct bt_check_run *run)
{
	struct bt_check_found facts = {.ordinal = BT_CHECK_NO_FILE, .offset = BT_NO_OFFSET};

	if (run->options->name_count || !bt_identity_read(run->store, &facts.error))
		return 0;
	return bt_findings_add(run, &facts, NULL);
}

int bt_check_all(struct bt_check_run *run, struct bt_error *error)
{
	int r = check_options(run, error);

	if (r)
		return r;
	foresee(run);
	if (run->options->name_count)
		r = bt_check_needed(run, error);
	if (!r)
		r = check_identity(run);
	if (!r)
		r = bt_check_contents(run, error);
	if (!r)
		r = bt_check_snapshots(run, error);
	run->traced = !r;
	run->result.complete = !r && !bt_check_is_partial(run->options) && !run->options->name_count;
	bt_findings_tell(run);
	return r ? r : run->result.findings ? BT_E_DAMAGED : 0;
}

void bt_check_run_free(struct bt_check_run *run)
{
	bt_findings_free(run);
	bt_digest_set_free(&run->good);
	bt_digest_set_free(&run->needed);
	bt_digest_set_free(&run->clean);
	bt_digest_set_free(&run->unclean);
	bt_digest_set_free(&run->wholes);
	bt_digest_set_free(&run->wrong);
	bt_hasher_free(run->hasher);
	bt_voice_free(&run->voice);
}

int bt_check(struct bt_store *store, const struct bt_check_options *options,
	     void (*found)(void *arg, const struct bt_finding *finding), void *arg, const struct bt_observer *observer,
	     struct bt_check_result *ret_result, struct bt_error *error)
{
	struct bt_check_options wanted;
	struct bt_check_run run = {.store = store, .options = &wanted, .tell = found, .arg = arg};
	int fd = -1;

	if (bt_sized_take(&wanted, sizeof(wanted), options, error) || bt_sized_check(ret_result, error))
		return BT_E_INVALID;
	run.hurt = wanted.hurt;
	bt_voice_init(&run.voice, observer, NULL);
	int r = bt_store_lock_for_reading(run.store, observer, &fd, error);
	if (!r)
		r = bt_check_all(&run, error);
	if (r == BT_E_DAMAGED && (run.result.denied || run.result.newer) && !run.proven)
		r = BT_E_INCOMPLETE;
	bt_close(&fd);
	bt_check_run_free(&run);
	bt_sized_give(ret_result, &run.result, sizeof(run.result));
	return r;
}
