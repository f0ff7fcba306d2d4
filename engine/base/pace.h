/* SPDX-License-Identifier: MIT */
/* How often progress is told. */
#ifndef BT_BASE_PACE_H
#define BT_BASE_PACE_H

#include <backuptool/observer.h>

/* When it was told last; zeroed: never. One thread at a time. */
struct bt_pace {
	int64_t last; /* nanoseconds */
};

/* Whether somebody listens and has heard nothing for a tenth of a second; then it counts as told. What telling needs,
 * the path before all, is made only after this said so. observer may be NULL. */
bool bt_pace_due(struct bt_pace *pace, const struct bt_observer *observer);

#endif
