/* SPDX-License-Identifier: MIT */
#include "base/pace.h"
#include <time.h>

#define PACE_NS INT64_C(100000000)

bool bt_pace_due(struct bt_pace *pace, const struct bt_observer *observer)
{
	struct timespec now;

	if (!observer || !observer->progress || clock_gettime(CLOCK_MONOTONIC, &now))
		return false;
	int64_t at = now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
	if (pace->last && at - pace->last < PACE_NS)
		return false;
	pace->last = at;
	return true;
}
