/* SPDX-License-Identifier: MIT */
#include <internal/policy.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY 86400

/* More than any zone is away from UTC. */
#define ZONE_MAX (26 * 3600)

#define YEAR_0000 INT64_C(-62167219200)
#define YEAR_9999 INT64_C(253402300799)

static bool skip(const char **at, const char *literal)
{
	size_t length = strlen(literal);

	if (strncmp(*at, literal, length) != 0)
		return false;
	*at += length;
	return true;
}

/* Exactly count decimal digits. */
static bool parse_digits(const char **at, int count, int *ret_value)
{
	int value = 0;

	for (int i = 0; i < count; i++) {
		char digit = (*at)[i];

		if (digit < '0' || digit > '9')
			return false;
		value = value * 10 + (digit - '0');
	}
	*at += count;
	*ret_value = value;
	return true;
}

/* One or more decimal digits. */
static bool parse_number(const char **at, int64_t *ret_value)
{
	const char *digit = *at;
	int64_t value = 0;

	for (; *digit >= '0' && *digit <= '9'; digit++)
		if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *digit - '0', &value))
			return false;
	if (digit == *at)
		return false;
	*at = digit;
	*ret_value = value;
	return true;
}

static int days_in_month(int year, int month)
{
	static const signed char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return month == 2 && leap ? 29 : days[month - 1];
}

/* YYYY-MM-DD as the seconds that its midnight would have in UTC. */
static bool parse_date(const char **at, int64_t *ret_seconds)
{
	struct tm tm = {0};
	int year, month;

	if (!parse_digits(at, 4, &year) || !skip(at, "-") || !parse_digits(at, 2, &month) || !skip(at, "-") ||
	    !parse_digits(at, 2, &tm.tm_mday))
		return false;
	if (month < 1 || month > 12 || tm.tm_mday < 1 || tm.tm_mday > days_in_month(year, month))
		return false;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	*ret_seconds = timegm(&tm);
	return true;
}

/* Which second of a day or a minute is meant. */
enum which { FIRST, LAST };

/* HH:MM or HH:MM:SS; with another separator only the long form, since the end of the short one could be a zone. */
static bool parse_clock(const char **at, const char *separator, enum which which, int64_t *ret_seconds)
{
	const char *p = *at;
	int hour, minute, second = which == LAST ? 59 : 0;

	if (!parse_digits(&p, 2, &hour) || !skip(&p, separator) || !parse_digits(&p, 2, &minute))
		return false;
	if (skip(&p, separator)) {
		if (!parse_digits(&p, 2, &second))
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

	if (skip(at, "Z")) {
		*ret_offset = 0;
		return true;
	}
	sign = **at == '-' ? -1 : 1;
	if ((!skip(at, "-") && !skip(at, "+")) || !parse_digits(at, 2, &hour) || !skip(at, ":") ||
	    !parse_digits(at, 2, &minute))
		return false;
	if (hour > 23 || minute > 59)
		return false;
	*ret_offset = sign * (hour * 3600 + minute * 60);
	return true;
}

/* What the clocks on the wall show at that time, as if it were UTC. */
static int64_t local_reading(int64_t seconds)
{
	time_t time = seconds;
	struct tm tm;

	return localtime_r(&time, &tm) ? seconds + tm.tm_gmtoff : seconds;
}

/*
 * The last time at which the clocks on the wall had not passed this reading: of two when they are turned back, the
 * later one; of none when they are turned forward, the second before that. mktime(3) leaves both to chance.
 */
static int64_t from_local(int64_t reading)
{
	int64_t low = reading - ZONE_MAX, high = reading + ZONE_MAX;
	int64_t by_old_zone = reading - (local_reading(low) - low);
	int64_t by_new_zone = reading - (local_reading(high) - high);
	bool old_fits = local_reading(by_old_zone) == reading;
	bool new_fits = local_reading(by_new_zone) == reading;

	if (old_fits && new_fits)
		return by_old_zone > by_new_zone ? by_old_zone : by_new_zone;
	if (old_fits || new_fits)
		return old_fits ? by_old_zone : by_new_zone;
	while (high - low > 1) {
		int64_t middle = low + (high - low) / 2;

		if (local_reading(middle) <= reading)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* FIRST: the first time at which they had passed what comes before this reading. */
static int64_t from_local_which(int64_t reading, enum which which)
{
	return which == LAST ? from_local(reading) : from_local(reading - 1) + 1;
}

static int64_t midnight(int64_t reading)
{
	int64_t rest = reading % DAY;

	return reading - (rest < 0 ? rest + DAY : rest);
}

/* A number with its unit; digits alone only if bare. */
static bool parse_span(const char *text, bool bare, int64_t *ret_seconds)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', DAY}, {'w', 7 * DAY}};
	int64_t number;

	if (!parse_number(&text, &number))
		return false;
	if (*text == '\0' && bare) {
		*ret_seconds = number;
		return true;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (text[0] == units[i].unit && text[1] == '\0')
			return !__builtin_mul_overflow(number, units[i].seconds, ret_seconds);
	return false;
}

static bool parse_unix(const char *at, int64_t *ret_seconds)
{
	bool negative = skip(&at, "-");
	int64_t number;

	if (!parse_number(&at, &number) || *at != '\0')
		return false;
	*ret_seconds = negative ? -number : number;
	return true;
}

static bool parse_calendar(const char *at, enum which which, int64_t *ret_seconds)
{
	int64_t reading, clock, offset;

	if (!parse_date(&at, &reading))
		return false;
	if (*at == '\0') {
		*ret_seconds = from_local_which(which == LAST ? reading + DAY - 1 : reading, which);
		return true;
	}
	if ((!skip(&at, "T") && !skip(&at, " ")) ||
	    (!parse_clock(&at, ":", which, &clock) && !parse_clock(&at, "-", which, &clock)))
		return false;
	reading += clock;
	if (*at == '\0') {
		*ret_seconds = from_local_which(reading, which);
		return true;
	}
	if (!parse_zone(&at, &offset) || *at != '\0')
		return false;
	*ret_seconds = reading - offset;
	return true;
}

static bool parse_word(const char *text, int64_t now, enum which which, int64_t *ret_seconds)
{
	int64_t reading;

	if (strcmp(text, "now") == 0) {
		*ret_seconds = now;
		return true;
	}
	if (now < YEAR_0000 || now > YEAR_9999)
		return false;
	reading = midnight(local_reading(now)) + (which == LAST ? DAY - 1 : 0);
	if (strcmp(text, "today") == 0)
		*ret_seconds = from_local_which(reading, which);
	else if (strcmp(text, "yesterday") == 0)
		*ret_seconds = from_local_which(reading - DAY, which);
	else
		return false;
	return true;
}

static int parse_time(const char *text, int64_t now, enum which which, int64_t *ret_seconds)
{
	int64_t seconds, span;

	if (text[0] == '@' && parse_unix(text + 1, &seconds))
		*ret_seconds = seconds;
	else if (parse_calendar(text, which, &seconds) || parse_word(text, now, which, &seconds))
		*ret_seconds = seconds;
	else if (parse_span(text, false, &span) && !__builtin_sub_overflow(now, span, &seconds))
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

int bt_duration_parse(const char *text, int64_t *ret_seconds)
{
	int64_t seconds;

	if (!parse_span(text, true, &seconds))
		return BT_E_INVALID;
	*ret_seconds = seconds;
	return 0;
}

/* "-1" and up, in its one spelling. */
static bool parse_clash(const char **at, unsigned *ret_clash)
{
	int64_t number;

	if (!skip(at, "-") || **at == '0' || !parse_number(at, &number) || number > UINT32_MAX)
		return false;
	*ret_clash = (unsigned)number;
	return true;
}

int bt_snapshot_name_parse(const char *name, int64_t *ret_seconds, unsigned *ret_clash)
{
	int64_t reading, clock;
	unsigned clash = 0;
	bool utc;

	if (!skip(&name, "snapshot_") || !parse_date(&name, &reading) || !skip(&name, "T") ||
	    !parse_clock(&name, "-", LAST, &clock))
		return BT_E_INVALID;
	utc = skip(&name, "Z");
	if ((*name == '-' && !parse_clash(&name, &clash)) || strcmp(name, ".json") != 0)
		return BT_E_INVALID;
	reading += clock;
	*ret_seconds = utc ? reading : from_local(reading);
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
