/* SPDX-License-Identifier: MIT */
#include "zones.h"
#include <internal/policy.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* The time in the zone: with the last second meant, and with the first. */
struct expected {
	const char *zone, *text, *last, *first;
};

static int64_t at(const char *text)
{
	struct tm tm = {0};

	assert_non_null(strptime(text, "%Y-%m-%d %H:%M:%S", &tm));
	return timegm(&tm);
}

static void compare(const struct expected *table, size_t count, const char *now)
{
	for (size_t i = 0; i < count; i++) {
		const char *first = table[i].first ? table[i].first : table[i].last;
		int64_t got = INT64_MIN, got_first = INT64_MIN;

		set_zone(table[i].zone);
		if (bt_time_parse(table[i].text, at(now), &got) || got != at(table[i].last))
			fail_msg("%s in %s: %lld", table[i].text, table[i].zone, (long long)got);
		if (bt_time_parse_first(table[i].text, at(now), &got_first) || got_first != at(first))
			fail_msg("first of %s in %s: %lld", table[i].text, table[i].zone, (long long)got_first);
	}
}

static void parts_of_the_calendar(void **state)
{
	static const struct expected table[] = {
		{"UTC0", "2026", "2026-12-31 23:59:59", "2026-01-01 00:00:00"},
		{"UTC0", "@2026", "2026-12-31 23:59:59", "2026-01-01 00:00:00"},
		{"UTC0", "1999", "1999-12-31 23:59:59", "1999-01-01 00:00:00"},
		{"UTC0", "2026-11", "2026-11-30 23:59:59", "2026-11-01 00:00:00"},
		{"UTC0", "2026-12", "2026-12-31 23:59:59", "2026-12-01 00:00:00"},
		{"UTC0", "2024-02", "2024-02-29 23:59:59", "2024-02-01 00:00:00"},
		{BERLIN, "2026", "2026-12-31 22:59:59", "2025-12-31 23:00:00"},
		{BERLIN, "2026-10", "2026-10-31 22:59:59", "2026-09-30 22:00:00"},
	};

	compare(table, LENGTH(table), "2026-11-22 10:30:00");
}

static void words(void **state)
{
	static const struct expected table[] = {
		/* a Sunday */
		{"UTC0", "monday", "2026-11-16 23:59:59", "2026-11-16 00:00:00"},
		{"UTC0", "mon", "2026-11-16 23:59:59", "2026-11-16 00:00:00"},
		{"UTC0", "@Saturday", "2026-11-21 23:59:59", "2026-11-21 00:00:00"},
		{"UTC0", "sunday", "2026-11-15 23:59:59", "2026-11-15 00:00:00"},
		{"UTC0", "WED", "2026-11-18 23:59:59", "2026-11-18 00:00:00"},
		{"UTC0", "Today", "2026-11-22 23:59:59", "2026-11-22 00:00:00"},
		{"UTC0", "yesterday 10:30", "2026-11-21 10:30:59", "2026-11-21 10:30:00"},
		{"UTC0", "monday 08:00:07", "2026-11-16 08:00:07", NULL},
		{"UTC0", "today 23:00", "2026-11-22 23:00:59", "2026-11-22 23:00:00"},
		/* where it is Monday already, or still Saturday */
		{"<+14>-14", "monday", "2026-11-16 09:59:59", "2026-11-15 10:00:00"},
		{"<+14>-14", "sunday", "2026-11-22 09:59:59", "2026-11-21 10:00:00"},
		{"<-12>12", "sunday", "2026-11-16 11:59:59", "2026-11-15 12:00:00"},
		{BERLIN, "yesterday 10:30", "2026-11-21 09:30:59", "2026-11-21 09:30:00"},
	};

	compare(table, LENGTH(table), "2026-11-22 10:30:00");
	set_zone("UTC0");
	compare((const struct expected[]){{"UTC0", "thu", "1969-12-25 23:59:59", "1969-12-25 00:00:00"},
					  {"UTC0", "monday", "1969-12-29 23:59:59", "1969-12-29 00:00:00"}},
		2, "1970-01-01 00:00:00");
}

static void times_of_the_day(void **state)
{
	static const struct expected table[] = {
		{"UTC0", "10:30", "2026-11-22 10:30:59", "2026-11-22 10:30:00"},
		{"UTC0", "@10:29", "2026-11-22 10:29:59", "2026-11-22 10:29:00"},
		{"UTC0", "10:31", "2026-11-21 10:31:59", "2026-11-21 10:31:00"},
		{"UTC0", "10:30:05", "2026-11-22 10:30:05", NULL},
		{"UTC0", "10:30:06", "2026-11-21 10:30:06", NULL},
		{"UTC0", "00:00", "2026-11-22 00:00:59", "2026-11-22 00:00:00"},
		{BERLIN, "11:30", "2026-11-22 10:30:59", "2026-11-22 10:30:00"},
		{BERLIN, "12:00", "2026-11-21 11:00:59", "2026-11-21 11:00:00"},
	};

	compare(table, LENGTH(table), "2026-11-22 10:30:05");
	/* the hour that was shown twice, before its second time */
	compare((const struct expected[]){{BERLIN, "01:30", "2026-10-24 23:30:59", "2026-10-24 23:30:00"}}, 1,
		"2026-10-25 00:15:00");
}

static void that_long_ago(void **state)
{
	static const struct expected table[] = {
		{"UTC0", "3 days ago", "2026-03-28 10:30:00", NULL},
		{"UTC0", "3 days", "2026-03-28 10:30:00", NULL},
		{"UTC0", "3days", "2026-03-28 10:30:00", NULL},
		{"UTC0", "1 hour ago", "2026-03-31 09:30:00", NULL},
		{"UTC0", "1h30min", "2026-03-31 09:00:00", NULL},
		{"UTC0", "2 weeks 1 day ago", "2026-03-16 10:30:00", NULL},
		{"UTC0", "1month", "2026-02-28 10:30:00", NULL},
		{"UTC0", "2 months ago", "2026-01-31 10:30:00", NULL},
		{"UTC0", "4months", "2025-11-30 10:30:00", NULL},
		{"UTC0", "25 months", "2024-02-29 10:30:00", NULL},
		{"UTC0", "1y", "2025-03-31 10:30:00", NULL},
		{"UTC0", "1y1d ago", "2025-03-30 10:30:00", NULL},
		/* the same hour, on the other side of a turned clock; days are of 24 hours */
		{BERLIN, "1month", "2026-02-28 11:30:00", NULL},
		{BERLIN, "3 days ago", "2026-03-28 10:30:00", NULL},
	};
	int64_t seconds = 42;

	compare(table, LENGTH(table), "2026-03-31 10:30:00");
	assert_int_equal(bt_time_parse("2027y", at("2026-03-31 10:30:00"), &seconds), BT_E_INVALID);
	assert_int_equal(bt_time_parse("1month", INT64_MAX, &seconds), BT_E_INVALID);
	assert_int_equal(bt_time_parse("10:30", INT64_MAX, &seconds), BT_E_INVALID);
	assert_int_equal(bt_time_parse("mon", INT64_MIN, &seconds), BT_E_INVALID);
	assert_int_equal(seconds, 42);
}

static void what_is_expected(void **state)
{
	assert_non_null(strstr(bt_time_expected("nonsense"), "a time such as 2026-11-20"));
	assert_non_null(strstr(bt_time_expected("@6"), "a time such as"));
	assert_string_equal(bt_time_expected("@6m"), BT_M_UNCLEAR);
	assert_string_equal(bt_time_expected("1y6m"), BT_M_UNCLEAR);
}

static void spans(void **state)
{
	static const struct {
		const char *text;
		enum bt_m m;
		int64_t seconds, months, whole; /* whole: -1 if the text is refused */
	} table[] = {
		{"36h", BT_M_REFUSED, 36 * 3600, 0, 36 * 3600},
		{"6m", BT_M_MINUTES, 360, 0, 360},
		{"6m", BT_M_MONTHS, 0, 6, INT64_C(6) * 31 * 86400},
		{"6m", BT_M_REFUSED, 0, 0, -1},
		{"1y6m", BT_M_MONTHS, 0, 18, INT64_C(552) * 86400},
		{"12months", BT_M_REFUSED, 0, 12, INT64_C(366) * 86400},
		{"6 min 7 sec", BT_M_MONTHS, 367, 0, 367},
		{"1d1d", BT_M_MONTHS, 2 * 86400, 0, 2 * 86400},
		{"6", BT_M_MONTHS, 0, 0, -1},
		{"1y6", BT_M_MONTHS, 0, 0, -1},
		{"", BT_M_MINUTES, 0, 0, -1},
		{"1M", BT_M_MONTHS, 0, 0, -1},
	};
	struct bt_span span;
	int64_t whole;

	for (size_t i = 0; i < LENGTH(table); i++) {
		int r = bt_span_parse(table[i].text, table[i].m, &span);

		assert_int_equal(r, table[i].whole < 0 ? BT_E_INVALID : 0);
		if (r)
			continue;
		assert_int_equal(span.seconds, table[i].seconds);
		assert_int_equal(span.months, table[i].months);
		assert_int_equal(bt_span_seconds(&span, &whole), 0);
		assert_int_equal(whole, table[i].whole);
	}
	assert_int_equal(bt_span_seconds(&(struct bt_span){0, INT64_MAX}, &whole), BT_E_INVALID);
	assert_int_equal(bt_span_seconds(&(struct bt_span){INT64_MAX, 1}, &whole), BT_E_INVALID);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_of_the_calendar), cmocka_unit_test(words),
		cmocka_unit_test(times_of_the_day),	 cmocka_unit_test(that_long_ago),
		cmocka_unit_test(what_is_expected),	 cmocka_unit_test(spans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
