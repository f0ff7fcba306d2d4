/* SPDX-License-Identifier: MIT */
#include "snapshot/commit.h"

#include "base/bytes.h"
#include "base/fail.h"
#include "model/document.h"
#include "snapshot/dedup.h"
#include "json/write.h"
#include <internal/policy.h>
#include <stdio.h>
#include <stdlib.h>

/* Bounds the memory for what the index does not know yet. */
enum { CONTENTS_MAX = 262144 };
#define VOLUME_SIZE ((uint64_t)256 << 20)
enum { NAME_SIZE = 64, NAME_DIGITS = 16, CLASHES_MAX = 1000 };

struct bt_snap_commit {
	pthread_mutex_t lock; /* the snapshot file gets blocks and pages from two sides */
	struct bt_writer *snapshot, *volume;
	struct bt_hasher *names; /* over the digests in the volume: its name */
	struct bt_time time;
	uint64_t volume_size, stored, written;
};

int bt_snap_commit_new(struct bt_snap_run *run, const struct bt_snapshot_info *info, struct bt_snap_commit **ret_commit,
		       struct bt_error *error)
{
	struct bt_snap_commit *commit = calloc(1, sizeof(*commit));
	struct bt_buf header = {0};
	int result;

	if (!commit)
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	pthread_mutex_init(&commit->lock, NULL);
	commit->time = run->time;
	commit->volume_size = run->options->volume_size > 0 ? run->options->volume_size : VOLUME_SIZE;
	commit->names = bt_hasher_new();
	result = commit->names ? bt_header_write(&header, info) : BT_E_NOMEM;
	if (result != 0)
		bt_fail(error, result, NULL, NULL);
	else if (header.length > BT_HEADER_MAX - 16)
		result = bt_fail(error, BT_E_INVALID, NULL, "the tags are too long");
	else
		result = bt_store_create(run->store, true, &header, &commit->snapshot, error);
	bt_buf_free(&header);
	if (result != 0)
		bt_snap_commit_free(commit);
	else
		*ret_commit = commit;
	return result;
}

void bt_snap_commit_free(struct bt_snap_commit *commit)
{
	if (!commit)
		return;
	bt_writer_free(commit->snapshot);
	bt_writer_free(commit->volume);
	bt_hasher_free(commit->names);
	pthread_mutex_destroy(&commit->lock);
	free(commit);
}

static bool full(const struct bt_snap_commit *commit, const struct bt_writer *writer)
{
	return bt_writer_size(writer) >= commit->volume_size || bt_writer_contents(writer) >= CONTENTS_MAX;
}

static int volume_new(struct bt_snap_run *run, struct bt_error *error)
{
	struct bt_snap_commit *commit = run->commit;
	struct bt_buf header = {0};
	int result = bt_volume_header_write(&header, &commit->time);

	if (result != 0)
		bt_fail(error, result, NULL, NULL);
	else
		result = bt_store_create(run->store, false, &header, &commit->volume, error);
	bt_hasher_start(commit->names);
	bt_hasher_add(commit->names, &commit->time.seconds, sizeof(commit->time.seconds));
	bt_hasher_add(commit->names, &commit->time.nanoseconds, sizeof(commit->time.nanoseconds));
	bt_buf_free(&header);
	return result;
}

/* Named after what it holds and the time of the run: a name that was deleted is never given again. A name that is taken
 * (by a damaged file, or by another run at the same moment) is followed by the digest of the name. */
static int volume_name(struct bt_snap_commit *commit, char name[NAME_SIZE])
{
	struct bt_digest digest;
	int result = bt_hasher_peek(commit->names, &digest);

	if (result != 0)
		return result;
	bt_hex_encode(name, digest.bytes, NAME_DIGITS);
	snprintf(name + (size_t)2 * NAME_DIGITS, NAME_SIZE - (size_t)2 * NAME_DIGITS, ".json");
	bt_hasher_add(commit->names, digest.bytes, sizeof(digest.bytes));
	return 0;
}

static int publish_volume(struct bt_snap_run *run, struct bt_error *error)
{
	struct bt_snap_commit *commit = run->commit;
	struct bt_buf summary = {0};
	char name[NAME_SIZE];
	int result = bt_json_text(&summary, "{}");

	if (result == 0)
		result = volume_name(commit, name);
	for (int i = 0; result == 0 && i < CLASHES_MAX; i++) {
		struct bt_error clash = {0};

		result = bt_store_publish(run->store, false, commit->volume, &summary, name, &clash);
		if (result != BT_E_EXISTS) {
			bt_error_pass(error, &clash, result);
			break;
		}
		result = volume_name(commit, name);
	}
	bt_buf_free(&summary);
	return result;
}

static int forget(void *arg, const struct bt_block *block, const struct bt_digest *digest, uint32_t offset,
		  uint32_t size)
{
	bt_snap_dedup_remove(arg, digest);
	return 0;
}

static int seal_volume(struct bt_snap_run *run, struct bt_error *error)
{
	struct bt_snap_commit *commit = run->commit;
	const struct bt_index_visitor visitor = {.arg = run->dedup, .content = forget};
	int result = publish_volume(run, error);

	if (result == 0)
		result = bt_writer_visit(commit->volume, &visitor);
	if (result != 0)
		return result;
	commit->written += bt_writer_size(commit->volume);
	bt_writer_free(commit->volume);
	commit->volume = NULL;
	return 0;
}

static int write_block(struct bt_snap_run *run, const char *text, size_t length, const struct bt_held *held,
		       size_t count, struct bt_error *error)
{
	struct bt_snap_commit *commit = run->commit;
	int result;

	commit->stored += length;
	if (!full(commit, commit->snapshot))
		return bt_writer_block(commit->snapshot, text, length, held, count, error);
	if (!commit->volume) {
		result = volume_new(run, error);
		if (result != 0)
			return result;
	}
	for (size_t i = 0; i < count; i++)
		bt_hasher_add(commit->names, held[i].digest.bytes, sizeof(held[i].digest.bytes));
	result = bt_writer_block(commit->volume, text, length, held, count, error);
	return result == 0 && full(commit, commit->volume) ? seal_volume(run, error) : result;
}

int bt_snap_commit_block(struct bt_snap_run *run, const char *text, size_t length, const struct bt_held *held,
			 size_t count, struct bt_error *error)
{
	pthread_mutex_lock(&run->commit->lock);
	int result = write_block(run, text, length, held, count, error);
	pthread_mutex_unlock(&run->commit->lock);
	return result;
}

int bt_snap_commit_page(struct bt_snap_commit *commit, const char *line, size_t length, const struct bt_digest *id,
			struct bt_error *error)
{
	pthread_mutex_lock(&commit->lock);
	int result = bt_writer_page(commit->snapshot, line, length, id, error);
	pthread_mutex_unlock(&commit->lock);
	return result;
}

uint64_t bt_snap_commit_stored(const struct bt_snap_commit *commit)
{
	return commit->stored;
}

uint64_t bt_snap_commit_written(const struct bt_snap_commit *commit)
{
	return commit->written;
}

int bt_snap_commit_volume(struct bt_snap_run *run, struct bt_error *error)
{
	return run->commit->volume ? seal_volume(run, error) : 0;
}

/* Behind all snapshots of this second, even when earlier ones of it were removed: names are in the order of time. */
static unsigned first_clash(const struct bt_snap_run *run)
{
	for (size_t i = bt_store_snapshot_count(run->store); i-- > 0;) {
		int64_t seconds;
		unsigned clash;

		if (bt_snapshot_name_parse(bt_store_snapshot_name(run->store, i), &seconds, &clash) != 0)
			continue;
		if (seconds == run->time.seconds)
			return clash + 1;
		if (seconds < run->time.seconds)
			break;
	}
	return 0;
}

int bt_snap_commit_snapshot(struct bt_snap_run *run, struct bt_gate *gate, const struct bt_buf *summary, char name[64],
			    struct bt_error *error)
{
	struct bt_snap_commit *commit = run->commit;
	unsigned first = first_clash(run);
	int result = BT_E_EXISTS;

	for (unsigned i = 0; i < CLASHES_MAX && result == BT_E_EXISTS; i++) {
		struct bt_error taken = {0};

		bt_snapshot_name_format(run->time.seconds, first + i, name, NAME_SIZE);
		result = bt_gate_publish(gate, commit->snapshot, summary, name, &taken);
		if (result != 0 && result != BT_E_EXISTS && error)
			*error = taken;
	}
	if (result == BT_E_EXISTS)
		return bt_fail(error, BT_E_EXISTS, name, "too many snapshots in one second");
	if (result == 0)
		commit->written += bt_writer_size(commit->snapshot);
	return result;
}
