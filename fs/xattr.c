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

bool xattr_wanted(struct fs *fs)
{
	int decision = atomic_load(&fs->xattr_decision);
	if (fs->options.xattr != XATTR_AUTO)
		return fs->options.xattr == XATTR_ON;
	if (decision == UNDECIDED) {
		decision = any_has_some(fs) ? SERVED : REFUSED;
		atomic_store(&fs->xattr_decision, decision);
	}
	return decision == SERVED;
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
