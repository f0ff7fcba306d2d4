/* SPDX-License-Identifier: MIT */
/* Writing the original layout (FORMAT.md §5). */
#ifndef BACKUPTOOL_EXPORT_H
#define BACKUPTOOL_EXPORT_H

#include <backuptool/observer.h>
#include <backuptool/view.h>

/* Writes the snapshot's files in version 1 to path (which must not exist; appears whole). Paths are relative to the
 * snapshot's root with its target's last component in front ("docs/a.txt" of /home/me/docs), as the original wrote for
 * a relative target. What has no place in version 1 (empty directories, links, metadata) is left out and counted in
 * *ret_left_out. BT_E_INCOMPLETE: it was written, but without the contents of files that could not be read, now or when
 * the snapshot was taken; each was given to the observer. A symbolic link on the way to path that belongs to neither
 * root nor the effective user is BT_E_FOREIGN unless such are to be followed; where they lead, foreign.h tells. */
int bt_export_classic(struct bt_store *store, const struct bt_snapshot *snapshot, const char *path,
		      bool follow_foreign_links, const struct bt_observer *observer, uint64_t *ret_left_out,
		      struct bt_error *error);

struct bt_export_size {
	uint64_t bytes; /* that the file will have, about; UINT64_MAX: more than can be said */
	uint64_t space; /* that the file system where it is to appear has left for this user */
	uint64_t store; /* bytes of the store's files */
};
/* Looks, before anything is written, how large the file would be: this layout has no holes, and no compression, so that
 * a small store can make a very large one. Costs a walk through the snapshot. */
int bt_export_classic_size(struct bt_store *store, const struct bt_snapshot *snapshot, const char *path,
			   const struct bt_observer *observer, struct bt_export_size *ret_size, struct bt_error *error);

#endif
