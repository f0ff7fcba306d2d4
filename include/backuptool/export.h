/* SPDX-License-Identifier: MIT */
/* Writing the original layout (FORMAT.md §5). */
#ifndef BACKUPTOOL_EXPORT_H
#define BACKUPTOOL_EXPORT_H

#include <backuptool/observer.h>
#include <backuptool/view.h>

BT_C_BEGIN

/* Writes the snapshot's files in the layout of version 1 to path, which must not exist; the file appears when it is
 * complete. Paths are relative to the snapshot's root, with the last component of its target in front ("docs/a.txt" of
 * /home/me/docs), as the original wrote for a relative target. Version 1 has no place for empty directories, links and
 * metadata: these are left out, and counted in *ret_left_out. BT_E_INCOMPLETE: the file was written, but without the
 * contents of files that could not be read, now or when the snapshot was taken; the observer was told of each.
 * BT_E_FOREIGN: a symbolic link on the way to path belongs to neither root nor the effective user, and
 * follow_foreign_links is not set; foreign.h tells where it leads. */
int bt_export_classic(struct bt_store *store, const struct bt_snapshot *snapshot, const char *path,
		      bool follow_foreign_links, const struct bt_observer *observer, uint64_t *ret_left_out,
		      struct bt_error *error);

struct bt_export_size {
	size_t size;	/* of this struct */
	uint64_t bytes; /* about how large the file will be; UINT64_MAX: more than can be said */
	uint64_t space; /* free bytes that this user may use on the file system of path */
	uint64_t store; /* bytes of the store's files */
};
/* Tells how large the file would be before anything is written: this layout has no holes and no compression, so a small
 * store can make a very large file. Costs a walk through the snapshot. */
int bt_export_classic_size(struct bt_store *store, const struct bt_snapshot *snapshot, const char *path,
			   const struct bt_observer *observer, struct bt_export_size *ret_size, struct bt_error *error);

BT_C_END

#endif
