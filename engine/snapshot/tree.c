/* SPDX-License-Identifier: MIT */
#include "snapshot/tree.h"

#include "base/bytes.h"
#include "snapshot/commit.h"
#include <stdlib.h>
#include <string.h>

/* A builder for each directory on the path, kept for the next one. */
struct bt_snap_builder {
	struct bt_page_builder builder;
	struct bt_snap_trees *trees;
	struct bt_error *error; /* where emit tells why it failed */
	struct bt_snap_builder *next;
};

/* Pages written lately, by their first bytes: most that come twice in one run are empty directories. What is forgotten
 * is written again and does no harm. */
enum { RECENT = 16384 };

struct bt_snap_trees {
	struct bt_snap_run *run;
	struct bt_hasher *hasher;
	struct bt_digest *recent;
	const struct bt_digest *known; /* a page of the parent that was read and verified */
	struct bt_snap_builder *idle;
	struct bt_buf scratch[2];
};

struct bt_snap_trees *bt_snap_trees_new(struct bt_snap_run *run)
{
	struct bt_snap_trees *trees = calloc(1, sizeof(*trees));

	if (!trees)
		return NULL;
	trees->run = run;
	trees->hasher = bt_hasher_new();
	trees->recent = calloc(RECENT, sizeof(*trees->recent));
	if (trees->hasher && trees->recent)
		return trees;
	bt_snap_trees_free(trees);
	return NULL;
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
	bt_hasher_free(trees->hasher);
	free(trees->recent);
	bt_buf_free(&trees->scratch[0]);
	bt_buf_free(&trees->scratch[1]);
	free(trees);
}

struct bt_buf *bt_snap_trees_scratch(struct bt_snap_trees *trees)
{
	return trees->scratch;
}

static struct bt_digest *recent_slot(struct bt_snap_trees *trees, const struct bt_digest *id)
{
	uint32_t hash;

	memcpy(&hash, id->bytes, sizeof(hash));
	return &trees->recent[hash % RECENT];
}

/* Whether some file of the store has the page, intact: what the new snapshot leans on is looked at. That it was read
 * before is not enough: it may be remembered of a file that is gone. */
static int in_store(struct bt_snap_trees *trees, const struct bt_digest *id, bool *ret_there, struct bt_error *error)
{
	struct bt_error damage = {0};
	const struct bt_page *page;
	bool known = trees->known && bt_digest_equal(trees->known, id), has = false;
	int result = bt_store_has(trees->run->store, id, true, &has, error);

	*ret_there = has;
	if (known && result == 0)
		trees->run->totals.healed |= !has;
	if (known || !has)
		return result;
	result = bt_page_get(trees->run->store, id, &page, &damage);
	if (result == 0)
		bt_page_put(trees->run->store, page);
	else
		trees->run->totals.healed = true;
	*ret_there = result == 0;
	return result == BT_E_NOMEM ? result : 0;
}

int bt_snap_page(struct bt_snap_run *run, const char *line, size_t length, struct bt_digest *ret_id,
		 struct bt_error *error)
{
	struct bt_snap_trees *trees = run->trees;
	bool there;
	int result = bt_hasher_digest(trees->hasher, line, length, ret_id);

	if (result != 0 || !run->commit)
		return result;
	struct bt_digest *slot = recent_slot(trees, ret_id);
	if (bt_digest_equal(slot, ret_id))
		return 0;
	result = in_store(trees, ret_id, &there, error);
	if (result == 0 && !there)
		result = bt_snap_commit_page(run->commit, line, length, ret_id, error);
	if (result == 0)
		*slot = *ret_id;
	return result;
}

static int emit(void *arg, const char *line, size_t length, struct bt_digest *ret_id)
{
	struct bt_snap_builder *builder = arg;

	return bt_snap_page(builder->trees->run, line, length, ret_id, builder->error);
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

int bt_snap_node_add(struct bt_snap_run *run, struct bt_snap_node *node, const struct bt_entry *entry,
		     struct bt_error *error)
{
	if (!node->builder)
		node->builder = builder_get(run->trees);
	if (!node->builder)
		return BT_E_NOMEM;
	node->builder->error = error;
	return bt_page_builder_add(&node->builder->builder, entry);
}

int bt_snap_node_pages(struct bt_snap_run *run, struct bt_snap_node *node, struct bt_digest *ret_tree,
		       struct bt_error *error)
{
	struct bt_snap_trees *trees = run->trees;
	struct bt_snap_builder *builder = node && node->builder ? node->builder : builder_get(trees);

	if (!builder)
		return BT_E_NOMEM;
	builder->error = error;
	trees->known = node && node->has_old && node->old_whole ? &node->old.digest : NULL;
	int result = bt_page_builder_finish(&builder->builder, ret_tree);
	trees->known = NULL;
	builder_put(trees, builder);
	if (node)
		node->builder = NULL;
	return result;
}

void bt_snap_node_free(struct bt_snap_node *node)
{
	if (!node)
		return;
	bt_dir_free(node->old_dir);
	if (node->builder)
		builder_free(node->builder);
	bt_arena_free(&node->arena);
	free(node);
}
