/* SPDX-License-Identifier: MIT */
#include "snapshot/finish.h"

#include <stdlib.h>

/* A builder of pages for a directory on the path, kept for the next one. */
struct bt_snap_builder {
	struct bt_page_builder builder;
	struct bt_snap_trees *trees;
	struct bt_error *error; /* filled by emit when it fails */
	struct bt_snap_builder *next;
};

struct bt_snap_trees {
	struct bt_pack *pack;
	const struct bt_digest *known; /* the parent's page of the directory, if it was read and verified */
	struct bt_snap_builder *idle;
	struct bt_buf scratch[2];
};

struct bt_snap_trees *bt_snap_trees_new(struct bt_pack *pack)
{
	struct bt_snap_trees *trees = calloc(1, sizeof(*trees));

	if (trees)
		trees->pack = pack;
	return trees;
}

static void builder_free(struct bt_snap_builder *builder)
{
	bt_page_builder_free(&builder->builder);
	free(builder);
}

void bt_snap_trees_free(struct bt_snap_trees *trees)
{
	if (!trees)
		return;
	for (struct bt_snap_builder *builder = trees->idle, *next; builder; builder = next) {
		next = builder->next;
		builder_free(builder);
	}
	bt_buf_free(&trees->scratch[0]);
	bt_buf_free(&trees->scratch[1]);
	free(trees);
}

struct bt_buf *bt_snap_trees_scratch(struct bt_snap_trees *trees)
{
	return trees->scratch;
}

static int emit(void *arg, const char *line, size_t length, struct bt_digest *ret_id)
{
	struct bt_snap_builder *builder = arg;

	return bt_pack_page(builder->trees->pack, builder->trees->known, line, length, ret_id, builder->error);
}

static struct bt_snap_builder *builder_get(struct bt_snap_trees *trees)
{
	struct bt_snap_builder *builder = trees->idle;

	if (builder) {
		trees->idle = builder->next;
		return builder;
	}
	builder = calloc(1, sizeof(*builder));
	if (builder) {
		builder->trees = trees;
		builder->builder.arg = builder;
		builder->builder.emit = emit;
	}
	return builder;
}

static void builder_put(struct bt_snap_trees *trees, struct bt_snap_builder *builder)
{
	builder->next = trees->idle;
	trees->idle = builder;
}

int bt_snap_node_add(struct bt_snap_finish *finish, struct bt_snap_node *node, const struct bt_entry *entry,
		     struct bt_error *error)
{
	if (!node->builder)
		node->builder = builder_get(finish->trees);
	if (!node->builder)
		return BT_E_NOMEM;
	node->builder->error = error;
	return bt_page_builder_add(&node->builder->builder, entry);
}

int bt_snap_node_so_far(struct bt_snap_finish *finish, struct bt_snap_node *node, const struct bt_entry *last,
			struct bt_digest *ret_tree, struct bt_error *error)
{
	struct bt_snap_builder *copy = builder_get(finish->trees);
	int r = 0;

	if (!copy)
		return BT_E_NOMEM;
	copy->error = error;
	if (node->builder)
		r = bt_page_builder_copy(&copy->builder, &node->builder->builder);
	if (!r && last)
		r = bt_page_builder_add(&copy->builder, last);
	if (!r)
		r = bt_page_builder_finish(&copy->builder, ret_tree);
	if (r)
		builder_free(copy);
	else
		builder_put(finish->trees, copy);
	return r;
}

int bt_snap_node_pages(struct bt_snap_finish *finish, struct bt_snap_node *node, struct bt_digest *ret_tree,
		       struct bt_error *error)
{
	struct bt_snap_trees *trees = finish->trees;
	struct bt_snap_builder *builder = node && node->builder ? node->builder : builder_get(trees);

	if (!builder)
		return BT_E_NOMEM;
	builder->error = error;
	trees->known = node && node->has_previous && node->previous_is_whole ? &node->previous.digest : NULL;
	int r = bt_page_builder_finish(&builder->builder, ret_tree);
	trees->known = NULL;
	builder_put(trees, builder);
	if (node)
		node->builder = NULL;
	return r;
}

void bt_snap_node_free(struct bt_snap_node *node)
{
	if (!node)
		return;
	bt_dir_free(node->previous_dir);
	if (node->builder)
		builder_free(node->builder);
	bt_arena_free(&node->arena);
	free(node);
}
