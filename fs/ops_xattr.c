/* SPDX-License-Identifier: MIT */
#include "dirs.h"
#include "ops.h"
#include "root.h"
#include "versions.h"
#include "xattr.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OWN_PREFIX "user.backuptool."

static void reply_value(fuse_req_t req, const void *value, size_t length, size_t size)
{
	if (size == 0)
		fuse_reply_xattr(req, length);
	else if (length > size)
		fuse_reply_err(req, ERANGE);
	else
		fuse_reply_buf(req, value, length);
}

static int own_sha256(const struct bt_entry *entry, char *text, size_t size)
{
	if (entry->type != BT_FILE || !entry->has_digest)
		return ENODATA;
	for (size_t i = 0; i < sizeof(entry->digest.bytes); i++)
		snprintf(text + 2 * i, size - 2 * i, "%02x", entry->digest.bytes[i]);
	return 0;
}

static int own_stored(struct fs *fs, const struct bt_entry *entry, char *text, size_t size)
{
	uint64_t stored;

	if (entry->type != BT_FILE)
		return ENODATA;
	struct bt_error error = {0};
	int code = bt_entry_stored(fs->store, entry, &stored, &error);
	if (code)
		return fs_errno(fs, "xattr", code, &error);
	snprintf(text, size, "%llu", (unsigned long long)stored);
	return 0;
}

/* Our own attributes: readable by name, but not listed, so that copies do not carry them. */
static int own_value(struct fs *fs, const struct held *held, const char *what, char *text, size_t size)
{
	if (strcmp(what, "sha256") == 0)
		return own_sha256(held->entry, text, size);
	if (strcmp(what, "stored") == 0)
		return own_stored(fs, held->entry, text, size);
	if (strcmp(what, "snapshot") != 0 || held->snapshot == ROOT_NONE)
		return ENODATA;
	snprintf(text, size, "%s", root_file_name(fs, held->snapshot));
	return 0;
}

static bool begins_with(const struct bt_xattr *xattr, const char *prefix)
{
	return xattr->name_length > strlen(prefix) && memcmp(xattr->name, prefix, strlen(prefix)) == 0;
}

static bool is_hidden(const struct fs *fs, const struct bt_xattr *xattr)
{
	return attr_rules_any(&fs->options.rules) && begins_with(xattr, ATTR_ACL_PREFIX);
}

static void getxattr_held(fuse_req_t req, const struct held *held, const char *name, size_t size)
{
	struct fs *fs = op_fs(req);
	const struct bt_extra *extra = held->entry->extra;
	size_t length = strlen(name);
	char text[300];

	for (uint32_t i = 0; extra && i < extra->xattr_count; i++) {
		const struct bt_xattr *xattr = &extra->xattrs[i];

		if (xattr->name_length == length && memcmp(xattr->name, name, length) == 0 && !is_hidden(fs, xattr)) {
			reply_value(req, xattr->value, xattr->value_length, size);
			return;
		}
	}
	int r = xattr_lack(fs, name);
	if (fs->options.xattr == XATTR_ON && strncmp(name, OWN_PREFIX, strlen(OWN_PREFIX)) == 0)
		r = own_value(fs, held, name + strlen(OWN_PREFIX), text, sizeof(text));
	if (r)
		fuse_reply_err(req, r);
	else
		reply_value(req, text, strlen(text), size);
}

/* The root, its links and versions/ have no attributes. */
static bool is_above_snapshots(struct fs *fs, fuse_ino_t node)
{
	struct node part = node_unpack(node);

	return top_is_list(fs, node) || (part.kind == NODE_TOP && (part.number == TOP_LINK || versions_has(node)));
}

void op_getxattr(fuse_req_t req, fuse_ino_t node, const char *name, size_t size)
{
	struct fs *fs = op_fs(req);
	struct held held;

	if (!xattr_wanted(fs)) {
		fuse_reply_err(req, ENOSYS); /* the kernel does not ask again */
		return;
	}
	int r = is_above_snapshots(fs, node) ? ENODATA : held_get(fs, node, &held);
	if (r) {
		fuse_reply_err(req, r);
		return;
	}
	getxattr_held(req, &held, name, size);
	held_end(fs, &held);
}

/* Lists the shown attributes, each with its zero; gives the length. list NULL: only the length. Attributes that the
 * kernel gives to root alone are listed for root alone, as in other file systems. */
static size_t list_names(fuse_req_t req, const struct bt_extra *extra, char *list)
{
	const struct fs *fs = op_fs(req);
	bool root = fuse_req_ctx(req)->uid == 0;
	size_t used = 0;

	for (uint32_t i = 0; extra && i < extra->xattr_count; i++) {
		const struct bt_xattr *xattr = &extra->xattrs[i];

		if (is_hidden(fs, xattr) || (!root && begins_with(xattr, "trusted.")))
			continue;
		if (list) {
			memcpy(list + used, xattr->name, xattr->name_length);
			list[used + xattr->name_length] = '\0';
		}
		used += xattr->name_length + (size_t)1;
	}
	return used;
}

static void listxattr_held(fuse_req_t req, const struct bt_extra *extra, size_t size)
{
	size_t length = list_names(req, extra, NULL);
	char *list = size && length ? malloc(length) : NULL;

	if (size && length && !list) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	if (list)
		list_names(req, extra, list);
	reply_value(req, list, length, size);
	free(list);
}

void op_listxattr(fuse_req_t req, fuse_ino_t node, size_t size)
{
	struct fs *fs = op_fs(req);
	struct held held;

	if (!xattr_wanted(fs)) {
		fuse_reply_err(req, ENOSYS);
		return;
	}
	int r = is_above_snapshots(fs, node) ? 0 : held_get(fs, node, &held);
	if (r) {
		fuse_reply_err(req, r);
	} else if (is_above_snapshots(fs, node)) {
		reply_value(req, NULL, 0, size);
	} else {
		listxattr_held(req, held.entry->extra, size);
		held_end(fs, &held);
	}
}
