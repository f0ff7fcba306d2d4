/* SPDX-License-Identifier: MIT */
#include "dirs.h"
#include "groups.h"
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

static bool is_group(fuse_ino_t packed)
{
	struct node node = node_unpack(packed);

	return packed != FUSE_ROOT_ID && node.kind == NODE_TOP && node.number == TOP_GROUP;
}

bool top_is_list(struct fs *fs, fuse_ino_t node)
{
	uint32_t serial;

	return is_group(node) || (node == FUSE_ROOT_ID && !root_is_single(fs, &serial));
}

/* The group of which a list has directories or snapshots: GROUPS_NONE is the root. */
static uint32_t group_of(struct fs *fs, fuse_ino_t list)
{
	return is_group(list) ? node_unpack(list).index : GROUPS_NONE;
}

/* Whether a list has snapshots, not directories with them. */
static bool has_snapshots(struct fs *fs, fuse_ino_t list)
{
	return is_group(list) ? !groups_is_host(fs->groups, node_unpack(list).index) : !fs->groups;
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

/* The same for one of -o group. */
static int group_attr(struct fs *fs, uint32_t group, struct stat *ret_stat)
{
	struct bt_entry directory = {.type = BT_DIR};

	if (!fs->groups || group >= groups_count(fs->groups))
		return ESTALE;
	const char *name = groups_name(fs->groups, group);
	uint32_t above = groups_above(fs->groups, group);
	uint64_t hash = HASH_SEED;
	if (above != GROUPS_NONE) {
		const char *host = groups_name(fs->groups, above);

		hash = hash_bytes(hash, host, strlen(host));
	}
	root_attr(fs, ret_stat);
	ret_stat->st_ino = attr_ino(&directory, hash_bytes(hash, name, strlen(name)), HASH_SEED);
	return 0;
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

	if (is_group(packed))
		return group_attr(fs, node.index, ret_stat);
	if (top_is_list(fs, packed))
		root_attr(fs, ret_stat);
	else if (node.number == TOP_LINK)
		return link_attr(fs, node.index, ret_stat);
	else if (node.number == TOP_VERSIONS)
		return versions_attr(fs, packed, ret_stat);
	else
		return held_attr(fs, packed, ret_stat);
	return 0;
}

fuse_ino_t top_group_node(uint32_t group)
{
	return group == GROUPS_NONE ? FUSE_ROOT_ID : top_node(TOP_GROUP, group);
}

fuse_ino_t top_parent(struct fs *fs, fuse_ino_t packed)
{
	struct node node = node_unpack(packed);

	if (!fs->groups || packed == FUSE_ROOT_ID)
		return FUSE_ROOT_ID;
	if (is_group(packed))
		return node.index < groups_count(fs->groups) ? top_group_node(groups_above(fs->groups, node.index))
							     : FUSE_ROOT_ID;
	return node.index < root_count(fs) ? top_group_node(root_group(fs, node.index)) : FUSE_ROOT_ID;
}

/* The node of a snapshot, whose name does not change its meaning, or 0. */
static fuse_ino_t find_snapshot(struct fs *fs, uint32_t group, const char *name)
{
	uint32_t serial;

	return root_find(fs, group, name, &serial) ? top_node(TOP_SNAPSHOT, serial) : 0;
}

/* The node of a directory of groups, or 0. */
static fuse_ino_t find_group(struct fs *fs, uint32_t above, const char *name)
{
	root_sort(fs);
	uint32_t found = groups_find(fs->groups, above, name);

	return found == GROUPS_NONE ? 0 : top_node(TOP_GROUP, found);
}

/* The node of a link, whose meaning may change, or 0. */
static fuse_ino_t find_link(struct fs *fs, uint32_t group, const char *name)
{
	uint32_t serial;
	bool found =
		strcmp(name, LATEST) == 0 ? root_latest(fs, group, &serial) : root_find_meant(fs, group, name, &serial);

	return found ? top_node(TOP_LINK, serial) : 0;
}

int top_lookup(struct fs *fs, fuse_ino_t above, const char *name, struct fuse_entry_param *ret_param)
{
	struct fuse_entry_param param = {.attr_timeout = FOREVER, .entry_timeout = FOREVER};
	uint32_t group = group_of(fs, above);
	bool snapshots = has_snapshots(fs, above);

	if (snapshots)
		param.ino = find_snapshot(fs, group, name);
	if (!param.ino && above == FUSE_ROOT_ID && fs->versions && strcmp(name, VERSIONS) == 0) {
		param.ino = versions_top(fs);
		param.attr_timeout = A_WHILE;
	}
	if (!param.ino) {
		param.ino = snapshots ? find_link(fs, group, name) : find_group(fs, group, name);
		param.entry_timeout = A_MOMENT;
		param.attr_timeout = snapshots ? FOREVER : A_MOMENT;
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

/* Offsets: 4 + number. */
static int list_group(struct fs *fs, uint32_t above, uint64_t at, struct top_entry *ret_entry, uint64_t *ret_next)
{
	if (at == FIRST_SNAPSHOT)
		root_sort(fs);
	uint32_t group = at - FIRST_SNAPSHOT < GROUPS_NONE
				 ? groups_next(fs->groups, above, (uint32_t)(at - FIRST_SNAPSHOT))
				 : GROUPS_NONE;
	if (group == GROUPS_NONE)
		return ENOENT;
	snprintf(ret_entry->name, sizeof(ret_entry->name), "%s", groups_name(fs->groups, group));
	ret_entry->param = (struct fuse_entry_param){0};
	*ret_next = FIRST_SNAPSHOT + (uint64_t)group + 1;
	return group_attr(fs, group, &ret_entry->param.attr);
}

static bool lists(struct fs *fs, uint32_t group, uint32_t serial)
{
	return root_is_shown(fs, serial) && (group == GROUPS_NONE || root_group(fs, serial) == group);
}

int top_entry_at(struct fs *fs, fuse_ino_t list, uint64_t offset, struct top_entry *ret_entry, uint64_t *ret_next)
{
	uint32_t latest, group = group_of(fs, list);
	bool snapshots = has_snapshots(fs, list);
	uint64_t at = offset;

	if (at < 3 && snapshots && root_latest(fs, group, &latest)) {
		snprintf(ret_entry->name, sizeof(ret_entry->name), LATEST);
		*ret_next = 3;
		return top_lookup(fs, list, LATEST, &ret_entry->param);
	}
	if (at < FIRST_SNAPSHOT && fs->versions && list == FUSE_ROOT_ID) {
		snprintf(ret_entry->name, sizeof(ret_entry->name), VERSIONS);
		*ret_next = FIRST_SNAPSHOT;
		return top_lookup(fs, list, VERSIONS, &ret_entry->param);
	}
	if (at < FIRST_SNAPSHOT)
		at = FIRST_SNAPSHOT;
	if (!snapshots)
		return list_group(fs, group, at, ret_entry, ret_next);
	for (; at - FIRST_SNAPSHOT < root_count(fs); at++) {
		if (!lists(fs, group, (uint32_t)(at - FIRST_SNAPSHOT)))
			continue;
		list_snapshot(fs, (uint32_t)(at - FIRST_SNAPSHOT), ret_entry);
		*ret_next = at + 1;
		return 0;
	}
	return ENOENT;
}
