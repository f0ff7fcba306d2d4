/* SPDX-License-Identifier: MIT */
#include "snapshot/item.h"

#include "pack/pack.h"
#include <stdlib.h>
#include <string.h>

enum { ITEMS_MAX = 512, READS_MAX = 64, READERS_MAX = 16 };

#define BUDGET ((size_t)12 << 20)

struct bt_snap_batch {
	struct bt_job job;
	struct bt_snap_run *run;
	struct bt_arena arena;
	struct bt_snap_item *first, **end;
	size_t items, reads, planned;
	struct bt_buffer *data;
};

struct bt_snap_batch *bt_snap_batch_new(struct bt_snap_run *run)
{
	struct bt_snap_batch *batch = calloc(1, sizeof(*batch));

	if (batch) {
		batch->run = run;
		batch->end = &batch->first;
	}
	return batch;
}

void bt_snap_stream_free(struct bt_snap_stream *stream)
{
	if (!stream)
		return;
	bt_chunk_list_free(&stream->list);
	bt_arena_free(&stream->arena);
	free(stream);
}

void bt_snap_batch_free(struct bt_snap_batch *batch)
{
	if (!batch)
		return;
	for (struct bt_snap_item *item = batch->first; item; item = item->next) {
		bt_snap_link_put(item->link);
		if (item->kind == BT_SNAP_END)
			bt_snap_stream_free(item->stream);
		if (item->kind == BT_SNAP_DIRECTORY)
			bt_snap_walk_done(batch->run->walk, item->node);
	}
	bt_buffer_put(&batch->run->buffers, batch->data);
	bt_arena_free(&batch->arena);
	free(batch);
}

struct bt_arena *bt_snap_batch_arena(struct bt_snap_batch *batch)
{
	return &batch->arena;
}

struct bt_snap_item *bt_snap_batch_add(struct bt_snap_batch *batch)
{
	struct bt_snap_item *item = bt_arena_alloc(&batch->arena, sizeof(*item));

	if (!item)
		return NULL;
	*item = (struct bt_snap_item){0};
	*batch->end = item;
	batch->end = &item->next;
	batch->items++;
	return item;
}

void bt_snap_batch_plan(struct bt_snap_batch *batch, struct bt_snap_item *item, size_t size)
{
	/* One byte to see the end by. */
	item->room.size = size + 1;
	batch->planned += size + 1;
	batch->reads++;
}

bool bt_snap_batch_full(const struct bt_snap_batch *batch)
{
	return batch->items >= ITEMS_MAX || batch->reads >= READS_MAX || batch->planned >= BT_PACK_BLOCK;
}

/* Reading. */

static int read_item(struct bt_snap_batch *batch, struct bt_reader *reader, struct bt_snap_item *item, int fd)
{
	const struct bt_source_out out = {&batch->arena, &item->entry, &item->outcome};
	int result = 0;

	if (item->kind == BT_SNAP_DIRECTORY) {
		result = bt_source_xattrs(reader, fd, false, &out);
		return result == 0 ? bt_source_inode(reader, fd, &out) : result;
	}
	if (item->kind == BT_SNAP_BARE)
		return bt_source_bare(reader, fd, item->found, &out);
	result = bt_source_small(reader, fd, item->found, &item->room, &out);
	if (result == 0 && item->outcome.state == BT_SOURCE_READ)
		item->size = item->entry.size;
	return result;
}

static void no_directory(struct bt_snap_item *item, int sys)
{
	if (item->kind == BT_SNAP_DIRECTORY) { /* it was listed; only its xattrs are missing */
		item->outcome.xattr_sys = sys;
		return;
	}
	item->outcome = (struct bt_outcome){.seen = *item->found};
	bt_source_failed(&item->outcome, sys);
}

/* Of the items from first up to end, which lie in one directory. */
static void find_out(struct bt_snap_batch *batch, struct bt_snap_item *first, const struct bt_snap_item *end)
{
	uint64_t since = bt_scan_now();

	for (struct bt_snap_item *item = first; item != end; item = item->next) {
		struct bt_outcome *outcome = &item->outcome;

		if (item->kind != BT_SNAP_DIRECTORY)
			bt_source_find_out(&batch->run->source, item->node->dir, outcome, since);
		else if (bt_scan_not_found(outcome->xattr_sys) && item->node->parent &&
			 !bt_scan_listed(batch->run->scan, item->node->parent->dir, item->found, since))
			outcome->xattr_sys = 0;
	}
}

/* From first as far as the items lie in its directory; *ret_next: the first that does not. */
static int read_neighbours(struct bt_snap_batch *batch, struct bt_reader *reader, struct bt_snap_item *first,
			   struct bt_snap_item **ret_next)
{
	struct bt_scan_dir *dir = first->node->dir;
	int fd = bt_scan_fd_get(batch->run->scan, dir), result = 0;
	struct bt_snap_item *item = first;

	for (; item && result == 0 && item->node->dir == dir; item = item->next) {
		result = bt_voice_failed(&batch->run->watch.voice);
		if (result != 0 || !item->reads)
			continue;
		if (fd < 0)
			no_directory(item, -fd);
		else
			result = read_item(batch, reader, item, fd);
	}
	if (fd >= 0)
		bt_scan_fd_put(batch->run->scan, dir);
	if (result == 0)
		find_out(batch, first, item);
	*ret_next = item;
	return result;
}

static int give_room(struct bt_snap_batch *batch)
{
	unsigned char *at;

	if (batch->planned == 0)
		return 0;
	batch->data = bt_buffer_get(&batch->run->buffers, batch->planned);
	if (!batch->data)
		return BT_E_NOMEM;
	at = batch->data->data;
	for (struct bt_snap_item *item = batch->first; item; item = item->next) {
		item->room.data = at;
		at += item->room.size;
	}
	return 0;
}

static int batch_work(struct bt_job *job, void *worker)
{
	struct bt_snap_batch *batch = (struct bt_snap_batch *)job;
	int result = give_room(batch);

	for (struct bt_snap_item *item = batch->first; item && result == 0;) {
		if (item->reads)
			result = read_neighbours(batch, worker, item, &item);
		else
			item = item->next;
	}
	return result == 0 ? 0 : bt_voice_fail(&batch->run->watch.voice, result, NULL);
}

/* Finishing. */

static int finish_file(struct bt_snap_batch *batch, struct bt_snap_item *item, struct bt_error *error)
{
	if (item->outcome.state == BT_SOURCE_OTHER)
		return bt_snap_read_late(batch->run, item, &batch->arena, error);
	if (item->outcome.state != BT_SOURCE_READ)
		return 0;
	const struct bt_held content = {item->entry.digest, (uint32_t)item->size};
	return bt_pack_content(batch->run->pack, &content, item->room.data, BT_PACK_TOGETHER, error);
}

static int finish_meta(struct bt_snap_batch *batch, struct bt_snap_item *item, struct bt_error *error)
{
	int result = 0;

	if (item->outcome.state == BT_SOURCE_OTHER)
		result = bt_snap_read_late(batch->run, item, &batch->arena, error);
	if (result == 0 && item->outcome.state == BT_SOURCE_READ && item->entry.type == BT_DIR)
		result = bt_snap_node_pages(batch->run, NULL, &item->entry.digest, error);
	return result;
}

static int finish_link(struct bt_snap_batch *batch, struct bt_snap_item *item, struct bt_error *error)
{
	if (!item->link->ready)
		return bt_snap_read_late(batch->run, item, &batch->arena, error);
	item->entry = item->link->entry;
	item->entry.name = item->found->name;
	item->entry.name_length = item->found->name_length;
	item->outcome.torn = item->entry.extra && item->entry.extra->torn;
	item->outcome.seen = *item->found;
	return 0;
}

static int finish_stream(struct bt_snap_batch *batch, struct bt_snap_item *item, struct bt_error *error)
{
	struct bt_snap_stream *stream = item->stream;

	item->entry = stream->entry;
	item->outcome = stream->outcome;
	if (item->outcome.state == BT_SOURCE_OTHER)
		return bt_snap_read_late(batch->run, item, &batch->arena, error);
	if (item->outcome.state != BT_SOURCE_READ)
		return 0;
	return bt_chunk_list_finish(batch->run->pack, &stream->list, &batch->arena, &item->entry, error);
}

static int finish_directory(struct bt_snap_batch *batch, struct bt_snap_item *item, struct bt_error *error)
{
	if (item->outcome.state == BT_SOURCE_OTHER)
		return bt_snap_read_late(batch->run, item, &batch->arena, error);
	if (item->outcome.state != BT_SOURCE_READ)
		return 0;
	return bt_snap_node_pages(batch->run, item->node, &item->entry.digest, error);
}

static int finish_item(struct bt_snap_batch *batch, struct bt_snap_item *item, struct bt_error *error)
{
	int result = 0;

	switch (item->kind) {
	case BT_SNAP_RESTART:
		bt_chunk_list_restart(&item->stream->list);
		item->stream->seen = 0;
		return 0;
	case BT_SNAP_FILE:
		result = finish_file(batch, item, error);
		break;
	case BT_SNAP_BARE:
		result = finish_meta(batch, item, error);
		break;
	case BT_SNAP_LINK:
		result = finish_link(batch, item, error);
		break;
	case BT_SNAP_END:
		result = finish_stream(batch, item, error);
		break;
	case BT_SNAP_DIRECTORY:
		result = finish_directory(batch, item, error);
		break;
	case BT_SNAP_KEEP:
	case BT_SNAP_BAD:
		break;
	}
	return result == 0 ? bt_snap_settle(batch->run, item, &batch->arena, error) : result;
}

static int batch_finish(struct bt_job *job, int result)
{
	struct bt_snap_batch *batch = (struct bt_snap_batch *)job;
	struct bt_error error = {0};

	if (result == 0) {
		for (struct bt_snap_item *item = batch->first; item && result == 0; item = item->next)
			result = finish_item(batch, item, &error);
		if (result != 0)
			bt_voice_fail(&batch->run->watch.voice, result, &error);
	}
	bt_snap_batch_free(batch);
	return result;
}

int bt_snap_batch_submit(struct bt_snap_batch *batch)
{
	if (batch->items == 0) {
		bt_snap_batch_free(batch);
		return 0;
	}
	batch->job.work = batch_work;
	batch->job.finish = batch_finish;
	batch->job.weight = batch->arena.used + (batch->planned > 0 ? bt_buffer_capacity(batch->planned) : 0);
	return bt_pool_submit(batch->run->readers, &batch->job);
}

/* A chunk of a stream. */

struct chunk_job {
	struct bt_job job;
	struct bt_snap_run *run;
	struct bt_snap_stream *stream;
	struct bt_buffer *buffer;
	struct bt_held content;
};

static int chunk_work(struct bt_job *job, void *worker)
{
	struct chunk_job *chunk = (struct chunk_job *)job;
	struct bt_reader *reader = worker;
	int result = bt_hasher_digest(reader->pieces, chunk->buffer->data, chunk->content.size, &chunk->content.digest);

	return result == 0 ? 0 : bt_voice_fail(&chunk->run->watch.voice, result, NULL);
}

/* A large file is long in coming. */
static void tell_chunk(struct bt_snap_run *run, struct bt_snap_stream *stream, size_t size)
{
	stream->seen += size;
	if (!bt_snap_progress_due(&run->watch))
		return;
	char *path = bt_scan_path(stream->node->dir, stream->found->name);
	bt_snap_progress(&run->watch, &(struct bt_progress){.files = run->totals.files,
							    .bytes = run->totals.directory_size + stream->seen,
							    .path = path});
	free(path);
}

static int chunk_finish(struct bt_job *job, int result)
{
	struct chunk_job *chunk = (struct chunk_job *)job;
	struct bt_snap_run *run = chunk->run;
	struct bt_error error = {0};

	if (result != 0) {
		bt_buffer_put(&run->buffers, chunk->buffer);
	} else {
		result = bt_pack_buffer(run->pack, &chunk->content, chunk->buffer, &error);
		if (result == 0)
			result = bt_chunk_list_add(run->pack, &chunk->stream->list, &chunk->content, &error);
		if (result != 0)
			bt_voice_fail(&run->watch.voice, result, &error);
		else
			tell_chunk(run, chunk->stream, chunk->content.size);
	}
	free(chunk);
	return result;
}

int bt_snap_chunk_submit(struct bt_snap_run *run, struct bt_snap_stream *stream, const unsigned char *data, size_t size)
{
	struct chunk_job *chunk = calloc(1, sizeof(*chunk));
	struct bt_buffer *buffer = chunk ? bt_buffer_get(&run->buffers, size) : NULL;

	if (!buffer) {
		free(chunk);
		return BT_E_NOMEM;
	}
	memcpy(buffer->data, data, size);
	*chunk = (struct chunk_job){.job = {.work = chunk_work, .finish = chunk_finish, .weight = buffer->capacity},
				    .run = run,
				    .stream = stream,
				    .buffer = buffer,
				    .content.size = (uint32_t)size};
	return bt_pool_submit(run->readers, &chunk->job);
}

static void *reader_new(void *arg)
{
	const struct bt_snap_run *run = arg;

	return bt_reader_new(&run->source);
}

static void reader_free(void *worker)
{
	bt_reader_free(worker);
}

int bt_snap_readers_new(struct bt_snap_run *run, struct bt_pool **ret_pool)
{
	const struct bt_pool_options options = {.threads = run->threads < READERS_MAX ? run->threads : READERS_MAX,
						.budget = BUDGET,
						.worker_new = reader_new,
						.worker_free = reader_free,
						.arg = run};

	return bt_pool_new(&options, ret_pool);
}
