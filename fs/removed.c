/* SPDX-License-Identifier: MIT */
#include "removed.h"
#include "dirs.h"
#include "look.h"
#include "root.h"
#include "versions.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FORGET_US 20000 /* until the kernel's message of what it has forgotten is read */

/* The names in a directory of a removed snapshot that the kernel may know. */
struct names {
	char **list;
	size_t count;
};

static void names_free(struct names *names)
{
	while (names->count > 0)
		free(names->list[--names->count]);
	free(names->list);
}

/* Lists some of them if memory is short; the rest is tried again. */
static void list_names(struct fs *fs, fuse_ino_t node, struct names *ret_names)
{
	struct dir dir;
	struct found found = {0};

	*ret_names = (struct names){0};
	if (dir_open(fs, node, &dir) != 0)
		return;
	uint64_t count = dir_count(&dir);
	ret_names->list = count <= NODE_INDEX_MAX ? calloc((size_t)count + 1, sizeof(char *)) : NULL;
	for (uint64_t i = 0; ret_names->list && i < count && dir_at(fs, &dir, i, &found) == 0; i++) {
		char *name = strdup(found.entry->name);

		if (!name)
			break;
		ret_names->list[ret_names->count++] = name;
	}
	dir_close(fs, &dir);
}

/* Whether the record's directory lies in a removed snapshot, and the kernel knows it. */
static bool is_known(struct fs *fs, uint32_t number, struct node_dir *ret_dir)
{
	return nodes_dir_at(fs->nodes, number, ret_dir) && root_is_needed(fs, ret_dir->snapshot) &&
	       fuse_lowlevel_notify_inval_inode(fs->session, ret_dir->node, -1, 0) == 0;
}

/* The kernel keeps a file that nobody has open, and with it the directories above. If it is told of a name, it forgets
 * what is not used. The deepest directories were opened last. */
static void forget_unused(struct fs *fs)
{
	struct node_dir dir;

	versions_forget_unused(fs);
	for (uint32_t number = nodes_dir_count(fs->nodes); number-- > 0;) {
		struct names names;

		if (!is_known(fs, number, &dir))
			continue;
		list_names(fs, dir.node, &names);
		for (size_t i = 0; i < names.count; i++)
			fuse_lowlevel_notify_inval_entry(fs->session, dir.node, names.list[i], strlen(names.list[i]));
		names_free(&names);
	}
	usleep(FORGET_US);
}

static bool any_is_needed(const struct fs *fs)
{
	for (uint32_t serial = 0; serial < root_count(fs); serial++)
		if (root_is_needed(fs, serial))
			return true;
	return versions_any_known(fs);
}

/* A request in progress counts as a user, except one that puts a directory of versions/ together. */
bool removed_release_unused(struct fs *fs)
{
	if (!versions_pause(fs))
		return false;
	look_pause(fs);
	bool needed = any_is_needed(fs);
	if (!needed)
		bt_store_release(fs->store);
	look_resume(fs);
	versions_resume(fs);
	if (!needed)
		root_close_gone(fs);
	return !needed;
}

bool removed_release(struct fs *fs)
{
	uint32_t single;

	if (root_is_single(fs, &single) && root_is_gone(fs, single)) /* the kernel never forgets the root */
		return true;
	if (any_is_needed(fs))
		forget_unused(fs);
	return removed_release_unused(fs);
}
