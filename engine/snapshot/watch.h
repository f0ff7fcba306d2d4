/* SPDX-License-Identifier: MIT */
/* The run's voice and its brake: the caller's observer, called by one thread at a time, and the first failure. */
#ifndef BT_SNAPSHOT_WATCH_H
#define BT_SNAPSHOT_WATCH_H

#include "base/voice.h"

struct bt_snap_watch {
	struct bt_voice voice;			 /* the first member: arg of outer */
	struct bt_observer outer;		 /* calls that of voice under the lock; for others to use */
	struct bt_pace pace;			 /* [finish] */
	uint64_t expected_files, expected_bytes; /* what the parent has; 0: there is none */
};

void bt_snap_watch_init(struct bt_snap_watch *watch, const struct bt_observer *observer);
void bt_snap_watch_destroy(struct bt_snap_watch *watch);

bool bt_snap_wants_entries(const struct bt_snap_watch *watch);
void bt_snap_told(struct bt_snap_watch *watch, enum bt_event event, const char *path);
/* Progress is told by one thread at a time, and unless syncing only when it is due. */
bool bt_snap_progress_due(struct bt_snap_watch *watch);
void bt_snap_progress(struct bt_snap_watch *watch, const struct bt_progress *so_far);

#endif
