/* SPDX-License-Identifier: MIT */
#include "base/fail.h"
#include "copy/run.h"

/* Carrying from one snapshot; arg of all calls. */
struct carry {
	struct bt_copy *copy;
	struct bt_transfer *transfer;
};

static bool is_wanted(const struct bt_copy *copy, bool page, const struct bt_digest *digest)
{
	return bt_digest_set_has(&copy->wanted.of[page], digest) && !bt_digest_set_has(&copy->done.of[page], digest);
}

static bool wants_content(void *arg, const struct bt_digest *digest)
{
	return is_wanted(arg, false, digest);
}

static bool wants_page(void *arg, const struct bt_digest *id)
{
	return is_wanted(arg, true, id);
}

static int step(void *arg, const char *path, const struct bt_block *block, uint64_t live, struct bt_error *error)
{
	struct bt_copy *copy = arg;

	if (bt_cancelled(copy->observer))
		return bt_fail(error, BT_E_CANCELLED, NULL, NULL);
	copy->progress.bytes += live;
	if (bt_pace_due(&copy->pace, copy->observer)) {
		copy->progress.path = path;
		copy->observer->progress(copy->observer->arg, &copy->progress);
	}
	return 0;
}

static int note_done(const struct carry *carry)
{
	struct bt_digest_sets *copied = bt_transfer_copied(carry->transfer);
	int r = bt_digest_set_join(&carry->copy->done.of[0], &copied->of[0]);

	if (!r)
		r = bt_digest_set_join(&carry->copy->done.of[1], &copied->of[1]);
	bt_digest_sets_free(copied);
	return r;
}

/* What a damaged file does not give may be in others. */
static int carry_file(const struct carry *carry, uint32_t ordinal, struct bt_error *error)
{
	struct bt_error damage = {0};
	int r = bt_transfer_file(carry->transfer, ordinal, &damage);

	if (r && r != BT_E_DAMAGED)
		return bt_error_pass(error, &damage, r);
	r = note_done(carry);
	return r ? bt_fail(error, (enum bt_code)r, NULL, NULL) : 0;
}

static bool is_complete(const struct bt_copy *copy)
{
	return copy->done.of[0].count >= copy->wanted.of[0].count && copy->done.of[1].count >= copy->wanted.of[1].count;
}

static void keep_failure(const struct carry *carry, int r)
{
	if (!r)
		r = note_done(carry);
	if (r && !carry->copy->failure.code)
		bt_fail(&carry->copy->failure, (enum bt_code)r, NULL, "copy");
}

static void fetch_content(void *arg, const struct bt_chunk *content)
{
	const struct carry *carry = arg;
	const struct bt_held held = {content->digest, (uint32_t)content->size};

	if (!carry->copy->failure.code && is_wanted(carry->copy, false, &content->digest))
		keep_failure(carry, bt_transfer_content(carry->transfer, &held, &carry->copy->failure));
}

static void fetch_page(void *arg, const struct bt_digest *id)
{
	const struct carry *carry = arg;

	if (!carry->copy->failure.code && is_wanted(carry->copy, true, id))
		keep_failure(carry, bt_transfer_page(carry->transfer, id, &carry->copy->failure));
}

static void fetch_named(void *arg, const struct bt_digest *digest)
{
	const struct carry *carry = arg;
	struct bt_location place;

	fetch_page(arg, digest);
	if (!carry->copy->failure.code && is_wanted(carry->copy, false, digest) &&
	    !bt_store_find(carry->copy->from, digest, false, &place, &carry->copy->failure))
		fetch_content(arg, &(struct bt_chunk){*digest, place.size});
}

/* Goes through the snapshot once more, and takes each thing that is missing yet from wherever it is sound. */
static int fetch_the_rest(struct carry *carry, const char *name, struct bt_error *error)
{
	struct bt_copy *copy = carry->copy;
	struct bt_mark mark = {.store = copy->from,
			       .observer = copy->observer,
			       .added = fetch_content,
			       .added_page = fetch_page,
			       .added_named = fetch_named,
			       .arg = carry};
	int r = bt_mark_snapshot(&mark, name, error);

	bt_mark_free(&mark);
	if (!r && copy->failure.code)
		r = bt_error_pass(error, &copy->failure, (int)copy->failure.code);
	if (!r && !is_complete(copy))
		r = bt_fail_damaged(error, BT_R_MISSING_CONTENT, name, BT_NO_OFFSET);
	return r;
}

static int carry_all(struct carry *carry, const char *name, struct bt_error *error)
{
	struct bt_copy *copy = carry->copy;
	int r = 0;

	for (uint32_t i = 0; i < copy->file_count && !r; i++)
		if (copy->files[i])
			r = carry_file(carry, i, error);
	return r || is_complete(copy) ? r : fetch_the_rest(carry, name, error);
}

int bt_copy_carry(struct bt_copy *copy, const char *name, struct bt_pack *pack, struct bt_error *error)
{
	struct carry carry = {.copy = copy};
	const struct bt_transfer_options options = {.from = copy->from,
						    .pack = pack,
						    .verify = true,
						    .recompress = copy->options.level != 0,
						    .arg = copy,
						    .wants_content = wants_content,
						    .wants_page = wants_page,
						    .step = step};
	int r = bt_transfer_new(&options, &carry.transfer, error);

	if (!r)
		r = carry_all(&carry, name, error);
	if (!r)
		r = bt_pack_flush(pack, error);
	bt_transfer_free(carry.transfer);
	return r;
}
