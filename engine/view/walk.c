/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "base/fail.h"
#include "base/vec.h"
#include "view/bounds.h"
#include <backuptool/walk.h>
#include <stdlib.h>

struct level {
	struct bt_dir dir;
	size_t path; /* length of its path */
};

struct bt_walk {
	struct bt_store *store;
	struct bt_buf path; /* of what was given last, without NUL */
	struct bt_digest tree;
	bool enter; /* tree, before anything else */
	struct level *levels;
	size_t count, room;
	struct bt_bounds bounds;
};

int bt_walk_new(struct bt_store *store, const struct bt_snapshot_info *info, const struct bt_entry *from,
		struct bt_walk **ret_walk, struct bt_error *error)
{
	struct bt_walk *walk = calloc(1, sizeof(*walk));
	if (!walk)
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	walk->store = store;
	walk->bounds = bt_bounds(store, info);
	walk->tree = from->digest;
	walk->enter = from->type == BT_DIR && from->has_digest;
	*ret_walk = walk;
	return 0;
}

static void end_levels(struct bt_walk *walk)
{
	while (walk->count)
		bt_dir_end(&walk->levels[--walk->count].dir);
}

void bt_walk_free(struct bt_walk *walk)
{
	if (!walk)
		return;
	end_levels(walk);
	bt_buf_free(&walk->path);
	free(walk->levels);
	free(walk);
}

static int set_path(struct bt_walk *walk, const char *name, size_t length)
{
	if ((walk->path.length && length && bt_buf_append(&walk->path, "/", 1)) ||
	    bt_buf_append(&walk->path, name, length) || bt_buf_append(&walk->path, "", 1))
		return BT_E_NOMEM;
	walk->path.length--;
	return 0;
}

static int enter(struct bt_walk *walk, struct bt_error *error)
{
	struct level level = {.path = walk->path.length};
	walk->enter = false;
	if (bt_vec_room(walk->levels, walk->count, walk->room))
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	int r = bt_dir_start(&level.dir, walk->store, &walk->tree, error);
	if (!r)
		walk->levels[walk->count++] = level;
	return r;
}

static int give(struct bt_walk *walk, const struct bt_entry *entry, struct bt_walk_step *ret_step,
		struct bt_error *error)
{
	if (entry && set_path(walk, entry->name, entry->name_length))
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	if (entry && entry->type == BT_DIR && entry->has_digest) {
		walk->tree = entry->digest;
		walk->enter = true;
	}
	*ret_step = (struct bt_walk_step){entry, (const char *)walk->path.data, walk->count};
	return 0;
}

/* The path is that of the directory at hand. */
static int failed(struct bt_walk *walk, int result, struct bt_walk_step *ret_step, struct bt_error *error)
{
	if (result == BT_E_NOMEM || set_path(walk, "", 0))
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	*ret_step = (struct bt_walk_step){NULL, (const char *)walk->path.data, walk->count};
	return result;
}

static int give_up(struct bt_walk *walk, int result, struct bt_walk_step *ret_step, struct bt_error *error)
{
	end_levels(walk);
	walk->path.length = 0;
	return failed(walk, result, ret_step, error);
}

int bt_walk_next(struct bt_walk *walk, struct bt_walk_step *ret_step, struct bt_error *error)
{
	const struct bt_entry *entry = NULL;
	int r = walk->enter ? enter(walk, error) : 0;
	if (r)
		return failed(walk, r, ret_step, error);
	while (walk->count && !entry) {
		struct level *level = &walk->levels[walk->count - 1];
		walk->path.length = level->path;
		r = bt_dir_next(&level->dir, &entry, error);
		if (!r && entry)
			break;
		if (!r || !bt_dir_skip(&level->dir)) {
			bt_dir_end(&level->dir);
			walk->count--;
		}
		if (r)
			return failed(walk, r, ret_step, error);
	}
	r = entry ? bt_bounds_take(&walk->bounds, walk->path.length + entry->name_length, error) : 0;
	if (r)
		return give_up(walk, r, ret_step, error);
	return give(walk, entry, ret_step, error);
}

void bt_walk_skip(struct bt_walk *walk)
{
	walk->enter = false;
}
