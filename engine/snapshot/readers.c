/* SPDX-License-Identifier: MIT */
#include "snapshot/readers.h"

#include <stdlib.h>
#include <string.h>

enum { READERS_MAX = 16 };
#define BUDGET ((size_t)12 << 20)

static void *worker_new(void *arg)
{
	const struct bt_snap_readers *readers = arg;

	return bt_reader_new(&readers->plan->source);
}

static void worker_free(void *worker)
{
	bt_reader_free(worker);
}

int bt_snap_readers_init(struct bt_snap_readers *readers, struct bt_snap_finish *finish)
{
	unsigned threads = finish->plan->threads;
	const struct bt_pool_options options = {.threads = threads < READERS_MAX ? threads : READERS_MAX,
						.budget = BUDGET,
						.worker_new = worker_new,
						.worker_free = worker_free,
						.arg = readers};

	*readers = (struct bt_snap_readers){.plan = finish->plan, .finish = finish};
	readers->done_end = &readers->done;
	pthread_mutex_init(&readers->lock, NULL);
	return bt_pool_new(&options, &readers->pool);
}

void bt_snap_readers_destroy(struct bt_snap_readers *readers)
{
	struct bt_snap_node *next;

	bt_pool_free(readers->pool);
	for (struct bt_snap_node *node = bt_snap_readers_take_done(readers); node; node = next) {
		next = node->next_done;
		bt_snap_node_free(node);
	}
	pthread_mutex_destroy(&readers->lock);
}

int bt_snap_readers_drain(struct bt_snap_readers *readers)
{
	return readers->pool ? bt_pool_drain(readers->pool) : 0;
}

void bt_snap_readers_done(struct bt_snap_readers *readers, struct bt_snap_node *node)
{
	pthread_mutex_lock(&readers->lock);
	node->next_done = NULL;
	*readers->done_end = node;
	readers->done_end = &node->next_done;
	pthread_mutex_unlock(&readers->lock);
}

struct bt_snap_node *bt_snap_readers_take_done(struct bt_snap_readers *readers)
{
	pthread_mutex_lock(&readers->lock);
	struct bt_snap_node *done = readers->done;
	readers->done = NULL;
	readers->done_end = &readers->done;
	pthread_mutex_unlock(&readers->lock);
	return done;
}

struct piece {
	struct bt_job job;
	struct bt_snap_readers *readers;
	struct bt_snap_stream *stream;
	struct bt_buffer *buffer;
	struct bt_held content;
};

static int piece_work(struct bt_job *job, void *worker)
{
	struct piece *piece = (struct piece *)job;
	struct bt_reader *reader = worker;
	int r = bt_hasher_digest(reader->pieces, piece->buffer->data, piece->content.size, &piece->content.digest);

	return r ? bt_voice_fail(&piece->readers->plan->observer->voice, r, NULL) : 0;
}

/* A large file takes long, so progress is told between its pieces. */
static void tell_piece(struct bt_snap_finish *finish, struct bt_snap_stream *stream, size_t size)
{
	struct bt_snap_observer *observer = finish->plan->observer;

	stream->finished += size;
	if (!bt_pace_due(&finish->pace, observer->voice.observer))
		return;
	char *path = bt_scan_path(stream->node->dir, stream->found->name);
	bt_snap_progress(observer, &(struct bt_progress){.files = finish->totals.files,
							 .bytes = finish->totals.directory_size + stream->finished,
							 .path = path});
	free(path);
}

static int take_piece(struct bt_snap_finish *finish, struct piece *piece)
{
	struct bt_error error = {0};
	int r = bt_pack_buffer(finish->pack, &piece->content, piece->buffer, &error);

	if (!r)
		r = bt_chunk_list_add(finish->pack, &piece->stream->list, &piece->content, &error);
	if (r)
		bt_voice_fail(&finish->plan->observer->voice, r, &error);
	else
		tell_piece(finish, piece->stream, piece->content.size);
	return r;
}

static int piece_finish(struct bt_job *job, int result)
{
	struct piece *piece = (struct piece *)job;
	struct bt_snap_finish *finish = piece->readers->finish;
	int r = result;

	if (r)
		bt_buffer_put(finish->plan->source.buffers, piece->buffer);
	else
		r = take_piece(finish, piece);
	free(piece);
	return r;
}

int bt_snap_piece_submit(struct bt_snap_readers *readers, struct bt_snap_stream *stream, const unsigned char *data,
			 size_t size)
{
	struct piece *piece = calloc(1, sizeof(*piece));
	struct bt_buffer *buffer = piece ? bt_buffer_get(readers->plan->source.buffers, size) : NULL;

	if (!buffer) {
		free(piece);
		return BT_E_NOMEM;
	}
	memcpy(buffer->data, data, size);
	*piece = (struct piece){.job = {.work = piece_work, .finish = piece_finish, .weight = buffer->capacity},
				.readers = readers,
				.stream = stream,
				.buffer = buffer,
				.content.size = (uint32_t)size};
	return bt_pool_submit(readers->pool, &piece->job);
}
