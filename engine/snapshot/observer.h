/* SPDX-License-Identifier: MIT */
/* The caller's observer, for all stages of a snapshot to call, and the first failure. */
#ifndef BT_SNAPSHOT_OBSERVER_H
#define BT_SNAPSHOT_OBSERVER_H

#include "base/voice.h"

struct bt_snap_observer {
	struct bt_voice voice;			 /* the first member: arg of outer */
	struct bt_observer outer;		 /* calls the caller's under the lock; for other rooms to use */
	const struct bt_observer *asked;	 /* what becomes of the run; NULL: nobody, and it may be cancelled */
	struct bt_observer patient;		 /* the same without a word of that, for the voice */
	uint64_t expected_files, expected_bytes; /* totals of the parent; 0: there is no parent */
};

void bt_snap_observer_init(struct bt_snap_observer *self, const struct bt_observer *observer);
void bt_snap_observer_destroy(struct bt_snap_observer *self);

/* From now on the run is ended by its course alone, if the caller has one. No other thread uses it yet. */
void bt_snap_observer_ask(struct bt_snap_observer *self);
/* BT_COURSE_ON also if nobody is asked. */
enum bt_course bt_snap_course(struct bt_snap_observer *self);

bool bt_snap_wants_entries(const struct bt_snap_observer *self);
void bt_snap_told(struct bt_snap_observer *self, enum bt_event event, const char *path, uint64_t bytes);
/* The caller asks bt_pace_due first. */
void bt_snap_progress(struct bt_snap_observer *self, const struct bt_progress *so_far);

#endif
