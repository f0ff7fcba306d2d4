/* SPDX-License-Identifier: MIT */
#include "base/fail.h"
#include "export/parts.h"
#include "view/pages.h"
#include "view/walk.h"
#include <string.h>

struct visit {
	const struct bt_file_visitor *visitor;
	struct bt_walk *walk;
	struct bt_buf path;
	size_t prefix;
};

/* Of a directory on the way. */
struct level {
	bool full; /* something was found in it, or lost */
};

static int set_path(struct visit *visit, const struct bt_walk_step *step)
{
	visit->path.length = visit->prefix;
	return bt_buf_append(&visit->path, step->path, step->path_length);
}

/* A directory's, with a slash at its end. */
static int set_directory_path(struct visit *visit, const struct bt_walk_step *step)
{
	int r = set_path(visit, step);

	return !r && step->path_length ? bt_buf_append(&visit->path, "/", 1) : r;
}

static int tell_lost(struct visit *visit, const struct bt_walk_step *step, const struct bt_error *error)
{
	if (set_directory_path(visit, step))
		return BT_E_NOMEM;
	visit->visitor->problem(visit->visitor->arg, &visit->path, error);
	return 0;
}

static int see_entry(struct visit *visit, const struct bt_walk_step *step)
{
	struct bt_error error = {0};

	if (step->entry->type == BT_DIR && step->entry->extra && step->entry->extra->error) {
		bt_fail_unread(&error, step->entry);
		return tell_lost(visit, step, &error);
	}
	if (step->entry->type == BT_DIR)
		return 0;
	int r = set_path(visit, step);
	return r ? r : visit->visitor->visit(visit->visitor->arg, &visit->path, step->entry);
}

/* A directory in which nothing is. */
static int see_empty(struct visit *visit, const struct bt_walk_step *step)
{
	int r = set_directory_path(visit, step);

	return r ? r : visit->visitor->visit(visit->visitor->arg, &visit->path, NULL);
}

static int walk_all(struct visit *visit)
{
	for (;;) {
		struct bt_walk_step step;
		struct bt_error error = {0};
		int r = bt_walk_next(visit->walk, &step, &error);
		struct level *level = bt_walk_level(visit->walk);

		if (r == BT_E_NOMEM || (!r && !level))
			return r;
		if (r)
			r = tell_lost(visit, &step, &error);
		else if (step.entry)
			r = see_entry(visit, &step);
		else if (!level->full)
			r = see_empty(visit, &step);
		if (level)
			level->full = true;
		if (r)
			return r;
	}
}

int bt_visit_files(struct bt_store *store, const struct bt_snapshot_info *info, const char *prefix,
		   const struct bt_file_visitor *visitor)
{
	struct visit visit = {.visitor = visitor, .prefix = strlen(prefix)};
	const struct bt_walk_options options = {.info = info, .level_size = sizeof(struct level), .ends = true};
	struct bt_error error = {0};
	int r = bt_buf_append(&visit.path, prefix, strlen(prefix));

	if (!r && info->root.extra && info->root.extra->error) {
		bt_fail_unread(&error, &info->root);
		visitor->problem(visitor->arg, &visit.path, &error);
	} else if (!r) {
		r = bt_walk_begin(store, &options, &info->root, &visit.walk, &error);
		if (!r)
			r = walk_all(&visit);
	}
	bt_walk_free(visit.walk);
	bt_buf_free(&visit.path);
	return r;
}
