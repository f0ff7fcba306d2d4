/* SPDX-License-Identifier: MIT */
#include "xattr.h"
#include "root.h"
#include <stdio.h>
#include <string.h>

enum decision { UNDECIDED, SERVED, REFUSED };

static bool snapshot_has_some(struct fs *fs, uint32_t serial)
{
	struct root_snapshot snapshot;
	return root_open(fs, serial, &snapshot) == 0 && snapshot.info->xattrs;
}

static bool any_has_some(struct fs *fs)
{
	uint32_t single;
	if (root_is_single(fs, &single))
		return snapshot_has_some(fs, single);
	for (uint32_t serial = root_count(fs); serial-- > 0;)
		if (!root_is_gone(fs, serial) && snapshot_has_some(fs, serial))
			return true;
	return false;
}

/* For the life of the mount: the first one counts. */
static bool decide(struct fs *fs, int decision)
{
	int before = UNDECIDED;
	if (!atomic_compare_exchange_strong(&fs->xattr_decision, &before, decision))
		decision = before;
	return decision == SERVED;
}

bool xattr_wanted(struct fs *fs)
{
	int decision = atomic_load(&fs->xattr_decision);
	if (fs->options.xattr != XATTR_AUTO)
		return fs->options.xattr == XATTR_ON;
	if (decision == UNDECIDED)
		return decide(fs, any_has_some(fs) ? SERVED : REFUSED);
	return decision == SERVED;
}

/* A mode that was shown is never taken back, so one that is only right together with its list decides that lists are
 * served. */
static bool serves_acl(struct fs *fs, const struct bt_entry *entry)
{
	if (!fs->acls || !attr_has_acl(entry))
		return false;
	return fs->options.xattr == XATTR_AUTO ? decide(fs, SERVED) : fs->options.xattr == XATTR_ON;
}

void xattr_fill(struct fs *fs, const struct bt_entry *entry, uint64_t ino, struct stat *ret_stat)
{
	struct attr_rules rules = fs->options.rules;
	rules.acls = serves_acl(fs, entry);
	attr_fill(&rules, entry, ino, ret_stat);
}

void xattr_new_snapshot(struct fs *fs, uint32_t serial)
{
	if (atomic_load(&fs->xattr_decision) != REFUSED || !snapshot_has_some(fs, serial))
		return;
	char text[400];
	snprintf(text, sizeof(text), "%s: has extended attributes, which are shown after the next mount",
		 root_file_name(fs, serial));
	log_text(&fs->log, text);
}
