/* SPDX-License-Identifier: MIT */
/* How often progress is told. */
#ifndef BT_BASE_PACE_H
#define BT_BASE_PACE_H

#include <backuptool/observer.h>

/* The time of the last report; zeroed: never. For one thread at a time. */
struct bt_pace {
	int64_t last; /* nanoseconds */
};

/* Whether there is a progress function that was not called for a tenth of a second; if so, this counts as a call.
 * Prepare the report, above all its path, only after this returned true. observer may be NULL. */
bool bt_pace_due(struct bt_pace *pace, const struct bt_observer *observer);

#endif
