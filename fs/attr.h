/* SPDX-License-Identifier: MIT */
/*
 * What stat(2) shows of an entry. Inode numbers are stable across mounts: of a file they depend on its path in the
 * snapshot, content and metadata (equal in two snapshots: the same file to diff and du), of hard links on the snapshot
 * and on what they share instead of the path, of a directory on the snapshot and the path.
 */
#ifndef FS_ATTR_H
#define FS_ATTR_H

#include <backuptool/view.h>
#include <sys/stat.h>

/* What the mount's options change for everybody. */
struct attr_rules {
	bool set_uid, set_gid;
	uint32_t uid, gid;
	uint32_t umask;
	bool acls; /* the kernel is told of lists of permissions, and obeys them: the mode is shown as it is */
};

/* Whether there are any. If so, no list of permissions is shown: it would give back what the rules take away. */
bool attr_rules_any(const struct attr_rules *rules);

uint64_t attr_path_top(void); /* the path of a snapshot's own directory */
uint64_t attr_path_below(uint64_t path, const char *name, size_t length);

/* path: of the entry itself. snapshot: a hash of the snapshot's name; 0 where equal files of several are one. */
uint64_t attr_ino(const struct bt_entry *entry, uint64_t path, uint64_t snapshot);
/* Whether its content is known: it is no directory, and could be read when the snapshot was taken. */
bool attr_is_known(const struct bt_entry *entry);
/* Whether it may be one node in several snapshots: its content is known, and it has one name. With hard links, a
 * program that copies two snapshots would take names in both for one file. */
bool attr_is_shareable(const struct bt_entry *entry);

/* Whether an entry has a list of permissions besides its mode; and its mode where the list is not shown: it grants only
 * what both grant. */
#define ATTR_ACL_PREFIX "system.posix_acl_"
bool attr_has_acl(const struct bt_entry *entry);
uint16_t attr_mode_without_acl(const struct bt_entry *entry);

void attr_fill(const struct attr_rules *rules, const struct bt_entry *entry, uint64_t ino, struct stat *ret_stat);
mode_t attr_type_bits(uint8_t type); /* S_IFREG and so on of an enum bt_type */
/* Bytes of a file that are not in holes. */
uint64_t attr_data_bytes(const struct bt_entry *entry);

#endif
