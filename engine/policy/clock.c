/* SPDX-License-Identifier: MIT */
#include "policy/clock.h"
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* More than any zone is away from UTC. */
#define ZONE_MAX (26 * 3600)

int64_t bt_clock_reading(int64_t seconds)
{
	time_t time = seconds;
	struct tm tm;

	return localtime_r(&time, &tm) ? seconds + tm.tm_gmtoff : seconds;
}

static int64_t last_time(int64_t reading)
{
	int64_t low = reading - ZONE_MAX, high = reading + ZONE_MAX;
	int64_t by_old_zone = reading - (bt_clock_reading(low) - low);
	int64_t by_new_zone = reading - (bt_clock_reading(high) - high);
	bool old_fits = bt_clock_reading(by_old_zone) == reading;
	bool new_fits = bt_clock_reading(by_new_zone) == reading;

	if (old_fits && new_fits)
		return by_old_zone > by_new_zone ? by_old_zone : by_new_zone;
	if (old_fits || new_fits)
		return old_fits ? by_old_zone : by_new_zone;
	while (high - low > 1) {
		int64_t middle = low + (high - low) / 2;

		if (bt_clock_reading(middle) <= reading)
			low = middle;
		else
			high = middle;
	}
	return low;
}

int64_t bt_clock_time(int64_t reading, enum bt_which which)
{
	return which == LAST ? last_time(reading) : last_time(reading - 1) + 1;
}

int bt_days_in_month(int year, int month)
{
	static const signed char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return month == 2 && leap ? 29 : days[month - 1];
}

int64_t bt_midnight(int64_t reading)
{
	int64_t rest = reading % DAY;

	return reading - (rest < 0 ? rest + DAY : rest);
}

int bt_weekday(int64_t reading)
{
	int64_t day = bt_midnight(reading) / DAY % 7; /* 1970-01-01 was a Thursday */

	return (int)((day + 7 + 4) % 7);
}

int bt_weekday_of(const char *word, size_t length)
{
	static const char *const names[] = {"sunday",	"monday", "tuesday", "wednesday",
					    "thursday", "friday", "saturday"};

	for (int day = 0; day < 7; day++)
		if ((length == 3 || length == strlen(names[day])) && strncasecmp(word, names[day], length) == 0)
			return day;
	return -1;
}

int bt_months_before(int64_t reading, int64_t months, int64_t *ret_reading)
{
	time_t time = reading;
	struct tm tm;
	int64_t left;
	int days;

	if (reading < YEAR_0000 || reading > YEAR_9999 || !gmtime_r(&time, &tm))
		return -1;
	left = (tm.tm_year + INT64_C(1900)) * 12 + tm.tm_mon;
	if (months < 0 || months > left)
		return -1;
	left -= months;
	tm.tm_year = (int)(left / 12) - 1900;
	tm.tm_mon = (int)(left % 12);
	days = bt_days_in_month((int)(left / 12), tm.tm_mon + 1);
	tm.tm_mday = tm.tm_mday < days ? tm.tm_mday : days;
	*ret_reading = timegm(&tm);
	return 0;
}
