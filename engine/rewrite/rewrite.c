/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "base/fail.h"
#include "base/io.h"
#include "base/sized.h"
#include "base/vec.h"
#include "codec/frame.h"
#include "model/document.h"
#include "rewrite/run.h"
#include "view/select.h"
#include <backuptool/select.h>
#include <internal/text.h>

#define IDLE_MAX ((size_t)8 << 20)

static uint64_t hash_key(const struct bt_seed *seed, const void *key)
{
	struct bt_table_key half;

	memcpy(&half, key, sizeof(half));
	return bt_seeded_hash(seed, &half, sizeof(half));
}

static bool same_key(const void *key, const void *other)
{
	return bt_digest_equal(key, other);
}

static const struct bt_table_kind by_digest = {hash_key, same_key};

static void note_content(void *arg, const struct bt_chunk *content)
{
	struct bt_rewrite_run *run = arg;

	if (bt_buf_append(&run->contents, content, sizeof(*content)))
		run->failed = BT_E_NOMEM;
}

static void note_page(void *arg, const struct bt_digest *id)
{
	struct bt_rewrite_run *run = arg;

	if (bt_buf_append(&run->pages, id, sizeof(*id)))
		run->failed = BT_E_NOMEM;
}

static void note_named(void *arg, const struct bt_digest *digest)
{
	note_content(arg, &(struct bt_chunk){*digest, 0});
}

static bool is_text(const char *text, size_t most)
{
	size_t length = strlen(text);

	return length > 0 && length <= most && bt_utf8_valid(text, length);
}

static int check_options(const struct bt_rewrite_options *options, struct bt_error *error)
{
	if (options->host && !is_text(options->host, BT_HOST_SIZE - 1))
		return bt_fail(error, BT_E_INVALID, NULL, "the name of a host is UTF-8 text of at most 255 bytes");
	if (options->target && *options->target != '/')
		return bt_fail(error, BT_E_INVALID, NULL, "the directory of a snapshot is an absolute path");
	return 0;
}

static int enter(struct bt_rewrite_run *run, struct bt_error *error)
{
	if (run->options.dry_run)
		return bt_store_lock_for_reading(run->store, run->observer, &run->gate.fd, error);
	int r = bt_gate_open(run->store, BT_LOCK_SHARED, run->observer, &run->gate, error);
	if (!r)
		bt_store_sweep(run->store, false);
	return r;
}

static int set_up(struct bt_rewrite_run *run, struct bt_error *error)
{
	int r = check_options(&run->options, error);

	if (!r && run->options.exclude_count)
		r = bt_rules_new(run->options.exclude, run->options.exclude_count, &run->rules, error);
	run->hasher = bt_hasher_new();
	if (!r && !run->hasher)
		r = bt_fail(error, BT_E_NOMEM, NULL, NULL);
	return r ? r : enter(run, error);
}

int bt_rewrite_begin(struct bt_store *store, const struct bt_rewrite_options *options,
		     const struct bt_observer *observer, struct bt_rewrite_run **ret_run, struct bt_error *error)
{
	struct bt_rewrite_run *run = calloc(1, sizeof(*run));

	if (!run)
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	run->store = store;
	run->observer = observer;
	run->gate.fd = -1;
	run->places.kind = &by_digest;
	run->gone = (struct bt_mark){.store = store,
				     .observer = observer,
				     .added = note_content,
				     .added_page = note_page,
				     .added_named = note_named,
				     .arg = run};
	run->kept = (struct bt_mark){.store = store, .observer = observer};
	bt_voice_init(&run->voice, NULL, "rewrite the snapshot");
	bt_buffers_init(&run->buffers, BT_BUFFERS_MAPPED, IDLE_MAX);
	int r = bt_sized_take(&run->options, sizeof(run->options), options, error);
	if (!r)
		r = set_up(run, error);
	if (r)
		bt_rewrite_end(run);
	else
		*ret_run = run;
	return r;
}

static void free_places(struct bt_rewrite_run *run)
{
	size_t at = 0;

	for (void *place = bt_table_next(&run->places, &at); place; place = bt_table_next(&run->places, &at))
		free(place);
	bt_table_free(&run->places);
}

static void leave(struct bt_rewrite_run *run)
{
	if (run->options.dry_run)
		bt_close(&run->gate.fd);
	else if (run->gate.fd >= 0) {
		bt_gate_close(&run->gate);
		bt_store_refresh(run->store, NULL);
	}
}

void bt_rewrite_end(struct bt_rewrite_run *run)
{
	if (!run)
		return;
	leave(run);
	free_places(run);
	bt_digest_set_free(&run->clean);
	bt_mark_free(&run->gone);
	bt_mark_free(&run->kept);
	bt_buf_free(&run->contents);
	bt_buf_free(&run->pages);
	bt_buf_free(&run->names);
	bt_buf_free(&run->digests);
	free(run->pairs);
	bt_rules_free(run->rules);
	bt_hasher_free(run->hasher);
	bt_buffers_destroy(&run->buffers);
	bt_voice_free(&run->voice);
	free(run);
}

bool bt_rewrite_used(const struct bt_rewrite_run *run, size_t index)
{
	return run->rules && bt_rules_used(run->rules, index);
}

static int note_pair(struct bt_rewrite_run *run, const char *from, const char *to)
{
	if (bt_vec_room(run->pairs, run->pair_count, run->pair_room))
		return BT_E_NOMEM;
	struct bt_rewrite_pair *pair = &run->pairs[run->pair_count++];
	memccpy(pair->from, from, 0, sizeof(pair->from));
	memccpy(pair->to, to, 0, sizeof(pair->to));
	return 0;
}

/* Pages of a file that was not published are nowhere. */
static void forget_built(struct bt_rewrite_run *run)
{
	size_t at = 0;

	for (struct bt_rewrite_place *place = bt_table_next(&run->places, &at); place;
	     place = bt_table_next(&run->places, &at))
		place->built = false;
}

static int publish(struct bt_rewrite_run *run, struct bt_pack *pack, struct bt_snapshot_info *info,
		   struct bt_rewrite_result *result, struct bt_error *error)
{
	struct bt_buf summary = {0};
	const char *there;
	int r = bt_find_of_second(run->store, info->time.seconds, bt_rewrite_is, info, &there, error);

	if (!r && there) {
		result->present = true;
		memccpy(result->name, there, 0, sizeof(result->name));
		return 0;
	}
	if (!r)
		r = bt_pack_seal(pack, error);
	if (!r)
		r = bt_summary_write(&summary, info);
	if (!r)
		r = bt_pack_publish(pack, &run->gate, &summary, result->name, error);
	bt_buf_free(&summary);
	if (!r)
		result->written_bytes = bt_pack_counts(pack)->written;
	return r;
}

static int write_with(struct bt_rewrite_run *run, const struct bt_snapshot_info *old, struct bt_snapshot_info *info,
		      struct bt_rewrite_result *result, struct bt_error *error)
{
	const struct bt_pack_options options = {.store = run->store,
						.info = info,
						.level = BT_LEVEL_AUTO,
						.voice = &run->voice,
						.buffers = &run->buffers};
	struct bt_pack *pack = NULL;
	uint32_t ordinal;
	int r = bt_store_file_named(run->store, old->name, &ordinal);

	if (r)
		return bt_fail(error, (enum bt_code)r, old->name, NULL);
	bt_gate_lean(&run->gate, ordinal); /* what it needs is there as long as it is */
	r = bt_pack_new(&options, &pack, error);
	if (!r)
		r = bt_rewrite_build(run, old, pack, &info->root.digest, error);
	if (!r)
		r = bt_pack_flush(pack, error);
	if (!r)
		r = publish(run, pack, info, result, error);
	bt_pack_free(pack);
	if (r)
		forget_built(run);
	return r ? bt_fail(error, (enum bt_code)r, old->name, "rewrite the snapshot") : 0;
}

static int write_anew(struct bt_rewrite_run *run, const struct bt_snapshot_info *old,
		      const struct bt_rewrite_sums *lost, struct bt_rewrite_result *result, struct bt_error *error)
{
	struct bt_snapshot_info info;
	struct bt_arena arena = {0};
	int r = bt_rewrite_inform(run, old, lost, &arena, &info);

	if (r)
		bt_fail(error, (enum bt_code)r, NULL, NULL);
	else
		r = write_with(run, old, &info, result, error);
	bt_arena_free(&arena);
	return r;
}

/* Whether all that was in the directory itself is gone. */
static bool is_emptied(const struct bt_snapshot_info *old, const struct bt_rewrite_sums *lost)
{
	uint64_t all = old->files + old->directories + old->others;

	return lost->entries && lost->entries + 1 >= all;
}

static int change(struct bt_rewrite_run *run, const struct bt_snapshot_info *old, const struct bt_rewrite_sums *lost,
		  struct bt_rewrite_result *result, struct bt_error *error)
{
	int r = 0;

	if (old->classic)
		return bt_fail(error, BT_E_UNSUPPORTED, old->name,
			       "it is in the original layout, which cannot be rewritten; remove it, if it may go");
	result->empties = is_emptied(old, lost);
	if (result->empties && !run->options.empty)
		return bt_fail(error, BT_E_INVALID, old->name, "nothing would be left of it");
	if (!run->options.dry_run)
		r = write_anew(run, old, lost, result, error);
	if (!r && note_pair(run, old->name, result->name))
		r = bt_fail(error, BT_E_NOMEM, NULL, NULL);
	return r;
}

static int look_and_change(struct bt_rewrite_run *run, const struct bt_snapshot_info *old,
			   struct bt_rewrite_result *result, struct bt_error *error)
{
	struct bt_rewrite_sums lost;
	int r = bt_rewrite_look(run, old, &lost, error);

	if (r)
		return r;
	result->was_rewritten = old->rewritten;
	result->matches = lost.matches;
	result->entries = lost.entries;
	result->files = lost.files;
	result->bytes = lost.bytes;
	result->changes = bt_rewrite_changes(run, old, &lost);
	return result->changes ? change(run, old, &lost, result, error) : 0;
}

int bt_rewrite_snapshot(struct bt_rewrite_run *run, const char *name, struct bt_rewrite_result *ret_result,
			struct bt_error *error)
{
	struct bt_rewrite_result result = {0};
	struct bt_snapshot *snapshot;

	if (bt_sized_check(ret_result, error))
		return BT_E_INVALID;
	int r = bt_snapshot_open(run->store, name, &snapshot, error);
	if (r)
		return r;
	r = look_and_change(run, bt_snapshot_info(snapshot), &result, error);
	bt_snapshot_close(snapshot);
	bt_sized_give(ret_result, &result, sizeof(result));
	return r;
}
