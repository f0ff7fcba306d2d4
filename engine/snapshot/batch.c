/* SPDX-License-Identifier: MIT */
#include "snapshot/entry.h"
#include "snapshot/readers.h"

#include <stdlib.h>

enum { ITEMS_MAX = 512, READS_MAX = 64 };

struct bt_snap_batch {
	struct bt_job job;
	struct bt_snap_readers *readers;
	struct bt_arena arena;
	struct bt_snap_item *first, **end;
	size_t items, reads, planned;
	struct bt_buffer *data;
};

struct bt_snap_batch *bt_snap_batch_new(struct bt_snap_readers *readers)
{
	struct bt_snap_batch *batch = calloc(1, sizeof(*batch));

	if (batch) {
		batch->readers = readers;
		batch->end = &batch->first;
	}
	return batch;
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
			bt_snap_readers_done(batch->readers, item->node);
	}
	bt_buffer_put(batch->readers->plan->source.buffers, batch->data);
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
	/* One more byte, to see whether the file has grown. */
	item->room.size = size + 1;
	batch->planned += size + 1;
	batch->reads++;
}

bool bt_snap_batch_is_full(const struct bt_snap_batch *batch)
{
	return batch->items >= ITEMS_MAX || batch->reads >= READS_MAX || batch->planned >= BT_PACK_BLOCK;
}

/* Reading. */

static int read_item(struct bt_snap_batch *batch, struct bt_reader *reader, struct bt_snap_item *item, int fd)
{
	const struct bt_source_out out = {&batch->arena, &item->entry, &item->outcome};
	int r = 0;

	if (item->kind == BT_SNAP_DIRECTORY) {
		r = bt_source_xattrs(reader, fd, false, &out);
		return r ? r : bt_source_inode(reader, fd, &out);
	}
	if (item->kind == BT_SNAP_BARE)
		return bt_source_bare(reader, fd, item->found, &out);
	r = bt_source_small(reader, fd, item->found, &item->room, &out);
	if (!r && item->outcome.state == BT_SOURCE_READ)
		item->size = item->entry.size;
	return r;
}

static void no_directory(struct bt_snap_item *item, int sys)
{
	if (item->kind == BT_SNAP_DIRECTORY) { /* the listing has everything but its xattrs */
		item->outcome.xattr_sys = sys;
		return;
	}
	item->outcome = (struct bt_outcome){.seen = *item->found};
	bt_source_failed(&item->outcome, sys);
}

/* Finds out what became of items that were not found. Those from first up to end lie in one directory. */
static void find_out(struct bt_snap_batch *batch, struct bt_snap_item *first, const struct bt_snap_item *end)
{
	uint64_t since = bt_scan_now();

	for (struct bt_snap_item *item = first; item != end; item = item->next) {
		struct bt_outcome *outcome = &item->outcome;

		if (item->kind != BT_SNAP_DIRECTORY)
			bt_source_find_out(&batch->readers->plan->source, item->node->dir, outcome, since);
		else if (bt_scan_not_found(outcome->xattr_sys) && item->node->parent &&
			 !bt_scan_listed(batch->readers->plan->source.scan, item->node->parent->dir, item->found,
					 since))
			outcome->xattr_sys = 0;
	}
}

/* Reads the items from first on that lie in the same directory; *ret_next: the first one that does not. */
static int read_neighbours(struct bt_snap_batch *batch, struct bt_reader *reader, struct bt_snap_item *first,
			   struct bt_snap_item **ret_next)
{
	struct bt_scan_dir *dir = first->node->dir;
	int fd = bt_scan_fd_get(batch->readers->plan->source.scan, dir), r = 0;
	struct bt_snap_item *item = first;

	for (; item && !r && item->node->dir == dir; item = item->next) {
		r = bt_voice_failed(&batch->readers->plan->observer->voice);
		if (r || !item->reads)
			continue;
		if (fd < 0)
			no_directory(item, -fd);
		else
			r = read_item(batch, reader, item, fd);
	}
	if (fd >= 0)
		bt_scan_fd_put(batch->readers->plan->source.scan, dir);
	if (!r)
		find_out(batch, first, item);
	*ret_next = item;
	return r;
}

static int give_room(struct bt_snap_batch *batch)
{
	unsigned char *at;

	if (batch->planned == 0)
		return 0;
	batch->data = bt_buffer_get(batch->readers->plan->source.buffers, batch->planned);
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
	int r = give_room(batch);

	for (struct bt_snap_item *item = batch->first; item && !r;) {
		if (item->reads)
			r = read_neighbours(batch, worker, item, &item);
		else
			item = item->next;
	}
	return r ? bt_voice_fail(&batch->readers->plan->observer->voice, r, NULL) : 0;
}

/* Finishing. */

static int finish_file(struct bt_snap_finish *finish, struct bt_snap_item *item, struct bt_arena *arena,
		       struct bt_error *error)
{
	if (item->outcome.state == BT_SOURCE_OTHER)
		return bt_snap_reread(finish, item, arena, error);
	if (item->outcome.state != BT_SOURCE_READ)
		return 0;
	const struct bt_held content = {item->entry.digest, (uint32_t)item->size};
	return bt_pack_content(finish->pack, &content, item->room.data, BT_PACK_TOGETHER, error);
}

static int finish_meta(struct bt_snap_finish *finish, struct bt_snap_item *item, struct bt_arena *arena,
		       struct bt_error *error)
{
	int r = 0;

	if (item->outcome.state == BT_SOURCE_OTHER)
		r = bt_snap_reread(finish, item, arena, error);
	if (!r && item->outcome.state == BT_SOURCE_READ && item->entry.type == BT_DIR)
		r = bt_snap_node_pages(finish, NULL, &item->entry.digest, error);
	return r;
}

static int finish_link(struct bt_snap_finish *finish, struct bt_snap_item *item, struct bt_arena *arena,
		       struct bt_error *error)
{
	if (!item->link->ready)
		return bt_snap_reread(finish, item, arena, error);
	item->entry = item->link->entry;
	item->entry.name = item->found->name;
	item->entry.name_length = item->found->name_length;
	item->outcome.torn = item->entry.extra && item->entry.extra->torn;
	item->outcome.seen = *item->found;
	return 0;
}

static bool is_later(const struct bt_time *a, const struct bt_time *b)
{
	return a->seconds > b->seconds || (a->seconds == b->seconds && a->nanoseconds > b->nanoseconds);
}

/* The time of what a program gave is that since which it gives the same. */
static int keep_time(struct bt_snap_finish *finish, struct bt_snap_item *item)
{
	struct bt_buf *scratch = bt_snap_trees_scratch(finish->trees);
	struct bt_entry as_before = item->entry;
	bool same = false;
	int r = 0;

	as_before.mtime = item->previous.mtime;
	if (item->has_previous)
		r = bt_snap_entry_same(&scratch[0], &scratch[1], &as_before, &item->previous, &same);
	if (same)
		item->entry.mtime = as_before.mtime;
	if (is_later(&item->entry.mtime, &finish->newest))
		finish->newest = item->entry.mtime;
	return r;
}

static int finish_stream(struct bt_snap_finish *finish, struct bt_snap_item *item, struct bt_arena *arena,
			 struct bt_error *error)
{
	struct bt_snap_stream *stream = item->stream;

	item->entry = stream->entry;
	item->outcome = stream->outcome;
	if (item->outcome.state == BT_SOURCE_OTHER)
		return bt_snap_reread(finish, item, arena, error);
	if (item->outcome.state != BT_SOURCE_READ)
		return 0;
	int r = bt_chunk_list_finish(finish->pack, &stream->list, arena, &item->entry, error);
	return r || !finish->plan->made ? r : keep_time(finish, item);
}

static int finish_directory(struct bt_snap_finish *finish, struct bt_snap_item *item, struct bt_arena *arena,
			    struct bt_error *error)
{
	if (item->outcome.state == BT_SOURCE_OTHER)
		return bt_snap_reread(finish, item, arena, error);
	if (item->outcome.state != BT_SOURCE_READ)
		return 0;
	if (finish->plan->made)
		item->entry.mtime = finish->newest;
	return bt_snap_node_pages(finish, item->node, &item->entry.digest, error);
}

static int finish_item(struct bt_snap_finish *finish, struct bt_snap_item *item, struct bt_arena *arena,
		       struct bt_error *error)
{
	int r = 0;

	switch (item->kind) {
	case BT_SNAP_RESTART:
		bt_chunk_list_restart(&item->stream->list);
		item->stream->finished = 0;
		return 0;
	case BT_SNAP_FILE:
		r = finish_file(finish, item, arena, error);
		break;
	case BT_SNAP_BARE:
		r = finish_meta(finish, item, arena, error);
		break;
	case BT_SNAP_LINK:
		r = finish_link(finish, item, arena, error);
		break;
	case BT_SNAP_END:
		r = finish_stream(finish, item, arena, error);
		break;
	case BT_SNAP_DIRECTORY:
		r = finish_directory(finish, item, arena, error);
		break;
	case BT_SNAP_KEEP:
	case BT_SNAP_BAD:
		break;
	}
	return r ? r : bt_snap_record(finish, item, arena, error);
}

static int batch_finish(struct bt_job *job, int r)
{
	struct bt_snap_batch *batch = (struct bt_snap_batch *)job;
	struct bt_error error = {0};

	if (!r) {
		for (struct bt_snap_item *item = batch->first; item && !r; item = item->next)
			r = finish_item(batch->readers->finish, item, &batch->arena, &error);
		if (r)
			bt_voice_fail(&batch->readers->plan->observer->voice, r, &error);
	}
	bt_snap_batch_free(batch);
	return r;
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
	return bt_pool_submit(batch->readers->pool, &batch->job);
}
