/* SPDX-License-Identifier: MIT */
/*
 * The snapshots as the root shows them. Each has a serial number in the order of discovery, which it keeps when others
 * come and go. A snapshot is opened when it is first looked at. It stays open, even if it was removed, as long as
 * somebody may be in it.
 *
 * All functions may be called by several threads at the same time, but for root_new, root_update and root_free.
 */
#ifndef FS_ROOT_H
#define FS_ROOT_H

#include "fs.h"

#define ROOT_NONE UINT32_MAX

/* Reads the list of the open store, and opens the one snapshot of -o snapshot=. */
int root_new(struct fs *fs, struct bt_error *error); /* 0 or a bt_code */
void root_free(struct fs *fs);

/* After bt_store_refresh, by look.c: adds the serials that appeared or vanished (free serials); both, with one name,
 * when another file took that. */
int root_update(struct fs *fs, struct root_change *change);

bool root_is_single(const struct fs *fs, uint32_t *ret_serial); /* one snapshot is the root */
uint32_t root_count(const struct fs *fs);			/* serials are below this */
bool root_is_gone(const struct fs *fs, uint32_t serial);
const char *root_file_name(const struct fs *fs, uint32_t serial); /* in the store; stays */
size_t root_name_length(const struct fs *fs, uint32_t serial);	  /* of what is shown: without .json */
uint64_t root_hash(const struct fs *fs, uint32_t serial);	  /* of the name, for attr_ino */

/* Neither gone nor, with -o subpath, without that; to tell, it may have to be opened. */
bool root_is_shown(struct fs *fs, uint32_t serial);
/* Of those: the newest, the one of that name. False if there is none. */
bool root_latest(struct fs *fs, uint32_t *ret_serial);
bool root_find(struct fs *fs, const char *name, uint32_t *ret_serial);
/* The one that "@TIME", "latest~N", or the beginning of the time in its name and of no other's ("2026-11-20T10") means.
 */
bool root_find_meant(struct fs *fs, const char *text, uint32_t *ret_serial);

/* Counts users of a snapshot: the kernel was told of its directory, or (less than 0) has forgotten it. As long as it
 * knows the directory, somebody may have a file below open. */
void root_used(struct fs *fs, uint32_t serial, long change);
bool root_is_needed(const struct fs *fs, uint32_t serial); /* it is gone, and has users */
void root_close_gone(struct fs *fs);			   /* those that are gone and have no users */

/* Opens a snapshot: its information and the directory to show, which stay until the caller, who counts as a user now,
 * calls root_used(fs, serial, -1). */
struct root_snapshot {
	const struct bt_snapshot_info *info;
	const struct bt_entry *top;
};
int root_open(struct fs *fs, uint32_t serial, struct root_snapshot *ret_snapshot);

#endif
