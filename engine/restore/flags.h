/* SPDX-License-Identifier: MIT */
/* Inode flags and project ids of files and directories. */
#ifndef BT_RESTORE_FLAGS_H
#define BT_RESTORE_FLAGS_H

#include <backuptool/view.h>

/* Sets flags that only an empty file takes, such as no copy on write. Call it just after the file was made.
 * bt_inode_set tries again what fails here. */
void bt_inode_begin(int fd, const struct bt_entry *entry);
/* Sets all flags, after everything else. renamed: the file is still to get its name, so that flags that forbid any
 * change are left to bt_inode_seal. If the entry says nothing of flags, as one from a file system without them, nothing
 * is changed. False: this process, or this file system, cannot set all of them. */
bool bt_inode_set(int fd, const struct bt_entry *entry, bool renamed);
/* Sets flags that forbid any change, once the file has its name. Do not call it while the file is to get further
 * names. */
bool bt_inode_seal(int dirfd, const struct bt_entry *entry);
/* Whether the file at name in dirfd has the flags of the entry. */
bool bt_inode_equal(int dirfd, const char *name, const struct bt_entry *entry);
/* Whether flags of the file forbid changes; name "": the file of the descriptor. */
bool bt_inode_forbids(int dirfd, const char *name);
/* Whether flags, of the file or of its directory, are why name could not be made, replaced or removed in dirfd with
 * errno sys. */
bool bt_inode_refused(int dirfd, const char *name, int sys);

#endif
