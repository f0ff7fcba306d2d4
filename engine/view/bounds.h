/* SPDX-License-Identifier: MIT */
/*
 * The limits of a walk through a snapshot. The directories of a small hostile store can share each other so that the
 * number of paths is astronomical, and nested long names make paths as long as the store. So every walk counts here
 * what it finds.
 */
#ifndef BT_VIEW_BOUNDS_H
#define BT_VIEW_BOUNDS_H

#include "base/path_room.h"
#include <backuptool/view.h>

struct bt_bounds {
	const char *name; /* the snapshot's, borrowed */
	uint64_t entries; /* how many may still be found */
	struct bt_path_room room;
};

/* As many entries as the summary counts. If the store is too small to have that many, 0: a walk that would not end does
 * not begin. */
struct bt_bounds bt_bounds_of(const struct bt_store *store, const struct bt_snapshot_info *info);
/* Counts one more entry. path_bytes: length of its path, or 0 if the walk does not make paths. BT_E_DAMAGED [bad-size]:
 * there are more entries than the snapshot declares. BT_E_INCOMPLETE: the paths are too long for one walk. The walk
 * ends then. */
int bt_bounds_take(struct bt_bounds *bounds, size_t path_bytes, struct bt_error *error);

#endif
