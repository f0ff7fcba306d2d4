/* SPDX-License-Identifier: MIT */
/* Inode flags and project ids of files and directories. */
#ifndef BT_RESTORE_FLAGS_H
#define BT_RESTORE_FLAGS_H

#include <backuptool/view.h>

/* Of a file that was just made and is empty: flags that others would not be taken with later, such as no copy on write.
 * What fails is tried again by bt_inode_set. */
void bt_inode_begin(int fd, const struct bt_entry *entry);
/* All of them, after everything else. renamed: it still gets its name, so that those that forbid any change are for
 * bt_inode_seal. An entry without any says nothing of them, as one of a file system that has none: then what is there
 * stays. False: not all could be set, by this process or on this file system. */
bool bt_inode_set(int fd, const struct bt_entry *entry, bool renamed);
/* Those that forbid any change, of a file that has its name. Not where it gets further names. */
bool bt_inode_seal(int dirfd, const struct bt_entry *entry);
/* Whether what stands at name in dirfd has those that the entry has. */
bool bt_inode_equal(int dirfd, const char *name, const struct bt_entry *entry);
/* Whether it must not be changed because of its flags; name "": the descriptor's own. */
bool bt_inode_forbids(int dirfd, const char *name);
/* Whether that is why name could not be made, replaced or removed in dirfd: its flags, or those of the directory. */
bool bt_inode_refused(int dirfd, const char *name, int sys);

#endif
