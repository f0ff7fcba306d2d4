/* SPDX-License-Identifier: MIT */
#include "pack/inside.h"

#include "base/fail.h"
#include "base/vec.h"
#include "codec/base64.h"
#include "codec/frame.h"
#include <stdlib.h>
#include <string.h>

enum {
	HELD_MAX = 4096,
	QUICK_THREADS_MAX = 8,
	SLOW_LEVEL = 10, /* from this level on, a context of zstd takes more memory than ten blocks */
};
#define QUICK_BUDGET_MAX ((size_t)24 << 20)

struct bt_pack_block {
	struct bt_job job;
	struct bt_pack *pack;
	struct bt_buffer *plain, *text;
	size_t size, length;
	struct bt_xxh3 xxh3; /* of the frame */
	struct bt_held *held;
	size_t count, room;
};

static void *packer_new(void *arg)
{
	const struct bt_pack *pack = arg;

	return bt_compressor_new(pack->packing.level);
}

static void packer_free(void *worker)
{
	bt_compressor_free(worker);
}

/* The content that fills a usual block may exceed it. A dense block only holds contents that fit, including chunks of
 * large files, any of which fits into an empty one. */
static struct bt_packing packing_at(int level)
{
	if (level > BT_LEVEL_MAX)
		return (struct bt_packing){.level = BT_LEVEL_MAX,
					   .full = BT_PACK_DENSE - ((size_t)128 << 10),
					   .room = BT_PACK_DENSE,
					   .alone = BT_PACK_DENSE / 2};
	return (struct bt_packing){.level = level,
				   .full = BT_PACK_BLOCK,
				   .room = BT_PACK_BLOCK + BT_PACK_SMALL,
				   .alone = (size_t)128 << 10};
}

/* Memory of a block in work: its frame and its plain bytes, or its frame and its text, which is a third longer. */
static size_t block_weight(size_t size)
{
	size_t frame = bt_frame_bound(size);

	return bt_buffer_capacity(frame) + bt_buffer_capacity(BT_BASE64_SIZE(frame));
}

/* At quick levels a few threads make blocks as fast as one can write them, so memory need not grow with the machine. At
 * slow levels every thread is worth its memory, most of which zstd takes. */
int bt_packers_new(struct bt_pack *pack, const struct bt_pack_options *options)
{
	pack->packing = packing_at(options->level);
	bool slow = pack->packing.level >= SLOW_LEVEL;
	unsigned threads = slow || options->threads < QUICK_THREADS_MAX ? options->threads : QUICK_THREADS_MAX;
	size_t budget = ((size_t)8 << 20) + threads * block_weight(pack->packing.room);
	const struct bt_pool_options pool = {.threads = threads,
					     .budget = slow || budget < QUICK_BUDGET_MAX ? budget : QUICK_BUDGET_MAX,
					     .worker_new = packer_new,
					     .worker_free = packer_free,
					     .arg = pack};

	return bt_pool_new(&pool, &pack->packers);
}

static void block_free(struct bt_pack_block *block)
{
	bt_buffer_put(block->pack->buffers, block->plain);
	bt_buffer_put(block->pack->buffers, block->text);
	free(block->held);
	free(block);
}

static int encode(struct bt_pack_block *block, const struct bt_buffer *frame, size_t size)
{
	block->length = BT_BASE64_SIZE(size);
	block->text = bt_buffer_get(block->pack->buffers, block->length);
	if (!block->text)
		return BT_E_NOMEM;
	bt_base64_encode((char *)block->text->data, frame->data, size);
	block->xxh3 = bt_xxh3_of(frame->data, size);
	return 0;
}

static int block_work(struct bt_job *job, void *worker)
{
	struct bt_pack_block *block = (struct bt_pack_block *)job;
	struct bt_pack *pack = block->pack;
	struct bt_buffer *frame = bt_buffer_get(pack->buffers, bt_frame_bound(block->size));
	size_t size = 0;
	int r = frame ? bt_voice_failed(pack->voice) : BT_E_NOMEM; /* blocks that waited are dropped */

	if (!r)
		r = bt_compress(worker, block->plain->data, block->size, frame->data, &size);
	bt_buffer_put(pack->buffers, block->plain);
	block->plain = NULL;
	if (!r)
		r = encode(block, frame, size);
	bt_buffer_put(pack->buffers, frame);
	return r ? bt_voice_fail(pack->voice, r, NULL) : 0;
}

static int block_finish(struct bt_job *job, int result)
{
	struct bt_pack_block *block = (struct bt_pack_block *)job;
	struct bt_error error = {0};
	int r = result;

	if (!r) {
		const struct bt_block_text text = {(const char *)block->text->data, block->length, block->xxh3};

		r = bt_pack_block(block->pack, &text, block->held, block->count, &error);
		if (r)
			bt_voice_fail(block->pack->voice, r, &error);
	}
	block_free(block);
	return r;
}

/* Makes a block of a buffer, and takes the buffer over (also on failure). */
static struct bt_pack_block *block_new(struct bt_pack *pack, struct bt_buffer *plain)
{
	struct bt_pack_block *block = plain ? calloc(1, sizeof(*block)) : NULL;

	if (!block) {
		bt_buffer_put(pack->buffers, plain);
		return NULL;
	}
	block->job = (struct bt_job){.work = block_work, .finish = block_finish};
	block->pack = pack;
	block->plain = plain;
	return block;
}

static int hold(struct bt_pack_block *block, const struct bt_held *content)
{
	if (bt_vec_room(block->held, block->count, block->room))
		return BT_E_NOMEM;
	block->held[block->count++] = *content;
	block->size += content->size;
	return 0;
}

static int submit(struct bt_pack *pack, struct bt_pack_block *block, struct bt_error *error)
{
	block->job.weight = block_weight(block->size);
	int r = bt_pool_submit(pack->packers, &block->job);
	return r ? bt_voice_pass(pack->voice, r, error) : 0;
}

static int submit_filled(struct bt_pack *pack, struct bt_error *error)
{
	struct bt_pack_block *block = pack->block;

	pack->block = NULL;
	return block ? submit(pack, block, error) : 0;
}

int bt_pack_flush(struct bt_pack *pack, struct bt_error *error)
{
	int r = submit_filled(pack, error);

	if (r)
		return r;
	r = bt_pool_drain(pack->packers);
	return r ? bt_voice_pass(pack->voice, r, error) : 0;
}

void bt_pack_drop_block(struct bt_pack *pack)
{
	if (pack->block)
		block_free(pack->block);
	pack->block = NULL;
}

static bool has_taken(struct bt_pack *pack, const struct bt_digest *digest)
{
	pthread_mutex_lock(&pack->taken_lock);
	bool has = bt_digest_set_has(&pack->taken, digest);
	pthread_mutex_unlock(&pack->taken_lock);
	return has;
}

static int note_taken(struct bt_pack *pack, const struct bt_digest *digest)
{
	pthread_mutex_lock(&pack->taken_lock);
	int r = bt_digest_set_add(&pack->taken, digest);
	pthread_mutex_unlock(&pack->taken_lock);
	return r < 0 ? r : 0;
}

/* Marks the content as taken. *ret_new: neither the store nor this pack had it. */
static int claim(struct bt_pack *pack, const struct bt_held *content, bool *ret_new, struct bt_error *error)
{
	bool has = true;

	*ret_new = false;
	if (!content->size || has_taken(pack, &content->digest))
		return 0;
	int r = bt_store_has(pack->store, &content->digest, false, &has, error);
	if (r || has)
		return r;
	pack->counts.new_bytes += content->size;
	*ret_new = !pack->dry;
	return note_taken(pack, &content->digest);
}

static int add_to_block(struct bt_pack *pack, const struct bt_held *content, const unsigned char *data,
			struct bt_error *error)
{
	int r = 0;

	if (pack->block && pack->block->size + content->size > pack->packing.room)
		r = submit_filled(pack, error);
	if (r)
		return r;
	if (!pack->block)
		pack->block = block_new(pack, bt_buffer_get(pack->buffers, pack->packing.room));
	struct bt_pack_block *block = pack->block;
	if (!block)
		return BT_E_NOMEM;
	memcpy(block->plain->data + block->size, data, content->size);
	if (hold(block, content))
		return BT_E_NOMEM;
	return block->size >= pack->packing.full || block->count >= HELD_MAX ? submit_filled(pack, error) : 0;
}

/* Takes the buffer over. */
static int submit_alone(struct bt_pack *pack, const struct bt_held *content, struct bt_buffer *buffer,
			struct bt_error *error)
{
	struct bt_pack_block *block = block_new(pack, buffer);

	if (!block)
		return BT_E_NOMEM;
	if (hold(block, content)) {
		block_free(block);
		return BT_E_NOMEM;
	}
	return submit(pack, block, error);
}

static int pack_content(struct bt_pack *pack, const struct bt_held *content, const unsigned char *data,
			enum bt_pack_how how, struct bt_error *error)
{
	size_t alone = how == BT_PACK_ALONE ? pack->packing.alone : pack->packing.room + 1;

	if (content->size < alone)
		return add_to_block(pack, content, data, error);
	struct bt_buffer *buffer = bt_buffer_get(pack->buffers, content->size);
	if (!buffer)
		return BT_E_NOMEM;
	memcpy(buffer->data, data, content->size);
	return submit_alone(pack, content, buffer, error);
}

int bt_pack_content(struct bt_pack *pack, const struct bt_held *content, const unsigned char *data,
		    enum bt_pack_how how, struct bt_error *error)
{
	bool is_new;
	int r = claim(pack, content, &is_new, error);

	return r || !is_new ? r : pack_content(pack, content, data, how, error);
}

int bt_pack_moved(struct bt_pack *pack, const struct bt_held *content, const unsigned char *data,
		  struct bt_error *error)
{
	return pack_content(pack, content, data, BT_PACK_TOGETHER, error);
}

int bt_pack_buffer(struct bt_pack *pack, const struct bt_held *content, struct bt_buffer *buffer,
		   struct bt_error *error)
{
	bool is_new;
	int r = claim(pack, content, &is_new, error);

	if (!r && is_new && content->size >= pack->packing.alone)
		return submit_alone(pack, content, buffer, error);
	if (!r && is_new)
		r = add_to_block(pack, content, buffer->data, error);
	bt_buffer_put(pack->buffers, buffer);
	return r;
}
