/* SPDX-License-Identifier: MIT */
/* The caller's observer as all stages of a snapshot may call it, and the first failure. */
#ifndef BT_SNAPSHOT_OBSERVER_H
#define BT_SNAPSHOT_OBSERVER_H

#include "base/voice.h"

struct bt_snap_observer {
	struct bt_voice voice;			 /* the first member: arg of outer */
	struct bt_observer outer;		 /* calls that of voice under the lock; for others to use */
	uint64_t expected_files, expected_bytes; /* what the parent has; 0: there is none */
};

void bt_snap_observer_init(struct bt_snap_observer *self, const struct bt_observer *observer);
void bt_snap_observer_destroy(struct bt_snap_observer *self);

bool bt_snap_wants_entries(const struct bt_snap_observer *self);
void bt_snap_told(struct bt_snap_observer *self, enum bt_event event, const char *path);
/* The caller asks bt_pace_due first. */
void bt_snap_progress(struct bt_snap_observer *self, const struct bt_progress *so_far);

#endif
