/* SPDX-License-Identifier: MIT */
#include "xattr.h"
#include "root.h"
#include <errno.h>
#include <string.h>

bool xattr_wanted(struct fs *fs)
{
	struct root_snapshot snapshot;
	uint32_t single;

	if (fs->options.xattr != XATTR_AUTO || !root_is_single(fs, &single))
		return fs->options.xattr != XATTR_OFF;
	if (root_open(fs, single, &snapshot) != 0)
		return true;
	bool wanted = snapshot.info->xattrs;
	root_used(fs, single, -1);
	return wanted;
}

static bool has_some(struct fs *fs, uint32_t serial)
{
	struct root_snapshot snapshot;

	if (root_is_gone(fs, serial) || root_open(fs, serial, &snapshot) != 0)
		return false;
	bool some = snapshot.info->xattrs;
	root_used(fs, serial, -1);
	return some;
}

/* Each snapshot is looked at once, when it becomes known, until one has attributes. A snapshot that cannot be opened
 * shows no attributes. */
static bool any_has_some(struct fs *fs)
{
	uint32_t without = atomic_load(&fs->without_xattrs), count = root_count(fs);
	bool found = false;

	for (; without < count; without++) {
		found = has_some(fs, without);
		if (found)
			break;
	}
	atomic_store(&fs->without_xattrs, without);
	return found;
}

/* For lists of permissions the kernel accepts only this answer as "no list", when it obeys them. */
int xattr_lack(struct fs *fs, const char *name)
{
	bool acl = fs->acls && strncmp(name, ATTR_ACL_PREFIX, strlen(ATTR_ACL_PREFIX)) == 0;

	return acl || fs->options.xattr != XATTR_AUTO || any_has_some(fs) ? ENODATA : EOPNOTSUPP;
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
