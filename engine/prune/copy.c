/* SPDX-License-Identifier: MIT */
#include "prune/copy.h"
#include "base/fail.h"
#include "codec/frame.h"

#define WHAT	 "copy the needed contents"
#define IDLE_MAX ((size_t)8 << 20)

static int failed(const struct bt_prune_copy *copy, int r)
{
	return bt_fail(copy->error, (enum bt_code)r, NULL, WHAT);
}

static bool needs_content(void *arg, const struct bt_digest *digest)
{
	return bt_prune_needs_content(arg, digest);
}

static bool needs_page(void *arg, const struct bt_digest *id)
{
	return bt_prune_needs_page(arg, id);
}

static int step(void *arg, const char *path, const struct bt_block *block, uint64_t live, struct bt_error *error)
{
	if (block)
		bt_prune_tell_copied(arg, path, bt_transfer_living(block, live));
	return bt_prune_cancelled(arg, error);
}

static int hold_copied(struct bt_prune_copy *copy)
{
	struct bt_digest_sets *copied = bt_transfer_copied(copy->transfer);
	int r = bt_digest_set_join(&copy->run->contents, &copied->of[0]);

	if (!r)
		r = bt_digest_set_join(&copy->run->pages, &copied->of[1]);
	bt_digest_sets_free(copied);
	return r ? failed(copy, r) : 0;
}

int bt_prune_copy_file(struct bt_prune_copy *copy, uint32_t ordinal)
{
	int r = bt_transfer_file(copy->transfer, ordinal, copy->error);

	if (!r)
		r = hold_copied(copy);
	copy->run->copying.files++;
	return r;
}

int bt_prune_copy_begin(struct bt_prune_copy *copy, struct bt_prune_run *run, bool small, struct bt_error *error)
{
	*copy = (struct bt_prune_copy){.run = run, .error = error};
	bt_voice_init(&copy->voice, NULL, WHAT);
	bt_buffers_init(&copy->buffers, BT_BUFFERS_MAPPED, IDLE_MAX);
	const struct bt_pack_options options = {
		.store = run->store, .level = BT_LEVEL_AUTO, .voice = &copy->voice, .buffers = &copy->buffers};
	int r = bt_pack_new(&options, &copy->pack, error);
	if (r)
		return failed(copy, r);
	const struct bt_transfer_options transfer = {.from = run->store,
						     .pack = copy->pack,
						     .percent = bt_prune_block_percent(run, small),
						     .arg = run,
						     .wants_content = needs_content,
						     .wants_page = needs_page,
						     .step = step};
	return bt_transfer_new(&transfer, &copy->transfer, error);
}

int bt_prune_copy_seal(struct bt_prune_copy *copy)
{
	struct bt_store *store = copy->run->store;
	int r = bt_pack_flush(copy->pack, copy->error);

	if (!r)
		r = bt_pack_seal(copy->pack, copy->error);
	if (r)
		return failed(copy, r);
	return bt_prune_set_state(copy->run, (uint32_t)bt_store_file_count(store) - 1, BT_PRUNE_HELD, copy->error);
}

void bt_prune_copy_end(struct bt_prune_copy *copy)
{
	bt_transfer_free(copy->transfer);
	bt_pack_free(copy->pack);
	bt_buffers_destroy(&copy->buffers);
	bt_voice_free(&copy->voice);
}
