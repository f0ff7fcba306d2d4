/* SPDX-License-Identifier: MIT */
#include "watch/changes.h"

#include "base/path.h"
#include <stdlib.h>
#include <string.h>

enum { SELF = 1, ALL = 2 };

static struct bt_changes *new_one(void)
{
	struct bt_changes *changes = calloc(1, sizeof(*changes));

	if (!changes)
		return NULL;
	changes->root = bt_names_add(&changes->names, NULL, "", 0);
	if (changes->root)
		return changes;
	free(changes);
	return NULL;
}

struct bt_changes *bt_changes_new(void)
{
	struct bt_changes *changes = new_one();

	if (!changes)
		return NULL;
	changes->again = new_one();
	if (changes->again)
		return changes;
	bt_changes_free(changes);
	return NULL;
}

void bt_changes_free(struct bt_changes *changes)
{
	if (!changes)
		return;
	if (changes->again)
		bt_names_clear(&changes->again->names);
	free(changes->again);
	bt_names_clear(&changes->names);
	free(changes);
}

int bt_changes_add(struct bt_changes *changes, const char *path, bool all)
{
	struct bt_name *dir = changes->root;

	while (*path && !(dir->flags & ALL)) {
		size_t length = strcspn(path, "/");

		if (length > 0)
			dir = bt_names_add(&changes->names, dir, path, length);
		if (!dir)
			return BT_E_NOMEM;
		path += length + (path[length] == '/');
	}
	dir->flags |= SELF | (all ? ALL : 0);
	return 0;
}

static const void *up(const void *arg, const char **ret_name, size_t *ret_length)
{
	const struct bt_name *dir = arg;

	*ret_name = dir->text;
	*ret_length = dir->length;
	return dir->owner;
}

int bt_changes_merge(struct bt_changes *into, const struct bt_changes *from)
{
	const struct bt_name *dir;
	struct bt_buf path = {0};
	size_t at = 0;
	int r = 0;

	for (dir = bt_names_next(&from->names, &at); dir && !r; dir = bt_names_next(&from->names, &at)) {
		if (!(dir->flags & SELF))
			continue;
		r = bt_path_of(&path, up, dir, NULL);
		if (!r)
			r = bt_changes_add(into, (char *)path.data, dir->flags & ALL);
	}
	bt_buf_free(&path);
	return r;
}

const struct bt_name *bt_changes_below(const struct bt_changes *changes, const struct bt_name *dir, const char *name,
				       size_t length)
{
	if (!dir || dir->flags & ALL)
		return dir;
	return bt_names_find(&changes->names, dir, name, length);
}

static const struct {
	const char *name, *text;
} doubts[BT_DOUBTS] = {
	[BT_DOUBT_NONE] = {"none", "nothing is in doubt"},
	[BT_DOUBT_FIRST] = {"first", "the first run"},
	[BT_DOUBT_DUE] = {"due", "it was its turn"},
	[BT_DOUBT_FAILED] = {"failed", "the run before made no snapshot"},
	[BT_DOUBT_OVERFLOW] = {"overflow", "more happened at once than is kept"},
	[BT_DOUBT_LIMIT] =
		{"limit", "not all directories can be watched: too many for fs.inotify.max_user_watches, or too deep"},
	[BT_DOUBT_MOUNTS] = {"mounts", "something was mounted or unmounted below"},
	[BT_DOUBT_LOST] = {"lost", "the watcher failed"},
	[BT_DOUBT_ROOT] = {"root", "another directory stands in its place"},
	[BT_DOUBT_FOREIGN] = {"foreign", "its file system is not known to tell of all changes"},
	[BT_DOUBT_PARENT] = {"parent", "the newest snapshot is not this job's last"},
	[BT_DOUBT_LINKS] = {"links", "a file has a new name in an unknown place"},
	[BT_DOUBT_DAMAGE] = {"damage", "the last snapshot cannot be read as a whole"},
};

const char *bt_doubt_name(enum bt_doubt doubt)
{
	return doubts[(unsigned)doubt < BT_DOUBTS ? doubt : BT_DOUBT_NONE].name;
}

const char *bt_doubt_text(enum bt_doubt doubt)
{
	return doubts[(unsigned)doubt < BT_DOUBTS ? doubt : BT_DOUBT_NONE].text;
}
