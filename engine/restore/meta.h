/* SPDX-License-Identifier: MIT */
/* Owner, extended attributes (ACLs among them), mode, times and inode flags, in this order: a change of owner takes
 * setuid bits and capabilities away, an ACL changes the mode, everything changes the times, and some flags forbid any
 * further change. */
#ifndef BT_RESTORE_META_H
#define BT_RESTORE_META_H

#include "restore/run.h"

#define BT_META_PATH	1u /* the fd was opened with O_PATH */
#define BT_META_RENAMED 4u /* it is to get its name yet: then bt_meta_seal */
#define BT_META_STRIP	2u /* there may be xattrs that the entry does not have: they go, but for the system's own */

/* Sets what may be set. What fails otherwise is told as a problem of name in place (NULL: of place itself). */
void bt_meta_apply(struct bt_restore_run *run, struct bt_place *place, const char *name, int fd,
		   const struct bt_entry *entry, unsigned flags);
/* Of a file that has just got its name in dirfd: flags with which it could not have got it. */
void bt_meta_seal(struct bt_restore_run *run, struct bt_place *place, int dirfd, const struct bt_entry *entry);
/* Does what stands at name in dirfd, which is of the entry's type, have all of it? mtime is not looked at. */
bool bt_meta_equal(const struct bt_restore_run *run, int dirfd, const char *name, const struct bt_entry *entry,
		   const struct stat *status);
bool bt_mtime_equal(const struct bt_entry *entry, const struct stat *status);

#endif
