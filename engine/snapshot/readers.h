/* SPDX-License-Identifier: MIT */
/* The readers' stage: a pool to which the walk gives batches of items, and between them pieces of streams. */
#ifndef BT_SNAPSHOT_READERS_H
#define BT_SNAPSHOT_READERS_H

#include "base/pool.h"
#include "snapshot/finish.h"

#define BT_SNAP_SMALL BT_PACK_SMALL /* files up to here are read whole, several in a batch */

struct bt_snap_readers {
	const struct bt_snap_plan *plan;
	struct bt_snap_finish *finish; /* only for finishing jobs */
	struct bt_pool *pool;
	pthread_mutex_t lock;
	struct bt_snap_node *done, **done_end; /* finished directories, children before their parents */
};

int bt_snap_readers_init(struct bt_snap_readers *readers, struct bt_snap_finish *finish);
void bt_snap_readers_destroy(struct bt_snap_readers *readers); /* after a drain, and with no batch left */
int bt_snap_readers_drain(struct bt_snap_readers *readers);    /* waits until all jobs are finished */
/* Notes a directory whose item is finished, so that the walk may free it. */
void bt_snap_readers_done(struct bt_snap_readers *readers, struct bt_snap_node *node);
/* Takes the finished directories, linked by next_done, which the caller owns from now on. */
struct bt_snap_node *bt_snap_readers_take_done(struct bt_snap_readers *readers);

/* Submits a piece of a stream; the data is copied. */
int bt_snap_piece_submit(struct bt_snap_readers *readers, struct bt_snap_stream *stream, const unsigned char *data,
			 size_t size);

struct bt_snap_batch;
struct bt_snap_batch *bt_snap_batch_new(struct bt_snap_readers *readers); /* NULL: out of memory */
void bt_snap_batch_free(struct bt_snap_batch *batch);			  /* one that was not submitted; NULL is fine */
struct bt_arena *bt_snap_batch_arena(struct bt_snap_batch *batch);
/* Adds a zeroed item at the end; NULL: out of memory. The batch owns everything that the item refers to. */
struct bt_snap_item *bt_snap_batch_add(struct bt_snap_batch *batch);
/* Plans room for a small file. */
void bt_snap_batch_plan(struct bt_snap_batch *batch, struct bt_snap_item *item, size_t size);
bool bt_snap_batch_is_full(const struct bt_snap_batch *batch);
int bt_snap_batch_submit(struct bt_snap_batch *batch); /* takes it over, also on failure */

#endif
