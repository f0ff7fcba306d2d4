/* SPDX-License-Identifier: MIT */
/*
 * Times of the day and the week at which a job runs: pure decisions in seconds since 1970, by the clocks on the wall in
 * the zone of the process (tzset). Nothing here reads the clock. A time that comes twice, because clocks are turned
 * back, is one instant; one that does not come, because they are turned forward, is the instant at which they are.
 */
#ifndef INTERNAL_CALENDAR_H
#define INTERNAL_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

enum { BT_DAY_MINUTES = 24 * 60, BT_WEEK_MINUTES = 7 * BT_DAY_MINUTES };

struct bt_calendar {
	bool any;
	uint8_t minutes[BT_WEEK_MINUTES / 8]; /* a bit for each, from Sunday 0:00 on */
};

/* Adds "03:00", "03:00,15:00", "Mon 03:00", "Mon,Thu 03:00" or "Mon-Fri 08:00,18:00". False: it is something else, and
 * nothing was added. */
bool bt_calendar_add(struct bt_calendar *calendar, const char *text);
/* The days on which this minute of the day is one of the times: bit 0 is Sunday. */
unsigned bt_calendar_days(const struct bt_calendar *calendar, unsigned minute);

/* The first instant after that one. False: there is none, because the calendar is empty. */
bool bt_calendar_next(const struct bt_calendar *calendar, int64_t after, int64_t *ret_instant);
/* The instants after the one and up to the other, but no more than BT_CALENDAR_MOST. */
#define BT_CALENDAR_MOST 1000
uint64_t bt_calendar_count(const struct bt_calendar *calendar, int64_t after, int64_t until);
/*
 * When the next run is due, if all up to the instant `served` are done: the last instant up to now, if it came after
 * that, or else the next one. So of those that were missed one is made up. `served` more than a day from now was a
 * clock that was wrong. False as above.
 */
bool bt_calendar_due(const struct bt_calendar *calendar, int64_t served, int64_t now, int64_t *ret_due);

#endif
