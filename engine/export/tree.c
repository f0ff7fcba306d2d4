/* SPDX-License-Identifier: MIT */
#include "base/fail.h"
#include "export/parts.h"
#include "view/pages.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct level {
	struct bt_dir dir;
	size_t path_length; /* with what stands before its entries' names */
	bool any;
};

struct visit {
	struct bt_store *store;
	const struct bt_file_visitor *visitor;
	struct bt_buf path;
	struct level *levels;
	size_t depth, capacity;
};

static void tell(struct visit *visit, const struct bt_error *error)
{
	visit->visitor->problem(visit->visitor->arg, &visit->path, error);
}

static int push(struct visit *visit, const struct bt_entry *directory)
{
	struct level level = {.path_length = visit->path.length};
	struct bt_error error = {0};
	/* One that could not be read has no page. */
	if (directory->extra && directory->extra->error) {
		bt_fail_unread(&error, directory);
		tell(visit, &error);
		return 0;
	}
	if (bt_dir_start(&level.dir, visit->store, &directory->digest, &error)) {
		tell(visit, &error);
		return 0;
	}
	if (visit->depth == visit->capacity) {
		size_t capacity = visit->capacity ? 2 * visit->capacity : 16;
		struct level *levels = reallocarray(visit->levels, capacity, sizeof(*levels));
		if (!levels) {
			bt_dir_end(&level.dir);
			return BT_E_NOMEM;
		}
		visit->levels = levels;
		visit->capacity = capacity;
	}
	visit->levels[visit->depth++] = level;
	return 0;
}

static int pop(struct visit *visit)
{
	struct level *level = &visit->levels[--visit->depth];
	bt_dir_end(&level->dir);
	visit->path.length = level->path_length;
	return level->any ? 0 : visit->visitor->visit(visit->visitor->arg, &visit->path, NULL);
}

static int next(struct visit *visit)
{
	struct level *level = &visit->levels[visit->depth - 1];
	const struct bt_entry *entry;
	struct bt_error error = {0};
	visit->path.length = level->path_length;
	if (bt_dir_next(&level->dir, &entry, &error)) {
		tell(visit, &error);
		level->any = true;
		return pop(visit);
	}
	if (!entry)
		return pop(visit);
	level->any = true;
	if (bt_buf_append(&visit->path, entry->name, entry->name_length))
		return BT_E_NOMEM;
	if (entry->type != BT_DIR)
		return visit->visitor->visit(visit->visitor->arg, &visit->path, entry);
	return bt_buf_append(&visit->path, "/", 1) ? BT_E_NOMEM : push(visit, entry);
}

int bt_visit_files(struct bt_store *store, const struct bt_entry *root, const char *prefix,
		   const struct bt_file_visitor *visitor)
{
	struct visit visit = {.store = store, .visitor = visitor};
	int result = bt_buf_append(&visit.path, prefix, strlen(prefix)) ? BT_E_NOMEM : push(&visit, root);
	while (!result && visit.depth)
		result = next(&visit);
	while (visit.depth)
		bt_dir_end(&visit.levels[--visit.depth].dir);
	free(visit.levels);
	bt_buf_free(&visit.path);
	return result;
}
