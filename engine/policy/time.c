/* SPDX-License-Identifier: MIT */
#include "policy/clock.h"
#include "policy/digits.h"
#include <internal/policy.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define LONGEST_SPAN 64

/* Fewer digits are a year, or nothing. */
#define UNIX_DIGITS 9

/* YYYY-MM-DD as the reading of its midnight. */
static bool parse_date(const char **at, int64_t *ret_seconds)
{
	struct tm tm = {0};
	const char *p = *at;
	int year, month;

	if (!bt_digits(&p, 4, &year) || !bt_skip(&p, "-") || !bt_digits(&p, 2, &month) || !bt_skip(&p, "-") ||
	    !bt_digits(&p, 2, &tm.tm_mday))
		return false;
	if (month < 1 || month > 12 || tm.tm_mday < 1 || tm.tm_mday > bt_days_in_month(year, month))
		return false;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	*at = p;
	*ret_seconds = timegm(&tm);
	return true;
}

/* HH:MM or HH:MM:SS; with another separator only the long form, since the end of the short one could be a zone. */
static bool parse_clock(const char **at, const char *separator, enum bt_which which, int64_t *ret_seconds)
{
	const char *p = *at;
	int hour, minute, second = which == LAST ? 59 : 0;

	if (!bt_digits(&p, 2, &hour) || !bt_skip(&p, separator) || !bt_digits(&p, 2, &minute))
		return false;
	if (bt_skip(&p, separator)) {
		if (!bt_digits(&p, 2, &second))
			return false;
	} else if (*separator != ':') {
		return false;
	}
	if (hour > 23 || minute > 59 || second > 59)
		return false;
	*at = p;
	*ret_seconds = hour * 3600 + minute * 60 + second;
	return true;
}

/* Z or ±HH:MM. */
static bool parse_zone(const char **at, int64_t *ret_offset)
{
	int sign, hour, minute;

	if (bt_skip(at, "Z")) {
		*ret_offset = 0;
		return true;
	}
	sign = **at == '-' ? -1 : 1;
	if ((!bt_skip(at, "-") && !bt_skip(at, "+")) || !bt_digits(at, 2, &hour) || !bt_skip(at, ":") ||
	    !bt_digits(at, 2, &minute))
		return false;
	if (hour > 23 || minute > 59)
		return false;
	*ret_offset = sign * (hour * 3600 + minute * 60);
	return true;
}

static bool parse_unix(const char *at, int64_t *ret_seconds)
{
	bool negative = bt_skip(&at, "-");
	int64_t number;

	if (!bt_number(&at, &number) || *at != '\0')
		return false;
	*ret_seconds = negative ? -number : number;
	return true;
}

/* "1732271400", or any number after an @. */
static bool parse_seconds(const char *text, int64_t *ret_seconds)
{
	bool long_enough = strspn(text, "0123456789") >= UNIX_DIGITS;

	return parse_unix(*text == '@' ? text + 1 : long_enough ? text : "", ret_seconds);
}

/* A year, or a month of it. */
static bool parse_period(const char *text, enum bt_which which, int64_t *ret_seconds)
{
	struct tm first = {.tm_mday = 1}, next;
	int month = 0;

	if (!bt_digits(&text, 4, &first.tm_year))
		return false;
	first.tm_year -= 1900;
	next = first;
	if (*text && (!bt_skip(&text, "-") || !bt_digits(&text, 2, &month) || *text || month < 1 || month > 12))
		return false;
	first.tm_mon = month ? month - 1 : 0;
	next.tm_mon = month ? month : 12;
	*ret_seconds = bt_clock_time(which == FIRST ? timegm(&first) : timegm(&next) - 1, which);
	return true;
}

static bool is_word(const char *text, size_t length, const char *word)
{
	return length == strlen(word) && strncasecmp(text, word, length) == 0;
}

/* "mon" or "Monday" is the last one before this day. */
static bool parse_weekday(const char *word, size_t length, int64_t today, int64_t *ret_reading)
{
	int day = bt_weekday_of(word, length), back;

	if (day < 0)
		return false;
	back = (bt_weekday(today) - day + 7) % 7;
	*ret_reading = today - (back ? back : 7) * DAY;
	return true;
}

/* "today", "yesterday" or a weekday, up to a blank. */
static bool parse_day_word(const char **at, int64_t now, int64_t *ret_reading)
{
	size_t length = strcspn(*at, " ");
	int64_t today;

	if (now < YEAR_0000 || now > YEAR_9999)
		return false;
	today = bt_midnight(bt_clock_reading(now));
	if (is_word(*at, length, "today"))
		*ret_reading = today;
	else if (is_word(*at, length, "yesterday"))
		*ret_reading = today - DAY;
	else if (!parse_weekday(*at, length, today, ret_reading))
		return false;
	*at += length;
	return true;
}

/* A day, and perhaps a time on it. */
static bool parse_day(const char *at, int64_t now, enum bt_which which, int64_t *ret_seconds)
{
	int64_t reading, clock, offset;

	if (!parse_date(&at, &reading) && !parse_day_word(&at, now, &reading))
		return false;
	if (*at == '\0') {
		*ret_seconds = bt_clock_time(which == LAST ? reading + DAY - 1 : reading, which);
		return true;
	}
	if ((!bt_skip(&at, "T") && !bt_skip(&at, " ")) ||
	    (!parse_clock(&at, ":", which, &clock) && !parse_clock(&at, "-", which, &clock)))
		return false;
	reading += clock;
	if (*at == '\0') {
		*ret_seconds = bt_clock_time(reading, which);
		return true;
	}
	if (!parse_zone(&at, &offset) || *at != '\0')
		return false;
	*ret_seconds = reading - offset;
	return true;
}

/* "10:30" is the last one that has begun. */
static bool parse_clock_alone(const char *text, int64_t now, enum bt_which which, int64_t *ret_seconds)
{
	const char *at = text;
	int64_t shown, begun, clock;

	if (now < YEAR_0000 || now > YEAR_9999 || !parse_clock(&at, ":", FIRST, &begun) || *at)
		return false;
	parse_clock(&text, ":", which, &clock);
	shown = bt_clock_reading(now);
	clock += bt_midnight(shown) - (bt_midnight(shown) + begun > shown ? DAY : 0);
	*ret_seconds = bt_clock_time(clock, which);
	return true;
}

/* "2h" and "2 hours ago". Months and years are those of the calendar. */
static bool parse_ago(const char *text, int64_t now, int64_t *ret_seconds)
{
	static const char ago[] = " ago";
	size_t length = strlen(text), tail = strlen(ago);
	char shorter[LONGEST_SPAN];
	struct bt_span span;
	int64_t reading;

	if (length > tail && strcmp(text + length - tail, ago) == 0)
		length -= tail;
	if (length >= sizeof(shorter))
		return false;
	memcpy(shorter, text, length);
	shorter[length] = '\0';
	if (bt_span_parse(shorter, BT_M_REFUSED, &span))
		return false;
	if (span.months) {
		if (bt_months_before(bt_clock_reading(now), span.months, &reading))
			return false;
		now = bt_clock_time(reading, LAST);
	}
	return !__builtin_sub_overflow(now, span.seconds, ret_seconds);
}

static int parse_time(const char *text, int64_t now, enum bt_which which, int64_t *ret_seconds)
{
	int64_t seconds;

	text += *text == '@';
	if (strcasecmp(text, "now") == 0)
		*ret_seconds = now;
	else if (parse_seconds(text, &seconds) || parse_period(text, which, &seconds) ||
		 parse_day(text, now, which, &seconds) || parse_clock_alone(text, now, which, &seconds) ||
		 parse_ago(text, now, &seconds))
		*ret_seconds = seconds;
	else
		return BT_E_INVALID;
	return 0;
}

int bt_time_parse(const char *text, int64_t now, int64_t *ret_seconds)
{
	return parse_time(text, now, LAST, ret_seconds);
}

int bt_time_parse_first(const char *text, int64_t now, int64_t *ret_seconds)
{
	return parse_time(text, now, FIRST, ret_seconds);
}

const char *bt_time_expected(const char *text)
{
	return bt_span_is_unclear(text + (*text == '@'))
		       ? BT_M_UNCLEAR
		       : "a time such as 2026-11-20, 2026-11-20T10:30, 2026-11, 10:30, yesterday, monday, 2h or "
			 "'3 days ago'";
}

/* "-1" and up, in its one spelling. */
static bool parse_clash(const char **at, unsigned *ret_clash)
{
	int64_t number;

	if (!bt_skip(at, "-") || **at == '0' || !bt_number(at, &number) || number > UINT32_MAX)
		return false;
	*ret_clash = (unsigned)number;
	return true;
}

int bt_snapshot_name_parse(const char *name, int64_t *ret_seconds, unsigned *ret_clash)
{
	int64_t reading, clock;
	unsigned clash = 0;
	bool utc;

	if (!bt_skip(&name, "snapshot_") || !parse_date(&name, &reading) || !bt_skip(&name, "T") ||
	    !parse_clock(&name, "-", LAST, &clock))
		return BT_E_INVALID;
	utc = bt_skip(&name, "Z");
	if ((*name == '-' && !parse_clash(&name, &clash)) || strcmp(name, ".json") != 0)
		return BT_E_INVALID;
	reading += clock;
	*ret_seconds = utc ? reading : bt_clock_time(reading, LAST);
	*ret_clash = clash;
	return 0;
}

void bt_snapshot_name_format(int64_t seconds, unsigned clash, char *name, size_t size)
{
	time_t time = seconds < YEAR_0000 ? YEAR_0000 : seconds > YEAR_9999 ? YEAR_9999 : seconds;
	struct tm tm;
	char suffix[16] = "";

	gmtime_r(&time, &tm);
	if (clash > 0)
		snprintf(suffix, sizeof(suffix), "-%u", clash);
	snprintf(name, size, "snapshot_%04d-%02d-%02dT%02d-%02d-%02dZ%s.json", tm.tm_year + 1900, tm.tm_mon + 1,
		 tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, suffix);
}
