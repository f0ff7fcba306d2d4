/* SPDX-License-Identifier: MIT */
#include "policy/clock.h"
#include "policy/digits.h"
#include <internal/calendar.h>
#include <string.h>

enum { ALL_DAYS = (1 << 7) - 1 };

static bool parse_day(const char **at, unsigned *ret_day)
{
	size_t length = strspn(*at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
	int day = bt_weekday_of(*at, length);

	*at += length;
	*ret_day = (unsigned)day;
	return day >= 0;
}

static bool parse_days(const char **at, unsigned *ret_days)
{
	unsigned days = 0, first, last;

	do {
		if (!parse_day(at, &first))
			return false;
		last = first;
		if (bt_skip(at, "-") && !parse_day(at, &last))
			return false;
		for (days |= 1U << first; first != last; days |= 1U << first)
			first = (first + 1) % 7;
	} while (bt_skip(at, ","));
	*ret_days = days;
	return bt_skip(at, " ");
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool parse_minute(const char **at, unsigned *ret_minute)
{
	int hour, minute, digits = is_digit((*at)[0]) && is_digit((*at)[1]) ? 2 : 1;

	if (!bt_digits(at, digits, &hour) || !bt_skip(at, ":") || !bt_digits(at, 2, &minute))
		return false;
	*ret_minute = (unsigned)(60 * hour + minute);
	return hour < 24 && minute < 60;
}

static void mark(struct bt_calendar *calendar, unsigned days, unsigned minute)
{
	for (unsigned day = 0; day < 7; day++)
		if (days & 1U << day) {
			unsigned at = day * BT_DAY_MINUTES + minute;

			calendar->minutes[at / 8] |= (uint8_t)(1U << at % 8);
		}
	calendar->any = true;
}

bool bt_calendar_add(struct bt_calendar *calendar, const char *text)
{
	struct bt_calendar added = *calendar;
	unsigned days = ALL_DAYS, minute;

	if (!is_digit(*text) && !parse_days(&text, &days))
		return false;
	do {
		if (!parse_minute(&text, &minute))
			return false;
		mark(&added, days, minute);
	} while (bt_skip(&text, ","));
	if (*text)
		return false;
	*calendar = added;
	return true;
}

static bool is_marked(const struct bt_calendar *calendar, int64_t of_week)
{
	return calendar->minutes[of_week / 8] & 1U << of_week % 8;
}

unsigned bt_calendar_days(const struct bt_calendar *calendar, unsigned minute)
{
	unsigned days = 0;

	for (unsigned day = 0; day < 7; day++)
		if (is_marked(calendar, day * BT_DAY_MINUTES + minute))
			days |= 1U << day;
	return days;
}

/* The minutes of all time, as the clocks on the wall count them, have numbers from 1970 on. */
static int64_t minute_at(int64_t seconds)
{
	int64_t reading = bt_clock_reading(seconds);

	return reading / 60 - (reading % 60 < 0);
}

/* Whether it is one of the calendar's, and when that is. */
static bool is_instant(const struct bt_calendar *calendar, int64_t minute, int64_t *ret_instant)
{
	int64_t reading = 60 * minute, of_day = (reading - bt_midnight(reading)) / 60;

	if (!is_marked(calendar, (int64_t)bt_weekday(reading) * BT_DAY_MINUTES + of_day))
		return false;
	*ret_instant = bt_clock_time(reading, FIRST);
	return true;
}

/* Clocks that are turned back show minutes again, of which only the second counts. */
static int64_t earliest_after(int64_t seconds)
{
	return minute_at(seconds) - BT_DAY_MINUTES;
}

bool bt_calendar_next(const struct bt_calendar *calendar, int64_t after, int64_t *ret_instant)
{
	int64_t minute = earliest_after(after), last = minute + BT_DAY_MINUTES + BT_WEEK_MINUTES, instant;

	for (; calendar->any && minute <= last; minute++)
		if (is_instant(calendar, minute, &instant) && instant > after) {
			*ret_instant = instant;
			return true;
		}
	return false;
}

uint64_t bt_calendar_count(const struct bt_calendar *calendar, int64_t after, int64_t until)
{
	int64_t last = minute_at(until), instant, before = after;
	uint64_t count = 0;

	for (int64_t minute = earliest_after(after); calendar->any && minute <= last; minute++) {
		if (!is_instant(calendar, minute, &instant) || instant <= before || instant > until)
			continue;
		before = instant;
		if (++count == BT_CALENDAR_MOST)
			break;
	}
	return count;
}

static bool last_until(const struct bt_calendar *calendar, int64_t until, int64_t *ret_instant)
{
	int64_t minute = minute_at(until), first = minute - BT_WEEK_MINUTES, instant;

	for (; calendar->any && minute >= first; minute--)
		if (is_instant(calendar, minute, &instant) && instant <= until) {
			*ret_instant = instant;
			return true;
		}
	return false;
}

bool bt_calendar_due(const struct bt_calendar *calendar, int64_t served, int64_t now, int64_t *ret_due)
{
	int64_t done = served > now + DAY ? now : served;

	if (last_until(calendar, now, ret_due) && *ret_due > done)
		return true;
	return bt_calendar_next(calendar, done > now ? done : now, ret_due);
}
