/* SPDX-License-Identifier: MIT */
#include "snapshot/item.h"

#include <stdlib.h>

void bt_snap_link_put(struct bt_snap_link *link)
{
	if (!link || atomic_fetch_sub(&link->refs, 1) != 1)
		return;
	bt_arena_free(&link->arena);
	free(link);
}

void bt_snap_links_free(struct bt_table *links)
{
	size_t at = 0;

	for (struct bt_snap_link *link = bt_table_next(links, &at); link; link = bt_table_next(links, &at))
		bt_snap_link_put(link);
	bt_table_free(links);
}

static struct bt_snap_link *link_new(struct bt_table *links, const struct bt_found *found)
{
	struct bt_snap_link *link = calloc(1, sizeof(*link));

	if (!link)
		return NULL;
	link->key = (struct bt_table_key){found->dev, found->inode};
	link->missing = found->links;
	atomic_init(&link->refs, 1);
	if (bt_table_add(links, link) == 0)
		return link;
	free(link);
	return NULL;
}

struct bt_snap_link *bt_snap_links_get(struct bt_table *links, const struct bt_found *found, bool *ret_first)
{
	struct bt_snap_link *link = bt_table_find(links, (struct bt_table_key){found->dev, found->inode});

	*ret_first = !link;
	if (!link)
		link = link_new(links, found);
	if (!link)
		return NULL;
	if (--link->missing == 0)
		bt_table_remove(links, link); /* the table's reference becomes the caller's */
	else
		atomic_fetch_add(&link->refs, 1);
	return link;
}

bool bt_snap_links_have_new(const struct bt_table *links)
{
	size_t at = 0;

	for (const struct bt_snap_link *link = bt_table_next(links, &at); link; link = bt_table_next(links, &at))
		if (link->has_new_name)
			return true;
	return false;
}

void bt_snap_stream_free(struct bt_snap_stream *stream)
{
	if (!stream)
		return;
	bt_chunk_list_free(&stream->list);
	bt_arena_free(&stream->arena);
	free(stream);
}

struct bt_snap_node *bt_snap_containing(const struct bt_snap_item *item)
{
	return item->kind == BT_SNAP_DIRECTORY ? item->node->parent : item->node;
}
