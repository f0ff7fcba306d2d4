/* SPDX-License-Identifier: MIT */
#include "snapshot/pack.h"

#include "base/vec.h"
#include "codec/base64.h"
#include "codec/chunker.h"
#include "codec/frame.h"
#include "snapshot/commit.h"
#include "snapshot/dedup.h"
#include <stdlib.h>
#include <string.h>

enum {
	HELD_MAX = 4096,
	QUICK_THREADS_MAX = 8,
	SLOW_LEVEL = 10, /* from here on a context of zstd's takes more than ten blocks */
};
#define QUICK_BUDGET_MAX ((size_t)24 << 20)

struct bt_snap_block {
	struct bt_job job;
	struct bt_snap_run *run;
	struct bt_snap_buffer *plain, *text;
	size_t size, length;
	struct bt_held *held;
	size_t count, room;
};

static void *packer_new(void *arg)
{
	const struct bt_snap_run *run = arg;

	return bt_compressor_new(run->packing.level);
}

static void packer_free(void *worker)
{
	bt_compressor_free(worker);
}

/* The content that fills a usual block may exceed it. A dense one holds what fits, with the chunks of large files, any
 * of which has room in one of its own. */
static struct bt_snap_packing packing_at(int level)
{
	if (level == BT_COMPRESSION_MAX)
		return (struct bt_snap_packing){.level = BT_LEVEL_MAX,
						.full = BT_CHUNK_MAX - ((size_t)128 << 10),
						.room = BT_CHUNK_MAX,
						.alone = BT_CHUNK_MAX / 2};
	return (struct bt_snap_packing){.level = level,
					.full = BT_SNAP_BLOCK,
					.room = BT_SNAP_BLOCK + BT_SNAP_SMALL,
					.alone = (size_t)128 << 10};
}

/* Of a block that is worked on there are its frame and its plain bytes, or its frame and its text, which is a third
 * longer. */
static size_t block_weight(size_t size)
{
	size_t frame = bt_frame_bound(size);

	return bt_snap_buffer_capacity(frame) + bt_snap_buffer_capacity(BT_BASE64_SIZE(frame));
}

/* Blocks made quickly are made by a few threads as fast as one can write them, and memory does not grow with the
 * machine. Where compressing is slow, every thread is worth what it takes, most of which is zstd's own. */
int bt_snap_packers_new(struct bt_snap_run *run, struct bt_pool **ret_pool)
{
	run->packing = packing_at(run->options->level);
	bool slow = run->packing.level >= SLOW_LEVEL;
	unsigned threads = slow || run->threads < QUICK_THREADS_MAX ? run->threads : QUICK_THREADS_MAX;
	size_t budget = ((size_t)8 << 20) + threads * block_weight(run->packing.room);
	const struct bt_pool_options options = {.threads = threads,
						.budget = slow || budget < QUICK_BUDGET_MAX ? budget : QUICK_BUDGET_MAX,
						.worker_new = packer_new,
						.worker_free = packer_free,
						.arg = run};

	return bt_pool_new(&options, ret_pool);
}

static void block_free(struct bt_snap_block *block)
{
	bt_snap_buffer_put(&block->run->buffers, block->plain);
	bt_snap_buffer_put(&block->run->buffers, block->text);
	free(block->held);
	free(block);
}

static int encode(struct bt_snap_block *block, const struct bt_snap_buffer *frame, size_t size)
{
	block->length = BT_BASE64_SIZE(size);
	block->text = bt_snap_buffer_get(&block->run->buffers, block->length);
	if (!block->text)
		return BT_E_NOMEM;
	bt_base64_encode((char *)block->text->data, frame->data, size);
	return 0;
}

static int block_work(struct bt_job *job, void *worker)
{
	struct bt_snap_block *block = (struct bt_snap_block *)job;
	struct bt_snap_buffers *buffers = &block->run->buffers;
	struct bt_snap_buffer *frame = bt_snap_buffer_get(buffers, bt_frame_bound(block->size));
	size_t size = 0;
	int result = frame ? bt_voice_failed(&block->run->watch.voice) : BT_E_NOMEM; /* what waited is dropped */

	if (result == 0)
		result = bt_compress(worker, block->plain->data, block->size, frame->data, &size);
	bt_snap_buffer_put(buffers, block->plain);
	block->plain = NULL;
	if (result == 0)
		result = encode(block, frame, size);
	bt_snap_buffer_put(buffers, frame);
	return result == 0 ? 0 : bt_voice_fail(&block->run->watch.voice, result, NULL);
}

static int block_finish(struct bt_job *job, int result)
{
	struct bt_snap_block *block = (struct bt_snap_block *)job;
	struct bt_error error = {0};

	if (result == 0) {
		result = bt_snap_commit_block(block->run, (const char *)block->text->data, block->length, block->held,
					      block->count, &error);
		if (result != 0)
			bt_voice_fail(&block->run->watch.voice, result, &error);
	}
	block_free(block);
	return result;
}

/* A block around a buffer, which it takes over (also on failure). */
static struct bt_snap_block *block_new(struct bt_snap_run *run, struct bt_snap_buffer *plain)
{
	struct bt_snap_block *block = plain ? calloc(1, sizeof(*block)) : NULL;

	if (!block) {
		bt_snap_buffer_put(&run->buffers, plain);
		return NULL;
	}
	block->job = (struct bt_job){.work = block_work, .finish = block_finish};
	block->run = run;
	block->plain = plain;
	return block;
}

static int hold(struct bt_snap_block *block, const struct bt_digest *digest, size_t size)
{
	if (bt_vec_room(block->held, block->count, block->room))
		return BT_E_NOMEM;
	block->held[block->count++] = (struct bt_held){*digest, (uint32_t)size};
	block->size += size;
	return 0;
}

static int submit(struct bt_snap_run *run, struct bt_snap_block *block)
{
	block->job.weight = block_weight(block->size);
	return bt_pool_submit(run->packers, &block->job);
}

int bt_snap_pack_flush(struct bt_snap_run *run)
{
	struct bt_snap_block *block = run->block;

	run->block = NULL;
	return block ? submit(run, block) : 0;
}

void bt_snap_pack_drop(struct bt_snap_run *run)
{
	if (run->block)
		block_free(run->block);
	run->block = NULL;
}

/* *ret_new: neither the store nor this run had it; now this run has. */
static int claim(struct bt_snap_run *run, const struct bt_digest *digest, size_t size, bool *ret_new,
		 struct bt_error *error)
{
	bool has = true;

	*ret_new = false;
	if (bt_snap_dedup_has(run->dedup, digest))
		return 0;
	int result = bt_store_has(run->store, digest, false, &has, error);
	if (result != 0 || has)
		return result;
	run->totals.new_bytes += size;
	*ret_new = run->commit != NULL;
	return bt_snap_dedup_add(run->dedup, digest);
}

static int add_to_block(struct bt_snap_run *run, const struct bt_digest *digest, const unsigned char *data, size_t size)
{
	if (run->block && run->block->size + size > run->packing.room) {
		int result = bt_snap_pack_flush(run);

		if (result != 0)
			return result;
	}
	if (!run->block)
		run->block = block_new(run, bt_snap_buffer_get(&run->buffers, run->packing.room));
	struct bt_snap_block *block = run->block;
	if (!block)
		return BT_E_NOMEM;
	memcpy(block->plain->data + block->size, data, size);
	if (hold(block, digest, size) != 0)
		return BT_E_NOMEM;
	return block->size >= run->packing.full || block->count >= HELD_MAX ? bt_snap_pack_flush(run) : 0;
}

static int submit_alone(struct bt_snap_run *run, const struct bt_digest *digest, struct bt_snap_buffer *buffer,
			size_t size)
{
	struct bt_snap_block *block = block_new(run, buffer);

	if (!block)
		return BT_E_NOMEM;
	if (hold(block, digest, size) != 0) {
		block_free(block);
		return BT_E_NOMEM;
	}
	return submit(run, block);
}

int bt_snap_keep(struct bt_snap_run *run, const struct bt_digest *digest, const unsigned char *data, size_t size,
		 bool alone, struct bt_error *error)
{
	bool is_new;
	int result = size > 0 ? claim(run, digest, size, &is_new, error) : 0;

	if (result != 0 || size == 0 || !is_new)
		return result;
	if (!alone || size < run->packing.alone)
		return add_to_block(run, digest, data, size);
	struct bt_snap_buffer *buffer = bt_snap_buffer_get(&run->buffers, size);
	if (!buffer)
		return BT_E_NOMEM;
	memcpy(buffer->data, data, size);
	return submit_alone(run, digest, buffer, size);
}

int bt_snap_keep_buffer(struct bt_snap_run *run, const struct bt_digest *digest, struct bt_snap_buffer *buffer,
			size_t size, struct bt_error *error)
{
	bool is_new;
	int result = claim(run, digest, size, &is_new, error);

	if (result == 0 && is_new && size >= run->packing.alone)
		return submit_alone(run, digest, buffer, size);
	if (result == 0 && is_new)
		result = add_to_block(run, digest, buffer->data, size);
	bt_snap_buffer_put(&run->buffers, buffer);
	return result;
}
