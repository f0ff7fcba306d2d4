/* SPDX-License-Identifier: MIT */
/* The run's voice and its brake: the caller's observer, called by one thread at a time, and the first failure. */
#ifndef BT_SNAPSHOT_WATCH_H
#define BT_SNAPSHOT_WATCH_H

#include "base/pace.h"
#include <pthread.h>
#include <stdatomic.h>

struct bt_snap_watch {
	const struct bt_observer *inner; /* NULL: none */
	struct bt_observer outer;	 /* calls inner under the lock; for others to use */
	pthread_mutex_t lock;
	struct bt_pace pace;			 /* [finish] */
	uint64_t expected_files, expected_bytes; /* what the parent has; 0: there is none */
	atomic_bool stop;
	struct bt_error error; /* the first failure */
};

void bt_snap_watch_init(struct bt_snap_watch *watch, const struct bt_observer *observer);
void bt_snap_watch_destroy(struct bt_snap_watch *watch);

/* Ends the run: the first failure is kept. Returns its code. error may be empty, then code is all that is known. */
int bt_snap_fail(struct bt_snap_watch *watch, int code, const struct bt_error *error);
/* The code of the failure so far, asking the caller whether to go on; 0 to go on. */
int bt_snap_stopped(struct bt_snap_watch *watch);

void bt_snap_problem(struct bt_snap_watch *watch, const char *path, const struct bt_error *error);
bool bt_snap_wants_entries(const struct bt_snap_watch *watch);
void bt_snap_told(struct bt_snap_watch *watch, enum bt_event event, const char *path);
/* Progress is told by one thread at a time, and unless syncing only when it is due. */
bool bt_snap_progress_due(struct bt_snap_watch *watch);
void bt_snap_progress(struct bt_snap_watch *watch, const struct bt_progress *so_far);

#endif
