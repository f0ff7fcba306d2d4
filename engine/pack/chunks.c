/* SPDX-License-Identifier: MIT */
#include "pack/chunks.h"

#include "base/vec.h"
#include "model/page.h"
#include "source/describe.h"
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
static int make_page(struct bt_pack *pack, struct bt_chunk_list *list, struct bt_error *error)
{
	size_t part = bt_chunk_page_cut(list->chunks, list->count);
	struct bt_chunk page = {0};
	struct bt_buf line = {0};
	int r = bt_chunk_page_write(&line, list->chunks, part);

	for (size_t i = 0; i < part; i++)
		page.size += list->chunks[i].size;
	if (!r)
		r = bt_pack_page(pack, NULL, (const char *)line.data, line.length, &page.digest, error);
	bt_buf_free(&line);
	if (!r)
		r = append(&list->pages, &list->page_count, &list->page_room, &page);
	if (r)
		return r;
	list->count -= part;
	memmove(list->chunks, list->chunks + part, list->count * sizeof(*list->chunks));
	return 0;
}

int bt_chunk_list_add(struct bt_pack *pack, struct bt_chunk_list *list, const struct bt_held *chunk,
		      struct bt_error *error)
{
	int r = append(&list->chunks, &list->count, &list->room, &(struct bt_chunk){chunk->digest, chunk->size});

	/* The cut depends on whether more chunks follow, so it waits until they are there. */
	while (!r && list->count > BT_CHUNK_PAGE_MAX)
		r = make_page(pack, list, error);
	return r;
}

void bt_chunk_list_restart(struct bt_chunk_list *list)
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

int bt_chunk_list_finish(struct bt_pack *pack, struct bt_chunk_list *list, struct bt_arena *arena,
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
		int r = make_page(pack, list, error);

		if (r)
			return r;
	}
	return give(arena, list->pages, list->page_count, &extra->chunk_pages, &extra->chunk_page_count);
}

void bt_chunk_list_free(struct bt_chunk_list *list)
{
	free(list->chunks);
	free(list->pages);
	*list = (struct bt_chunk_list){0};
}
