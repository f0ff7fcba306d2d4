/* SPDX-License-Identifier: MIT */
/* When a job runs: a pure decision over times of one clock, all in one unit. Nothing here reads the clock. */
#ifndef INTERNAL_SCHEDULE_H
#define INTERNAL_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

/* Run n is due at start + n * interval: run 0 always, the others while that is before start + duration. These times do
 * not depend on how long the runs take. */
struct bt_schedule {
	int64_t start, interval, duration; /* interval at least 1; duration -1: forever */
};

struct bt_schedule_next {
	bool done;	  /* no other run is due */
	uint64_t run;	  /* if not done */
	int64_t deadline; /* of that run; not before now */
	uint64_t missed;  /* runs that were due since the last one, but were not made */
};

/* The run after `last`, which ended now. A deadline that is just reached is not missed. */
void bt_schedule_next(const struct bt_schedule *schedule, uint64_t last, int64_t now,
		      struct bt_schedule_next *ret_next);

#endif
