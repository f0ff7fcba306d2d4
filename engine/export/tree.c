/* SPDX-License-Identifier: MIT */
#include "base/fail.h"
#include "export/parts.h"
#include "view/pages.h"
#include <backuptool/walk.h>
#include <string.h>

struct visit {
	const struct bt_file_visitor *visitor;
	struct bt_buf path;
	size_t prefix;
	size_t open; /* depth + 1 of a directory that nothing was found in yet; 0: none */
};

static int set_path(struct visit *visit, const char *path)
{
	visit->path.length = visit->prefix;
	return bt_buf_append(&visit->path, path, strlen(path));
}

/* An empty directory is told with a slash after its path. */
static int end_empty(struct visit *visit)
{
	bool open = visit->open;

	visit->open = 0;
	return open ? visit->visitor->visit(visit->visitor->arg, &visit->path, NULL) : 0;
}

/* What is lost below a directory, which is not empty then. */
static int tell_lost(struct visit *visit, const char *path, const struct bt_error *error)
{
	if (set_path(visit, path) || (*path && bt_buf_append(&visit->path, "/", 1)))
		return BT_E_NOMEM;
	visit->open = 0;
	visit->visitor->problem(visit->visitor->arg, &visit->path, error);
	return 0;
}

static int see_directory(struct visit *visit, const struct bt_walk_step *step)
{
	struct bt_error error = {0};

	if (step->entry->extra && step->entry->extra->error) {
		bt_fail_unread(&error, step->entry);
		return tell_lost(visit, step->path, &error);
	}
	visit->open = step->depth + 1;
	return bt_buf_append(&visit->path, "/", 1);
}

static int see(struct visit *visit, const struct bt_walk_step *step)
{
	bool inside = visit->open && step->depth >= visit->open;
	int r = inside ? 0 : end_empty(visit);

	visit->open = 0;
	if (!r)
		r = set_path(visit, step->path);
	if (r)
		return r;
	if (step->entry->type == BT_DIR)
		return see_directory(visit, step);
	return visit->visitor->visit(visit->visitor->arg, &visit->path, step->entry);
}

static int walk_all(struct visit *visit, struct bt_walk *walk)
{
	for (;;) {
		struct bt_walk_step step;
		struct bt_error error = {0};
		int r = bt_walk_next(walk, &step, &error);

		if (r == BT_E_NOMEM)
			return r;
		if (r)
			r = tell_lost(visit, step.path, &error);
		else if (step.entry)
			r = see(visit, &step);
		else
			return end_empty(visit);
		if (r)
			return r;
	}
}

int bt_visit_files(struct bt_store *store, const struct bt_snapshot_info *info, const char *prefix,
		   const struct bt_file_visitor *visitor)
{
	struct visit visit = {.visitor = visitor, .prefix = strlen(prefix), .open = 1};
	struct bt_error error = {0};
	struct bt_walk *walk = NULL;
	int r = bt_buf_append(&visit.path, prefix, strlen(prefix));

	if (!r && info->root.extra && info->root.extra->error) {
		bt_fail_unread(&error, &info->root);
		visitor->problem(visitor->arg, &visit.path, &error);
	} else if (!r) {
		r = bt_walk_new(store, info, &info->root, &walk, &error);
		if (!r)
			r = walk_all(&visit, walk);
	}
	bt_walk_free(walk);
	bt_buf_free(&visit.path);
	return r;
}
