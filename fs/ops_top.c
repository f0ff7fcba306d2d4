/* SPDX-License-Identifier: MIT */
#include "dirs.h"
#include "hash.h"
#include "look.h"
#include "ops.h"
#include "root.h"
#include "versions.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LATEST	 "latest"
#define VERSIONS "versions"

bool top_is_root(struct fs *fs, fuse_ino_t node)
{
	uint32_t serial;

	return node == FUSE_ROOT_ID && !root_is_single(fs, &serial);
}

static fuse_ino_t top_node(enum node_top what, uint32_t index)
{
	return node_pack((struct node){.kind = NODE_TOP, .number = what, .index = index});
}

/* The root has the time of the store's directory. */
static void root_attr(struct fs *fs, struct stat *ret_stat)
{
	const struct attr_rules *rules = &fs->options.rules;
	const struct timespec changed = look_changed(fs);

	*ret_stat = (struct stat){
		.st_ino = FUSE_ROOT_ID,
		.st_mode = S_IFDIR | (0755 & ~(mode_t)rules->umask),
		.st_nlink = 1,
		.st_uid = rules->set_uid ? rules->uid : geteuid(),
		.st_gid = rules->set_gid ? rules->gid : getegid(),
		.st_blksize = 4096,
		.st_mtim = changed,
		.st_ctim = changed,
		.st_atim = changed,
	};
}

static uint64_t link_ino(const struct fs *fs, uint32_t serial)
{
	struct bt_entry link = {.type = BT_SYMLINK};

	return attr_ino(&link, root_hash(fs, serial), 0);
}

static int link_attr(struct fs *fs, uint32_t serial, struct stat *ret_stat)
{
	if (serial >= root_count(fs))
		return ESTALE;
	root_attr(fs, ret_stat);
	ret_stat->st_ino = link_ino(fs, serial);
	ret_stat->st_mode = S_IFLNK | 0777;
	ret_stat->st_size = (off_t)root_name_length(fs, serial);
	return 0;
}

int top_attr(struct fs *fs, fuse_ino_t packed, struct stat *ret_stat)
{
	struct node node = node_unpack(packed);

	if (top_is_root(fs, packed))
		root_attr(fs, ret_stat);
	else if (node.number == TOP_LINK)
		return link_attr(fs, node.index, ret_stat);
	else if (node.number == TOP_VERSIONS)
		return versions_attr(fs, packed, ret_stat);
	else
		return held_attr(fs, packed, ret_stat);
	return 0;
}

/* The node of a snapshot or of versions/, whose name does not change its meaning, or 0. */
static fuse_ino_t find_directory(struct fs *fs, const char *name)
{
	uint32_t serial;

	if (root_find(fs, name, &serial))
		return top_node(TOP_SNAPSHOT, serial);
	return fs->versions && strcmp(name, VERSIONS) == 0 ? versions_top(fs) : 0;
}

/* The node of a link, whose meaning may change, or 0. */
static fuse_ino_t find_link(struct fs *fs, const char *name)
{
	uint32_t serial;
	bool found = strcmp(name, LATEST) == 0 ? root_latest(fs, &serial) : root_find_meant(fs, name, &serial);

	return found ? top_node(TOP_LINK, serial) : 0;
}

int top_lookup(struct fs *fs, const char *name, struct fuse_entry_param *ret_param)
{
	struct fuse_entry_param param = {.attr_timeout = FOREVER, .entry_timeout = FOREVER};

	param.ino = find_directory(fs, name);
	if (versions_has(param.ino))
		param.attr_timeout = A_WHILE;
	if (param.ino == 0) {
		param.ino = find_link(fs, name);
		param.entry_timeout = A_MOMENT;
	}
	int r = param.ino ? top_attr(fs, param.ino, &param.attr) : 0;
	if (!r)
		*ret_param = param;
	return r;
}

int top_readlink(struct fs *fs, fuse_ino_t packed, char *target, size_t size)
{
	struct node node = node_unpack(packed);

	if (node.kind != NODE_TOP || node.number != TOP_LINK || node.index >= root_count(fs))
		return EINVAL;
	int length = (int)root_name_length(fs, node.index);
	return snprintf(target, size, "%.*s", length, root_file_name(fs, node.index)) < (int)size ? 0 : ENAMETOOLONG;
}

/* Offsets: 2 latest, 3 versions, 4 + serial a snapshot; they do not move when snapshots come and go. */
#define FIRST_SNAPSHOT 4

/* A snapshot is listed without being opened; the kernel looks it up if it needs more. */
static void list_snapshot(struct fs *fs, uint32_t serial, struct top_entry *ret_entry)
{
	struct bt_entry directory = {.type = BT_DIR};

	snprintf(ret_entry->name, sizeof(ret_entry->name), "%.*s", (int)root_name_length(fs, serial),
		 root_file_name(fs, serial));
	ret_entry->param = (struct fuse_entry_param){0};
	ret_entry->param.attr.st_mode = S_IFDIR;
	ret_entry->param.attr.st_ino = attr_ino(&directory, attr_path_top(), root_hash(fs, serial));
}

int top_entry_at(struct fs *fs, uint64_t offset, struct top_entry *ret_entry, uint64_t *ret_next)
{
	uint64_t at = offset;
	uint32_t latest;

	if (at < 3 && root_latest(fs, &latest)) {
		snprintf(ret_entry->name, sizeof(ret_entry->name), LATEST);
		*ret_next = 3;
		return top_lookup(fs, LATEST, &ret_entry->param);
	}
	if (at < FIRST_SNAPSHOT && fs->versions) {
		snprintf(ret_entry->name, sizeof(ret_entry->name), VERSIONS);
		*ret_next = FIRST_SNAPSHOT;
		return top_lookup(fs, VERSIONS, &ret_entry->param);
	}
	if (at < FIRST_SNAPSHOT)
		at = FIRST_SNAPSHOT;
	for (; at - FIRST_SNAPSHOT < root_count(fs); at++) {
		if (!root_is_shown(fs, (uint32_t)(at - FIRST_SNAPSHOT)))
			continue;
		list_snapshot(fs, (uint32_t)(at - FIRST_SNAPSHOT), ret_entry);
		*ret_next = at + 1;
		return 0;
	}
	return ENOENT;
}
