/* SPDX-License-Identifier: MIT */
/*
 * The snapshots that the root shows. Each has a serial number in the order of discovery, which it keeps when others
 * come and go. A snapshot is opened at its first use. It stays open, even after its removal, as long as it may have
 * users.
 *
 * All functions may be called by several threads at the same time, except root_new, root_update and root_free.
 */
#ifndef FS_ROOT_H
#define FS_ROOT_H

#include "fs.h"

#define ROOT_NONE UINT32_MAX

/* Reads the list of the open store, and opens the one snapshot of -o snapshot=. */
int root_new(struct fs *fs, struct bt_error *error); /* 0 or a bt_code */
void root_free(struct fs *fs);

/* Called by look.c after bt_store_refresh: adds the serials that appeared or vanished to change (free serials). A file
 * that replaced another one of its name gives both. */
int root_update(struct fs *fs, struct root_change *change);

bool root_is_single(const struct fs *fs, uint32_t *ret_serial); /* whether the root shows the inside of one snapshot */
uint32_t root_count(const struct fs *fs);			/* serials are below this */
bool root_is_gone(const struct fs *fs, uint32_t serial);
const char *root_file_name(const struct fs *fs, uint32_t serial); /* in the store; valid until root_free */
size_t root_name_length(const struct fs *fs, uint32_t serial);	  /* of the shown name, without .json */
uint64_t root_hash(const struct fs *fs, uint32_t serial);	  /* of the name, for attr_ino */

/* Whether the root shows the snapshot: it is not gone, the options select it, and it has the directory of -o subpath,
 * for which it may have to be opened. */
bool root_is_shown(struct fs *fs, uint32_t serial);
/* With -o group: the number of the directory in which a snapshot is shown (groups.h); GROUPS_NONE if it never was
 * opened. root_sort opens those that were not, so that all groups are known. */
uint32_t root_group(const struct fs *fs, uint32_t serial);
void root_sort(struct fs *fs);
bool root_may_hide(const struct fs *fs); /* whether there are options by which a snapshot may not be shown */
/* The newest of the shown snapshots of a group, or the one of this name. GROUPS_NONE: of all. False: not found. */
bool root_latest(struct fs *fs, uint32_t group, uint32_t *ret_serial);
bool root_find(struct fs *fs, uint32_t group, const char *name, uint32_t *ret_serial);
/* The shown snapshot that "@TIME" or "latest~N" means, or a beginning of its time that no other one has
 * ("2026-11-20T10"). */
bool root_find_meant(struct fs *fs, uint32_t group, const char *text, uint32_t *ret_serial);

/* Adds users of a snapshot: the kernel was told of its directory, or (negative) has forgotten it. While the kernel
 * knows the directory, a file below may be open. */
void root_used(struct fs *fs, uint32_t serial, long change);
bool root_is_needed(const struct fs *fs, uint32_t serial); /* whether it is gone, and has users */
void root_close_gone(struct fs *fs);			   /* closes snapshots that are gone and have no users */

/* Opens a snapshot, and counts the caller as a user: its information and the directory to show are valid until the
 * caller calls root_used(fs, serial, -1). */
struct root_snapshot {
	const struct bt_snapshot_info *info;
	const struct bt_entry *top;
};
int root_open(struct fs *fs, uint32_t serial, struct root_snapshot *ret_snapshot);

#endif
