/* SPDX-License-Identifier: MIT */
#include "gone.h"
#include "dirs.h"
#include "root.h"
#include "versions.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FORGET_US 20000 /* until the kernel's word of what it has forgotten is read */

/* The names in a directory of a removed snapshot, as the kernel may know them. */
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

/* Some, when there is no memory for more: it is tried again. */
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

/* Whether a record's directory lies in a removed snapshot, and the kernel knows it. */
static bool is_known(struct fs *fs, uint32_t number, struct node_dir *ret_dir)
{
	pthread_rwlock_rdlock(&fs->lock);
	bool wanted = nodes_dir_at(fs->nodes, number, ret_dir) && root_is_needed(fs, ret_dir->snapshot);
	pthread_rwlock_unlock(&fs->lock);
	return wanted && fuse_lowlevel_notify_inval_inode(fs->session, ret_dir->node, -1, 0) == 0;
}

/* The kernel keeps what it knows of a file also when nobody has it open, and with it the directories above: told of a
 * name, it forgets what nobody uses. The deepest were looked into last. Without the lock, for which its answer may
 * wait. */
static void forget_unused(struct fs *fs)
{
	struct node_dir dir;

	versions_forget_unused(fs);
	for (uint32_t number = nodes_dir_count(fs->nodes); number-- > 0;) {
		struct names names;

		if (!is_known(fs, number, &dir))
			continue;
		pthread_rwlock_rdlock(&fs->lock);
		list_names(fs, dir.node, &names);
		pthread_rwlock_unlock(&fs->lock);
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

bool gone_release(struct fs *fs)
{
	uint32_t single;

	pthread_rwlock_rdlock(&fs->lock);
	bool held = root_is_single(fs, &single) && root_is_gone(fs, single); /* the kernel never forgets the root */
	bool needed = any_is_needed(fs);
	pthread_rwlock_unlock(&fs->lock);
	if (held)
		return true;
	if (needed)
		forget_unused(fs);
	pthread_rwlock_wrlock(&fs->lock);
	needed = any_is_needed(fs);
	if (!needed) {
		root_close_gone(fs);
		bt_store_release(fs->store);
	}
	pthread_rwlock_unlock(&fs->lock);
	return !needed;
}
