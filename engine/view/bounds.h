/* SPDX-License-Identifier: MIT */
/*
 * How much a walk through a snapshot may find. Of a small store the directories can name each other so that there is no
 * end of paths, and a chain of long names makes paths as long as the store: every walk counts here what it finds.
 */
#ifndef BT_VIEW_BOUNDS_H
#define BT_VIEW_BOUNDS_H

#include "base/path_room.h"
#include <backuptool/view.h>

struct bt_bounds {
	const char *name; /* the snapshot's, borrowed */
	uint64_t entries; /* that may still be found */
	struct bt_path_room room;
};

/* As many entries as the summary counts; none if that is more than the store's size makes possible, so that nothing is
 * begun that would not end. */
struct bt_bounds bt_bounds_of(const struct bt_store *store, const struct bt_snapshot_info *info);
/* One more entry, and the bytes of its path where the depth costs something, else 0. BT_E_DAMAGED [bad-size]: there are
 * more than the snapshot says. BT_E_INCOMPLETE: the paths are too long to be gone through in one go. The walk ends
 * then. */
int bt_bounds_take(struct bt_bounds *bounds, size_t path_bytes, struct bt_error *error);

#endif
