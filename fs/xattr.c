/* SPDX-License-Identifier: MIT */
#include "xattr.h"
#include "root.h"

bool xattr_wanted(struct fs *fs)
{
	struct root_snapshot snapshot;
	uint32_t single;
	if (fs->options.xattr != XATTR_AUTO || !root_is_single(fs, &single))
		return fs->options.xattr != XATTR_OFF;
	return root_open(fs, single, &snapshot) != 0 || snapshot.info->xattrs;
}

static bool serves_acl(struct fs *fs, const struct bt_entry *entry)
{
	return fs->acls && attr_has_acl(entry) && xattr_wanted(fs);
}

void xattr_fill(struct fs *fs, const struct bt_entry *entry, uint64_t ino, struct stat *ret_stat)
{
	struct attr_rules rules = fs->options.rules;
	rules.acls = serves_acl(fs, entry);
	attr_fill(&rules, entry, ino, ret_stat);
}
