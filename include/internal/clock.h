/* SPDX-License-Identifier: MIT */
#ifndef INTERNAL_CLOCK_H
#define INTERNAL_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Seconds since 1970 by the clock from which snapshots have their times. time(2) goes by another one, which is a moment
 * late: by that, what was taken just now may be in the future. */
static inline int64_t bt_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec;
}

#endif
