/* SPDX-License-Identifier: MIT */
#include "policy/digits.h"
#include <internal/policy.h>
#include <string.h>

#define DAY 86400

/* So that nothing goes too early. */
#define LONGEST_MONTH (31 * DAY)
#define LONGEST_YEAR  (366 * DAY)

static const struct unit {
	const char *word;
	int64_t seconds, months;
} units[] = {
	{"s", 1, 0},	       {"sec", 1, 0},	   {"second", 1, 0}, {"seconds", 1, 0}, {"min", 60, 0},
	{"minute", 60, 0},     {"minutes", 60, 0}, {"h", 3600, 0},   {"hour", 3600, 0}, {"hours", 3600, 0},
	{"d", DAY, 0},	       {"day", DAY, 0},	   {"days", DAY, 0}, {"w", 7 * DAY, 0}, {"week", 7 * DAY, 0},
	{"weeks", 7 * DAY, 0}, {"month", 0, 1},	   {"months", 0, 1}, {"y", 0, 12},	{"year", 0, 12},
	{"years", 0, 12},
};

static const struct unit *find_unit(const char *word, size_t length, enum bt_m m)
{
	static const struct unit minute = {"m", 60, 0}, month = {"m", 0, 1};

	if (length == 1 && *word == 'm')
		return m == BT_M_MINUTES ? &minute : m == BT_M_MONTHS ? &month : NULL;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strlen(units[i].word) == length && strncmp(word, units[i].word, length) == 0)
			return &units[i];
	return NULL;
}

/* A number and its unit. */
static bool parse_part(const char **at, enum bt_m m, struct bt_span *span)
{
	const struct unit *unit;
	int64_t number, seconds, months;
	size_t length;

	if (!bt_number(at, &number))
		return false;
	bt_skip(at, " ");
	length = strspn(*at, "abcdefghijklmnopqrstuvwxyz");
	unit = find_unit(*at, length, m);
	if (!unit)
		return false;
	*at += length;
	return !__builtin_mul_overflow(number, unit->seconds, &seconds) &&
	       !__builtin_mul_overflow(number, unit->months, &months) &&
	       !__builtin_add_overflow(span->seconds, seconds, &span->seconds) &&
	       !__builtin_add_overflow(span->months, months, &span->months);
}

int bt_span_parse(const char *text, enum bt_m m, struct bt_span *ret_span)
{
	struct bt_span span = {0};

	do {
		if (!parse_part(&text, m, &span))
			return BT_E_INVALID;
	} while (bt_skip(&text, " ") || *text);
	*ret_span = span;
	return 0;
}

bool bt_span_is_unclear(const char *text)
{
	struct bt_span unused;

	return bt_span_parse(text, BT_M_REFUSED, &unused) && !bt_span_parse(text, BT_M_MINUTES, &unused);
}

int bt_span_seconds(const struct bt_span *span, int64_t *ret_seconds)
{
	int64_t years, seconds;

	if (__builtin_mul_overflow(span->months / 12, LONGEST_YEAR, &years) ||
	    __builtin_add_overflow(span->seconds, years, &seconds) ||
	    __builtin_add_overflow(seconds, span->months % 12 * LONGEST_MONTH, &seconds))
		return BT_E_INVALID;
	*ret_seconds = seconds;
	return 0;
}

int bt_duration_parse(const char *text, enum bt_m m, int64_t *ret_seconds)
{
	struct bt_span span;
	const char *end = text;
	int64_t number;

	if (bt_number(&end, &number) && !*end) {
		*ret_seconds = number;
		return 0;
	}
	return bt_span_parse(text, m, &span) ? BT_E_INVALID : bt_span_seconds(&span, ret_seconds);
}
