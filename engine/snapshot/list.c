/* SPDX-License-Identifier: MIT */
#include "snapshot/list.h"

#include "base/vec.h"
#include "model/page.h"
#include "snapshot/entry.h"
#include "snapshot/tree.h"
#include <stdlib.h>
#include <string.h>

static int append(struct bt_chunk **list, size_t *count, size_t *room, const struct bt_chunk *chunk)
{
	if (bt_vec_room(*list, *count, *room))
		return BT_E_NOMEM;
	(*list)[(*count)++] = *chunk;
	return 0;
}

/* Writes the first chunks as a page. */
static int make_page(struct bt_snap_run *run, struct bt_snap_list *list, struct bt_error *error)
{
	size_t part = bt_chunk_page_cut(list->chunks, list->count);
	struct bt_chunk page = {0};
	struct bt_buf line = {0};
	int result = bt_chunk_page_write(&line, list->chunks, part);

	for (size_t i = 0; i < part; i++)
		page.size += list->chunks[i].size;
	if (result == 0)
		result = bt_snap_page(run, (const char *)line.data, line.length, &page.digest, error);
	bt_buf_free(&line);
	if (result == 0)
		result = append(&list->pages, &list->page_count, &list->page_room, &page);
	if (result != 0)
		return result;
	list->count -= part;
	memmove(list->chunks, list->chunks + part, list->count * sizeof(*list->chunks));
	return 0;
}

int bt_snap_list_add(struct bt_snap_run *run, struct bt_snap_list *list, const struct bt_digest *digest, uint64_t size,
		     struct bt_error *error)
{
	const struct bt_chunk chunk = {*digest, size};
	int result = append(&list->chunks, &list->count, &list->room, &chunk);

	/* The cut needs to see that more follows, as it will when all are there. */
	while (result == 0 && list->count > BT_CHUNK_PAGE_MAX)
		result = make_page(run, list, error);
	return result;
}

void bt_snap_list_restart(struct bt_snap_list *list)
{
	list->count = 0;
	list->page_count = 0;
}

static int give(struct bt_arena *arena, const struct bt_chunk *list, size_t count, const struct bt_chunk **ret_list,
		uint32_t *ret_count)
{
	*ret_list = bt_arena_copy(arena, list, count * sizeof(*list));
	*ret_count = (uint32_t)count;
	return *ret_list ? 0 : BT_E_NOMEM;
}

int bt_snap_list_finish(struct bt_snap_run *run, struct bt_snap_list *list, struct bt_arena *arena,
			struct bt_entry *entry, struct bt_error *error)
{
	bool sparse = entry->extra && entry->extra->hole_count > 0;

	if (!sparse && list->page_count == 0 && list->count <= 1) {
		if (list->count == 1)
			entry->digest = list->chunks[0].digest;
		entry->has_digest = true;
		return 0;
	}
	struct bt_extra *extra = bt_found_extra(arena, entry);
	if (!extra)
		return BT_E_NOMEM;
	if (list->page_count == 0 && list->count <= BT_INLINE_CHUNKS) {
		extra->has_chunks = true;
		return give(arena, list->chunks, list->count, &extra->chunks, &extra->chunk_count);
	}
	while (list->count > 0) {
		int result = make_page(run, list, error);

		if (result != 0)
			return result;
	}
	return give(arena, list->pages, list->page_count, &extra->chunk_pages, &extra->chunk_page_count);
}

void bt_snap_list_free(struct bt_snap_list *list)
{
	free(list->chunks);
	free(list->pages);
	*list = (struct bt_snap_list){0};
}
