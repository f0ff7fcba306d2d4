/* SPDX-License-Identifier: MIT */
#include "view/walk.h"
#include "base/buf.h"
#include "base/fail.h"
#include "base/vec.h"
#include <internal/view.h>
#include <stdlib.h>
#include <string.h>

struct level {
	struct bt_dir *dir;
	size_t path; /* length of its path */
};

struct bt_walk {
	struct bt_store *store;
	struct bt_walk_options options;
	struct bt_bounds bounds; /* unless the caller has them */
	struct bt_buf path;	 /* of what was given last, without NUL */
	struct bt_digest tree;
	bool enter; /* tree, before anything else */
	bool ended; /* the innermost directory: that was told, and it is left before anything else */
	struct level *levels;
	size_t count, room;
	struct bt_page_reader reader; /* of the first pages of directories */
	struct bt_buf data;	      /* of each level and one below, level_size */
};

/* Makes the caller's bytes for a directory that may be entered. */
static int prepare(struct bt_walk *walk, const struct bt_entry *directory)
{
	size_t size = walk->options.level_size;

	walk->enter = directory->type == BT_DIR && directory->has_digest;
	if (walk->enter)
		walk->tree = directory->digest;
	if (directory->type != BT_DIR || !size)
		return 0;
	walk->data.length = walk->count * size;
	if (bt_buf_reserve(&walk->data, size))
		return BT_E_NOMEM;
	memset(walk->data.data + walk->data.length, 0, size);
	return 0;
}

int bt_walk_begin(struct bt_store *store, const struct bt_walk_options *options, const struct bt_entry *from,
		  struct bt_walk **ret_walk, struct bt_error *error)
{
	struct bt_walk *walk = calloc(1, sizeof(*walk));

	if (!walk)
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	walk->store = store;
	walk->options = *options;
	if (options->info) {
		walk->bounds = bt_bounds_of(store, options->info);
		walk->options.bounds = &walk->bounds;
	}
	if (prepare(walk, from)) {
		bt_walk_free(walk);
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	}
	*ret_walk = walk;
	return 0;
}

int bt_walk_new(struct bt_store *store, const struct bt_snapshot_info *info, const struct bt_entry *from,
		struct bt_walk **ret_walk, struct bt_error *error)
{
	return bt_walk_begin(store, &(struct bt_walk_options){.info = info}, from, ret_walk, error);
}

static void leave(struct bt_walk *walk)
{
	bt_dir_free(walk->levels[--walk->count].dir);
	walk->ended = false;
}

void bt_walk_free(struct bt_walk *walk)
{
	if (!walk)
		return;
	while (walk->count)
		leave(walk);
	bt_buf_free(&walk->path);
	bt_buf_free(&walk->data);
	bt_page_reader_free(&walk->reader);
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
	int r = bt_dir_open(walk->store, &walk->tree, &walk->reader, walk->options.skim, &level.dir, error);
	if (r || !level.dir)
		return r;
	bt_dir_set_filter(level.dir, walk->options.filter);
	bt_dir_read_once(level.dir);
	walk->levels[walk->count++] = level;
	return 0;
}

static struct bt_walk_step step_of(const struct bt_walk *walk, const struct bt_entry *entry)
{
	return (struct bt_walk_step){entry, (const char *)walk->path.data, walk->path.length, walk->count};
}

static int give_step(struct bt_walk *walk, const struct bt_entry *entry, struct bt_walk_step *ret_step,
		     struct bt_error *error)
{
	bool named = entry && !walk->options.pathless;

	if (set_path(walk, named ? entry->name : "", named ? entry->name_length : 0) || (entry && prepare(walk, entry)))
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	*ret_step = step_of(walk, entry);
	return 0;
}

/* The path is that of the current directory. */
static int failed(struct bt_walk *walk, int result, struct bt_walk_step *ret_step, struct bt_error *error)
{
	if (result == BT_E_NOMEM || set_path(walk, "", 0))
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	*ret_step = step_of(walk, NULL);
	return result;
}

static int give_up(struct bt_walk *walk, int result, struct bt_walk_step *ret_step, struct bt_error *error)
{
	while (walk->count)
		leave(walk);
	walk->path.length = 0;
	return failed(walk, result, ret_step, error);
}

/* The next entry, or none at an end that is to be told. */
static int find_next(struct bt_walk *walk, const struct bt_entry **ret_entry, struct bt_error *error)
{
	*ret_entry = NULL;
	if (walk->ended)
		leave(walk);
	while (walk->count) {
		struct level *level = &walk->levels[walk->count - 1];

		walk->path.length = level->path;
		int r = bt_dir_next(level->dir, ret_entry, error);
		if (r)
			bt_dir_skip(level->dir);
		if (r || *ret_entry)
			return r;
		walk->ended = walk->options.ends;
		if (walk->ended)
			return 0;
		leave(walk);
	}
	return 0;
}

static int take(struct bt_walk *walk, const struct bt_entry *entry, struct bt_error *error)
{
	size_t length = walk->options.pathless ? 0 : walk->path.length + entry->name_length;

	return walk->options.bounds ? bt_bounds_take(walk->options.bounds, length, error) : 0;
}

int bt_walk_next(struct bt_walk *walk, struct bt_walk_step *ret_step, struct bt_error *error)
{
	const struct bt_entry *entry = NULL;
	int r = walk->enter ? enter(walk, error) : 0;

	if (!r)
		r = find_next(walk, &entry, error);
	if (r)
		return failed(walk, r, ret_step, error);
	r = entry ? take(walk, entry, error) : 0;
	return r ? give_up(walk, r, ret_step, error) : give_step(walk, entry, ret_step, error);
}

void bt_walk_skip(struct bt_walk *walk)
{
	walk->enter = false;
}

void *bt_walk_level(const struct bt_walk *walk)
{
	return walk->count ? walk->data.data + (walk->count - 1) * walk->options.level_size : NULL;
}

void *bt_walk_above(const struct bt_walk *walk)
{
	return walk->count > 1 ? walk->data.data + (walk->count - 2) * walk->options.level_size : NULL;
}

void *bt_walk_below(const struct bt_walk *walk)
{
	return walk->data.data + walk->count * walk->options.level_size;
}

const struct bt_page *bt_walk_page(const struct bt_walk *walk)
{
	return bt_dir_here(walk->levels[walk->count - 1].dir).page;
}
