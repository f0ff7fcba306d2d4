/* SPDX-License-Identifier: MIT */
/* What the clocks on the wall show in the zone of the process. A reading is that, as seconds since 1970 as if it were
 * UTC. */
#ifndef BT_POLICY_CLOCK_H
#define BT_POLICY_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define DAY 86400

/* Seconds of the first and the last time that a calendar of four digits has. */
#define YEAR_0000 INT64_C(-62167219200)
#define YEAR_9999 INT64_C(253402300799)

/* Which second of a minute, a day, a month or a year is meant. */
enum bt_which { FIRST, LAST };

int64_t bt_clock_reading(int64_t seconds);
/* LAST: the last time at which the clocks had not passed this reading: of two when they are turned back, the later one;
 * of none when they are turned forward, the second before that. FIRST: the first time at which they had passed what
 * comes before this reading. mktime(3) leaves both to chance. */
int64_t bt_clock_time(int64_t reading, enum bt_which which);

/* month: 1 to 12. */
int bt_days_in_month(int year, int month);
/* The midnight before, or that itself. */
int64_t bt_midnight(int64_t reading);
/* The same hour that number of months before, on the last day of a month that has no such day. Both from year 0 to
 * 9999; otherwise -1, else 0. */
int bt_months_before(int64_t reading, int64_t months, int64_t *ret_reading);
/* 0 for Sunday. */
int bt_weekday(int64_t reading);
/* The same of its name: "mon" or "Monday". -1: it is not one. */
int bt_weekday_of(const char *word, size_t length);

#endif
