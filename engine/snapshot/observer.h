/* SPDX-License-Identifier: MIT */
/* The caller's observer, for all stages of a snapshot to call, and the first failure. */
#ifndef BT_SNAPSHOT_OBSERVER_H
#define BT_SNAPSHOT_OBSERVER_H

#include "base/voice.h"

struct bt_snap_observer {
	struct bt_voice voice;			 /* the first member: arg of outer */
	struct bt_observer outer;		 /* calls the caller's under the lock; for other rooms to use */
	uint64_t expected_files, expected_bytes; /* totals of the parent; 0: there is no parent */
};

void bt_snap_observer_init(struct bt_snap_observer *self, const struct bt_observer *observer);
void bt_snap_observer_destroy(struct bt_snap_observer *self);

bool bt_snap_wants_entries(const struct bt_snap_observer *self);
void bt_snap_told(struct bt_snap_observer *self, enum bt_event event, const char *path, uint64_t bytes);
/* The caller asks bt_pace_due first. */
void bt_snap_progress(struct bt_snap_observer *self, const struct bt_progress *so_far);

#endif
