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

static int out_of_memory(const struct bt_prune_copy *copy)
{
	return failed(copy, BT_E_NOMEM);
}

static int note_copied(struct bt_prune_copy *copy, const struct bt_held *held, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (bt_digest_set_add(&copy->copied.of[0], &held[i].digest) < 0)
			return out_of_memory(copy);
	return 0;
}

static int read_text(struct bt_prune_copy *copy, uint64_t at, uint32_t length)
{
	copy->text.length = 0;
	if (bt_buf_reserve(&copy->text, length))
		return out_of_memory(copy);
	return bt_file_pread(copy->file, copy->text.data, length, at, copy->error);
}

static int find_xxh3(const struct bt_prune_copy *copy, struct bt_block_text *text)
{
	int r = bt_xxh3_of_base64(text->text, text->length, &text->xxh3);

	if (r == BT_E_DAMAGED)
		return bt_fail_damaged(copy->error, BT_R_BAD_BASE64, bt_file_name(copy->file), copy->block.at);
	return r ? failed(copy, r) : 0;
}

/* The digest of the frame is the one that the old file states, so that damage still shows. Drafts have none. */
static int copy_text(struct bt_prune_copy *copy, const struct bt_held *held, size_t count)
{
	const struct bt_block *block = &copy->block;
	int r = read_text(copy, block->at, block->length);
	struct bt_block_text text = {(const char *)copy->text.data, block->length, block->xxh3};

	if (!r && !block->has_xxh3)
		r = find_xxh3(copy, &text);
	if (!r)
		r = bt_pack_block(copy->pack, &text, held, count, copy->error);
	return r ? r : note_copied(copy, held, count);
}

static int repack(struct bt_prune_copy *copy, const struct bt_held *held)
{
	struct bt_pin pin;
	int r = bt_store_pin(copy->run->store, &held->digest, held->size, 0, &pin, copy->error);

	if (r)
		return r;
	r = bt_pack_moved(copy->pack, held, pin.data, copy->error);
	bt_store_unpin(copy->run->store, &pin);
	return r ? failed(copy, r) : note_copied(copy, held, 1);
}

static int end_block(struct bt_prune_copy *copy)
{
	const struct bt_held *held = (const struct bt_held *)copy->held.data;
	size_t count = copy->held.length / sizeof(*held);
	uint64_t live = 0, living;
	int r = bt_prune_cancelled(copy->run, copy->error);

	if (r || !count)
		return r;
	for (size_t i = 0; i < count; i++)
		live += bt_prune_needs_content(copy->run, &held[i].digest) ? held[i].size : 0;
	living = bt_prune_living(&copy->block, live);
	if (live)
		bt_prune_tell_copied(copy->run, bt_file_name(copy->file), living);
	if (bt_prune_copies_text(&copy->block, living, copy->percent))
		r = copy_text(copy, held, count);
	else
		for (size_t i = 0; i < count && !r; i++)
			if (bt_prune_needs_content(copy->run, &held[i].digest))
				r = repack(copy, &held[i]);
	copy->held.length = 0;
	return r;
}

static int copy_content(void *arg, const struct bt_block *block, const struct bt_digest *digest, uint32_t offset,
			uint32_t size)
{
	struct bt_prune_copy *copy = arg;
	struct bt_held held = {*digest, size};
	int r = 0;

	if (copy->held.length && block->at != copy->block.at)
		r = end_block(copy);
	copy->block = *block;
	if (!r && bt_buf_append(&copy->held, &held, sizeof(held)))
		r = out_of_memory(copy);
	return r;
}

static int copy_page(void *arg, const struct bt_digest *id, uint64_t at, uint32_t length)
{
	struct bt_prune_copy *copy = arg;
	int r;

	if (!bt_prune_needs_page(copy->run, id))
		return 0;
	r = bt_prune_cancelled(copy->run, copy->error);
	if (!r)
		r = read_text(copy, at, length);
	if (!r)
		r = bt_pack_moved_page(copy->pack, (const char *)copy->text.data, length, id, copy->error);
	if (!r && bt_digest_set_add(&copy->copied.of[1], id) < 0)
		r = out_of_memory(copy);
	return r;
}

static int hold_copied(struct bt_prune_copy *copy)
{
	int r = bt_digest_set_join(&copy->run->contents, &copy->copied.of[0]);

	if (!r)
		r = bt_digest_set_join(&copy->run->pages, &copy->copied.of[1]);
	bt_digest_sets_free(&copy->copied);
	return r ? out_of_memory(copy) : 0;
}

int bt_prune_copy_file(struct bt_prune_copy *copy, uint32_t ordinal)
{
	struct bt_index_visitor visitor = {copy, copy_content, copy_page};
	int r = bt_store_file(copy->run->store, ordinal, &copy->file, copy->error);

	if (!r)
		r = bt_file_visit(copy->file, &visitor, copy->error);
	if (!r)
		r = end_block(copy);
	if (!r)
		r = hold_copied(copy);
	copy->run->copying.files++;
	return r;
}

int bt_prune_copy_begin(struct bt_prune_copy *copy, struct bt_prune_run *run, bool small, struct bt_error *error)
{
	*copy = (struct bt_prune_copy){.run = run, .error = error, .percent = bt_prune_percent(run, small)};
	bt_voice_init(&copy->voice, NULL, WHAT);
	bt_buffers_init(&copy->buffers, BT_BUFFERS_MAPPED, IDLE_MAX);
	const struct bt_pack_options options = {
		.store = run->store, .level = BT_LEVEL_AUTO, .voice = &copy->voice, .buffers = &copy->buffers};
	int r = bt_pack_new(&options, &copy->pack, error);

	return r ? failed(copy, r) : 0;
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
	bt_pack_free(copy->pack);
	bt_buffers_destroy(&copy->buffers);
	bt_voice_free(&copy->voice);
	bt_buf_free(&copy->text);
	bt_buf_free(&copy->held);
	bt_digest_sets_free(&copy->copied);
}
