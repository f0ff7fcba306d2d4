/* SPDX-License-Identifier: MIT */
/* Which block comes after another: from the list of contents of its store file, read when it is first needed. */
#include "base/bytes.h"
#include "base/vec.h"
#include "store/store.h"
#include <internal/view.h>
#include <pthread.h>
#include <stdlib.h>

struct start {
	uint64_t at;		 /* of a block in its file */
	struct bt_digest digest; /* of its first content */
};

struct list {
	struct start *starts; /* in order */
	size_t count, room;
	bool read;
};

struct bt_readahead {
	struct bt_store *store;
	pthread_mutex_t lock;
	struct list *lists; /* by ordinal of the file */
	size_t count;
};

int bt_readahead_new(struct bt_store *store, struct bt_readahead **ret_readahead)
{
	struct bt_readahead *readahead = calloc(1, sizeof(*readahead));

	if (!readahead)
		return BT_E_NOMEM;
	readahead->store = store;
	pthread_mutex_init(&readahead->lock, NULL);
	*ret_readahead = readahead;
	return 0;
}

void bt_readahead_free(struct bt_readahead *readahead)
{
	if (!readahead)
		return;
	for (size_t i = 0; i < readahead->count; i++)
		free(readahead->lists[i].starts);
	free(readahead->lists);
	pthread_mutex_destroy(&readahead->lock);
	free(readahead);
}

/* A file in one content; the others are followed by their own list of chunks. */
static bool find_first(struct bt_store *store, const struct bt_entry *file, struct bt_location *ret_location)
{
	if (file->type != BT_FILE || !file->has_digest || file->size == 0)
		return false;
	if (file->extra && (file->extra->has_chunks || file->extra->chunk_page_count))
		return false;
	return bt_store_find(store, &file->digest, false, ret_location, NULL) == 0;
}

static int take_start(void *arg, const struct bt_block *block, const struct bt_digest *digest, uint32_t offset,
		      uint32_t size)
{
	struct list *list = arg;

	if (offset != 0)
		return 0;
	if (bt_vec_room(list->starts, list->count, list->room))
		return BT_E_NOMEM;
	list->starts[list->count++] = (struct start){block->at, *digest};
	return 0;
}

static struct list *list_of(struct bt_readahead *readahead, uint32_t ordinal)
{
	struct bt_file *file;

	if (ordinal >= readahead->count) {
		size_t count = bt_store_file_count(readahead->store);
		struct list *lists = ordinal < count ? realloc(readahead->lists, count * sizeof(*lists)) : NULL;

		if (!lists)
			return NULL;
		for (size_t i = readahead->count; i < count; i++)
			lists[i] = (struct list){.read = false};
		readahead->lists = lists;
		readahead->count = count;
	}
	struct list *list = &readahead->lists[ordinal];
	struct bt_index_visitor visitor = {.arg = list, .content = take_start};
	if (!list->read && bt_store_file(readahead->store, ordinal, &file, NULL) == 0)
		bt_file_visit(file, &visitor, NULL); /* the blocks before the damage can be used */
	list->read = true;
	return list;
}

/* The first block that begins after this one. */
static const struct start *find_after(const struct list *list, uint64_t at)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list->starts[middle].at <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low < list->count ? &list->starts[low] : NULL;
}

void bt_readahead_next(struct bt_readahead *readahead, const struct bt_entry *file)
{
	struct bt_location location;
	struct bt_digest digest;

	if (!find_first(readahead->store, file, &location))
		return;
	pthread_mutex_lock(&readahead->lock);
	const struct list *list = list_of(readahead, location.file);
	const struct start *start = list ? find_after(list, location.block.at) : NULL;
	if (start)
		digest = start->digest;
	pthread_mutex_unlock(&readahead->lock);
	if (start)
		bt_store_prefetch(readahead->store, &digest);
}
