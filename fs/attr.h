/* SPDX-License-Identifier: MIT */
/* The attributes of entries, as stat(2) shows them. Inode numbers are the same in every mount. That of a file depends
 * on its path in the snapshot, its content and metadata (equal in two snapshots: the same file to diff and du); that of
 * a file with hard links on the snapshot and on what the links share, not on the path; that of a directory on the
 * snapshot and the path. */
#ifndef FS_ATTR_H
#define FS_ATTR_H

#include <backuptool/view.h>
#include <sys/stat.h>

/* How the mount's options change the attributes of all entries. */
struct attr_rules {
	bool set_uid, set_gid;
	uint32_t uid, gid;
	uint32_t umask;
	bool acls; /* the kernel knows the lists of permissions, and obeys them: the mode is shown unchanged */
};

/* Whether the options change any attribute. Then no list of permissions is shown: it would give back what the rules
 * take away. */
bool attr_rules_any(const struct attr_rules *rules);

uint64_t attr_path_top(void); /* the path of a snapshot's top directory */
uint64_t attr_path_below(uint64_t path, const char *name, size_t length);

/* path: of the entry. snapshot: a hash of the snapshot's name; 0 if equal files of several snapshots are one inode. */
uint64_t attr_ino(const struct bt_entry *entry, uint64_t path, uint64_t snapshot);
/* Whether the content is known: the entry is not a directory, and could be read for the snapshot. */
bool attr_is_known(const struct bt_entry *entry);
/* Whether the entry may be one node in several snapshots: its content is known, and it has one name. With hard links, a
 * program that copies two snapshots would take names in both for one file. */
bool attr_is_shareable(const struct bt_entry *entry);

/* Whether the entry has a list of permissions besides its mode. The mode to show without the list: it grants only what
 * both grant. */
#define ATTR_ACL_PREFIX "system.posix_acl_"
bool attr_has_acl(const struct bt_entry *entry);
uint16_t attr_mode_without_acl(const struct bt_entry *entry);

void attr_fill(const struct attr_rules *rules, const struct bt_entry *entry, uint64_t ino, struct stat *ret_stat);
mode_t attr_type_bits(uint8_t type); /* S_IFREG and so on of an enum bt_type */
/* The bytes of a file that are not in holes. */
uint64_t attr_data_bytes(const struct bt_entry *entry);

#endif
