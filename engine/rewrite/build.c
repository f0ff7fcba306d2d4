/* SPDX-License-Identifier: MIT */
#include "base/fail.h"
#include "base/vec.h"
#include "rewrite/run.h"

/* A directory on the path that is rewritten. */
struct frame {
	struct build *build;
	struct bt_page_builder builder;
	const struct bt_page *page; /* keeps the entry; NULL: of the root */
	struct bt_entry entry;
	struct bt_digest key;
};

struct build {
	struct bt_rewrite_run *run;
	struct bt_pack *pack;
	struct bt_walk *walk;
	struct frame **frames; /* from the root down; those beyond the path are kept for later */
	size_t count, room;
	struct bt_digest *tree; /* of the root */
	struct bt_error *error;
};

static int emit(void *arg, const char *line, size_t length, struct bt_digest *ret_id)
{
	const struct frame *frame = arg;

	return bt_pack_page(frame->build->pack, NULL, line, length, ret_id, frame->build->error);
}

/* The frame of a directory at this depth. */
static struct frame *frame_at(struct build *build, size_t depth)
{
	struct frame *frame;

	if (depth < build->count)
		return build->frames[depth];
	if (bt_vec_room(build->frames, build->count, build->room))
		return NULL;
	frame = calloc(1, sizeof(*frame));
	if (!frame)
		return NULL;
	frame->build = build;
	frame->builder.arg = frame;
	frame->builder.emit = emit;
	build->frames[build->count++] = frame;
	return frame;
}

static void free_frames(struct build *build)
{
	for (size_t i = 0; i < build->count; i++) {
		bt_page_put(build->run->store, build->frames[i]->page);
		bt_page_builder_free(&build->frames[i]->builder);
		free(build->frames[i]);
	}
	free(build->frames);
}

static int add(struct build *build, size_t depth, const struct bt_entry *entry)
{
	int r = bt_page_builder_add(&build->frames[depth - 1]->builder, entry);

	return r ? bt_fail(build->error, (enum bt_code)r, NULL, "rewrite a directory") : 0;
}

/* Its pages come first; its entry is added when they are written. */
static int hold(struct build *build, const struct bt_walk_step *step, const struct bt_rewrite_level *level)
{
	struct frame *frame = frame_at(build, step->depth);

	if (!frame)
		return bt_fail(build->error, BT_E_NOMEM, NULL, NULL);
	frame->page = bt_walk_page(build->walk);
	bt_page_ref(build->run->store, frame->page);
	frame->entry = *step->entry;
	frame->key = level->key;
	*(struct bt_rewrite_level *)bt_walk_below(build->walk) = *level;
	return 0;
}

static int take_directory(struct build *build, const struct bt_walk_step *step)
{
	struct bt_entry entry = *step->entry;
	struct bt_rewrite_level level;
	const struct bt_rewrite_place *place;

	if (bt_rewrite_enter(build->run, bt_walk_level(build->walk), step->entry, &level))
		return bt_fail(build->error, BT_E_NOMEM, NULL, NULL);
	place = bt_rewrite_place(build->run, &level.key);
	if (place && !place->built)
		return hold(build, step, &level);
	if (place)
		entry.digest = place->tree;
	bt_walk_skip(build->walk);
	return add(build, step->depth, &entry);
}

static int take(struct build *build, const struct bt_walk_step *step)
{
	const struct bt_entry *entry = step->entry;

	if (bt_rewrite_matches(build->run, step, bt_walk_level(build->walk))) {
		bt_walk_skip(build->walk);
		return 0;
	}
	if (entry->type == BT_DIR && entry->has_digest)
		return take_directory(build, step);
	return add(build, step->depth, entry);
}

static int end_directory(struct build *build, const struct bt_walk_step *step)
{
	struct frame *frame = build->frames[step->depth - 1];
	struct bt_rewrite_place *place = bt_rewrite_place(build->run, &frame->key);
	int r = bt_page_builder_finish(&frame->builder, &place->tree);

	if (r)
		return bt_fail(build->error, (enum bt_code)r, NULL, "rewrite a directory");
	place->built = true;
	if (step->depth == 1)
		return 0;
	frame->entry.digest = place->tree;
	r = add(build, step->depth - 1, &frame->entry);
	bt_page_put(build->run->store, frame->page);
	frame->page = NULL;
	return r;
}

static int go_on(struct build *build, bool *ret_more)
{
	struct bt_walk_step step;
	int r = bt_walk_next(build->walk, &step, build->error);

	*ret_more = bt_walk_level(build->walk);
	if (bt_cancelled(build->run->observer))
		return bt_fail(build->error, BT_E_CANCELLED, NULL, NULL);
	if (r || !*ret_more)
		return r;
	return step.entry ? take(build, &step) : end_directory(build, &step);
}

static int build_all(struct build *build, const struct bt_snapshot_info *info, const struct bt_rewrite_level *root)
{
	const struct bt_walk_options options = {
		.info = info, .level_size = sizeof(struct bt_rewrite_level), .ends = true};
	struct frame *frame = frame_at(build, 0);
	bool more = true;

	if (!frame)
		return bt_fail(build->error, BT_E_NOMEM, NULL, NULL);
	frame->key = root->key;
	int r = bt_walk_begin(build->run->store, &options, &info->root, &build->walk, build->error);
	if (r)
		return r;
	*(struct bt_rewrite_level *)bt_walk_below(build->walk) = *root;
	while (!r && more)
		r = go_on(build, &more);
	bt_walk_free(build->walk);
	return r;
}

int bt_rewrite_build(struct bt_rewrite_run *run, const struct bt_snapshot_info *info, struct bt_pack *pack,
		     struct bt_digest *ret_tree, struct bt_error *error)
{
	struct build build = {.run = run, .pack = pack, .error = error};
	const struct bt_rewrite_place *place;
	struct bt_rewrite_level root;
	int r = 0;

	if (bt_rewrite_enter(run, NULL, &info->root, &root))
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	*ret_tree = root.tree;
	place = bt_rewrite_place(run, &root.key);
	if (!place)
		return 0;
	if (!place->built)
		r = build_all(&build, info, &root);
	free_frames(&build);
	if (!r)
		*ret_tree = place->tree;
	return r;
}
