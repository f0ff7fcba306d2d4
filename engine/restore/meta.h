/* SPDX-License-Identifier: MIT */
/* Restores owner, extended attributes (with ACLs), mode, times and inode flags, in this order: a change of owner drops
 * setuid bits and capabilities, an ACL changes the mode, every change changes the times, and some flags forbid any
 * further change. */
#ifndef BT_RESTORE_META_H
#define BT_RESTORE_META_H

#include "restore/run.h"

#define BT_META_PATH	1u /* the fd was opened with O_PATH */
#define BT_META_RENAMED 4u /* the file is still to be renamed: then bt_meta_seal follows */
#define BT_META_STRIP	2u /* remove xattrs that the entry does not have, but for the system's own */

/* Sets what this process may set. Other failures are reported as problems of name in place (NULL: of place itself). */
void bt_meta_apply(struct bt_restore_run *run, struct bt_place *place, const char *name, int fd,
		   const struct bt_entry *entry, unsigned flags);
/* Sets flags that would have forbidden the rename, of a file that has just got its name in dirfd. */
void bt_meta_seal(struct bt_restore_run *run, struct bt_place *place, int dirfd, const struct bt_entry *entry);
/* Whether the existing file at name in dirfd, which has the entry's type, has all of its metadata. The mtime is not
 * compared. */
bool bt_meta_equal(const struct bt_restore_run *run, int dirfd, const char *name, const struct bt_entry *entry,
		   const struct stat *status);
/* Whether owner and group are those that the entry gets here. */
bool bt_meta_owner_equal(const struct bt_restore_run *run, const struct bt_entry *entry, const struct stat *status);
bool bt_mtime_equal(const struct bt_entry *entry, const struct stat *status);
/* Below 0 if the entry's mtime is before that of the status, above 0 if it is after. */
int bt_mtime_compare(const struct bt_entry *entry, const struct stat *status);

#endif
