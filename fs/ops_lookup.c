/* SPDX-License-Identifier: MIT */
#include "dirs.h"
#include "look.h"
#include "ops.h"
#include "root.h"
#include "versions.h"
#include <errno.h>
#include <limits.h>
#include <string.h>

static int node_attr(struct fs *fs, fuse_ino_t node, struct stat *ret_stat)
{
	return node_unpack(node).kind == NODE_TOP ? top_attr(fs, node, ret_stat) : held_attr(fs, node, ret_stat);
}

/* Looks up ".." of a directory, for turning file handles into paths (NFS). */
static int parent_of(struct fs *fs, fuse_ino_t packed, fuse_ino_t *ret_parent)
{
	struct node node = node_unpack(packed);
	struct node_dir dir;

	*ret_parent = FUSE_ROOT_ID;
	if (node.kind == NODE_TOP && node.number == TOP_VERSIONS)
		return versions_parent(fs, packed, ret_parent);
	if (node.kind == NODE_TOP) {
		*ret_parent = top_parent(fs, packed);
		return 0;
	}
	if (node.kind == NODE_SHARED)
		return ENOTDIR;
	if (!nodes_dir_at(fs->nodes, node.number, &dir))
		return ESTALE;
	*ret_parent = dir.node;
	return 0;
}

static int lookup_dot(struct fs *fs, fuse_ino_t node, const char *name, struct fuse_entry_param *ret_param)
{
	*ret_param = (struct fuse_entry_param){.ino = node, .attr_timeout = A_WHILE, .entry_timeout = A_WHILE};
	int r = name[1] ? parent_of(fs, node, &ret_param->ino) : 0;
	return r ? r : node_attr(fs, ret_param->ino, &ret_param->attr);
}

static int lookup_entry(struct fs *fs, fuse_ino_t parent, const char *name, struct fuse_entry_param *ret_param)
{
	struct dir dir;
	struct found found = {0};
	int r = dir_open(fs, parent, &dir);

	if (r)
		return r;
	r = dir_find(fs, &dir, name, &found);
	if (!r)
		r = dir_entry(fs, &dir, &found, ret_param);
	else if (r == ENOENT) /* the kernel remembers this, too */
		*ret_param = (struct fuse_entry_param){.entry_timeout = FOREVER};
	dir_close(fs, &dir);
	return r == ENOENT ? 0 : r;
}

static int lookup_top(struct fs *fs, fuse_ino_t parent, const char *name, struct fuse_entry_param *ret_param)
{
	look_if_changed(fs);
	return top_lookup(fs, parent, name, ret_param);
}

static int lookup(struct fs *fs, fuse_ino_t parent, const char *name, struct fuse_entry_param *ret_param)
{
	if (name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0')))
		return lookup_dot(fs, parent, name, ret_param);
	if (strlen(name) > NAME_MAX)
		return ENAMETOOLONG;
	if (top_is_list(fs, parent))
		return lookup_top(fs, parent, name, ret_param);
	if (versions_has(parent))
		return versions_lookup(fs, parent, name, ret_param);
	return lookup_entry(fs, parent, name, ret_param);
}

static void count_lookups(struct fs *fs, fuse_ino_t node, long lookups)
{
	uint32_t serial;

	if (versions_has(node))
		versions_looked(fs, node, lookups);
	else if (node != FUSE_ROOT_ID && node_snapshot(fs, node, &serial))
		root_used(fs, serial, lookups);
}

/* The kernel never forgets the root, whose generation is 0. */
void op_entry_known(struct fs *fs, struct fuse_entry_param *param)
{
	param->generation = param->ino == FUSE_ROOT_ID ? 0 : fs->generation;
	count_lookups(fs, param->ino, 1);
}

void op_forgotten(struct fs *fs, fuse_ino_t node, uint64_t lookups)
{
	count_lookups(fs, node, -(long)lookups);
}

/* A snapshot that was removed before it was counted as used does not exist: the files that it needs may have been let
 * go. */
static bool is_there(struct fs *fs, fuse_ino_t node)
{
	uint32_t serial;

	return node && !(node_snapshot(fs, node, &serial) && root_is_gone(fs, serial));
}

/* Looks the name up, and counts the entry. False if another try may help: while the root changed, a missing name may
 * have appeared, or mean something else. */
static bool look_up(struct fs *fs, fuse_ino_t parent, const char *name, struct fuse_entry_param *ret_param,
		    int *ret_result)
{
	unsigned changes = look_changes(fs);

	*ret_result = lookup(fs, parent, name, ret_param);
	if (*ret_result == 0)
		op_entry_known(fs, ret_param);
	if ((!top_is_list(fs, parent) && !versions_has(parent)) || (*ret_result == 0 && is_there(fs, ret_param->ino)) ||
	    !look_came(fs, changes))
		return true;
	if (*ret_result == 0)
		op_forgotten(fs, ret_param->ino, 1);
	return false;
}

void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param param;
	int r;

	while (!look_up(op_fs(req), parent, name, &param, &r))
		;
	if (r)
		fuse_reply_err(req, r);
	else if (fuse_reply_entry(req, &param) != 0)
		op_forgotten(op_fs(req), param.ino, 1);
}

void op_getattr(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *info)
{
	struct fs *fs = op_fs(req);
	struct stat st;
	bool root = top_is_list(fs, node);

	if (root)
		look_if_changed(fs);
	int r = node_attr(fs, node, &st);
	if (r)
		fuse_reply_err(req, r);
	else
		fuse_reply_attr(req, &st, root ? A_MOMENT : versions_has(node) ? A_WHILE : FOREVER);
}

static void readlink_held(fuse_req_t req, fuse_ino_t node)
{
	struct fs *fs = op_fs(req);
	struct held held;
	int r = held_get(fs, node, &held);

	if (r) {
		fuse_reply_err(req, r == EISDIR ? EINVAL : r);
		return;
	}
	const struct bt_extra *extra = held.entry->extra;
	if (held.entry->type != BT_SYMLINK)
		fuse_reply_err(req, EINVAL);
	else if (!extra || !extra->target)
		fuse_reply_err(req, EIO);
	else
		fuse_reply_readlink(req, extra->target);
	held_end(fs, &held);
}

void op_readlink(fuse_req_t req, fuse_ino_t node)
{
	char target[NAME_MAX + 1];

	if (node_unpack(node).kind != NODE_TOP)
		readlink_held(req, node);
	else if (top_readlink(op_fs(req), node, target, sizeof(target)) == 0)
		fuse_reply_readlink(req, target);
	else
		fuse_reply_err(req, EINVAL);
}
