/* SPDX-License-Identifier: MIT */
#include <internal/calendar.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Rules written out, so that the test does not need the machine's zone files. */
#define UTC    "UTC0"
#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"
#define BRAZIL "<-03>3<-02>,M11.1.0/0,M2.3.0/0" /* turns its clocks at midnight */
#define NEPAL  "<+0545>-5:45"
#define TEXAS  "CST6CDT,M3.2.0,M11.1.0"

static void set_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

/* "2026-11-20 10:30:00" in UTC. */
static int64_t utc(const char *text)
{
	struct tm tm = {0};

	assert_non_null(strptime(text, "%Y-%m-%d %H:%M:%S", &tm));
	return timegm(&tm);
}

static struct bt_calendar calendar_of(const char *text)
{
	struct bt_calendar calendar = {0};

	assert_true(bt_calendar_add(&calendar, text));
	return calendar;
}

static const struct {
	const char *zone, *times, *after, *next;
} rows[] = {
	{UTC, "03:00", "2026-11-20 02:59:59", "2026-11-20 03:00:00"},
	{UTC, "03:00", "2026-11-20 03:00:00", "2026-11-21 03:00:00"},
	{UTC, "0:00", "2026-11-20 23:59:59", "2026-11-21 00:00:00"},
	{UTC, "23:59", "2026-12-31 23:59:00", "2027-01-01 23:59:00"},
	{UTC, "03:00,15:00", "2026-11-20 04:00:00", "2026-11-20 15:00:00"},
	{UTC, "15:00,03:00", "2026-11-20 16:00:00", "2026-11-21 03:00:00"},
	{UTC, "03:00", "2028-02-28 12:00:00", "2028-02-29 03:00:00"},
	{UTC, "03:00", "2027-02-28 12:00:00", "2027-03-01 03:00:00"},
	{UTC, "Mon 03:00", "2026-11-30 02:00:00", "2026-11-30 03:00:00"},
	{UTC, "Mon 03:00", "2026-11-30 03:00:00", "2026-12-07 03:00:00"},
	{UTC, "Sun 03:00", "2026-11-30 03:00:00", "2026-12-06 03:00:00"},
	{UTC, "sat,tuesday 03:00", "2026-11-30 03:00:00", "2026-12-01 03:00:00"},
	{UTC, "Mon-Fri 08:00", "2026-11-27 08:00:00", "2026-11-30 08:00:00"},
	{UTC, "Sat-Mon 08:00", "2026-11-30 08:00:00", "2026-12-05 08:00:00"},
	{UTC, "Thu 00:00", "1969-12-31 00:00:00", "1970-01-01 00:00:00"},
	{UTC, "Wed 23:00", "1969-12-31 22:00:00", "1969-12-31 23:00:00"},
	{BERLIN, "03:00", "2026-11-20 01:59:59", "2026-11-20 02:00:00"},
	{BERLIN, "03:00", "2026-07-20 00:59:59", "2026-07-20 01:00:00"},
	{NEPAL, "03:00", "2026-07-20 00:00:00", "2026-07-20 21:15:00"},
	{TEXAS, "Mon 20:00", "2026-11-30 12:00:00", "2026-12-01 02:00:00"},
	/* Clocks go from 2:00 to 3:00 on 2026-03-29. */
	{BERLIN, "02:30", "2026-03-28 12:00:00", "2026-03-29 01:00:00"},
	{BERLIN, "02:30", "2026-03-29 01:00:00", "2026-03-30 00:30:00"},
	{BERLIN, "02:30,03:00", "2026-03-29 00:59:59", "2026-03-29 01:00:00"},
	{BERLIN, "02:30,03:00", "2026-03-29 01:00:00", "2026-03-30 00:30:00"},
	{BRAZIL, "00:30", "2026-10-31 12:00:00", "2026-11-01 03:00:00"},
	/* Clocks go from 3:00 back to 2:00 on 2026-10-25. */
	{BERLIN, "02:30", "2026-10-24 12:00:00", "2026-10-25 01:30:00"},
	{BERLIN, "02:30", "2026-10-25 00:45:00", "2026-10-25 01:30:00"},
	{BERLIN, "02:30", "2026-10-25 01:30:00", "2026-10-26 01:30:00"},
	{BERLIN, "02:00,03:00", "2026-10-25 00:00:00", "2026-10-25 02:00:00"},
	{BRAZIL, "23:30", "2026-02-14 12:00:00", "2026-02-15 02:30:00"},
	{BRAZIL, "23:30", "2026-02-15 02:30:00", "2026-02-16 02:30:00"},
	/* All of a day that a zone leaves out is the beginning of the next. */
	{"<-10>10<+14>-14,J363/24,J365/24", "03:00,15:00", "2026-12-29 15:00:00", "2026-12-30 01:00:00"},
};

static void test_next(void **state)
{
	for (size_t i = 0; i < LENGTH(rows); i++) {
		const struct bt_calendar calendar = calendar_of(rows[i].times);
		int64_t next = 0;

		set_zone(rows[i].zone);
		assert_true(bt_calendar_next(&calendar, utc(rows[i].after), &next));
		if (next != utc(rows[i].next))
			fail_msg("%s in %s after %s: %lld, not %s", rows[i].times, rows[i].zone, rows[i].after,
				 (long long)next, rows[i].next);
	}
}

static const struct {
	const char *what, *zone, *times, *served, *now, *due;
} dues[] = {
	{"in time", UTC, "03:00", "2026-11-20 03:00:00", "2026-11-20 03:00:05", "2026-11-21 03:00:00"},
	{"one was missed", UTC, "03:00", "2026-11-19 03:00:00", "2026-11-20 12:00:00", "2026-11-20 03:00:00"},
	{"many were missed", UTC, "03:00", "2025-11-19 03:00:00", "2026-11-20 12:00:00", "2026-11-20 03:00:00"},
	{"served late", UTC, "03:00", "2026-11-20 12:00:00", "2026-11-20 12:00:01", "2026-11-21 03:00:00"},
	{"served just before", UTC, "03:00", "2026-11-20 02:59:59", "2026-11-20 03:00:00", "2026-11-20 03:00:00"},
	{"nothing is done yet", UTC, "Mon 03:00", "1970-01-01 00:00:00", "2026-11-29 12:00:00", "2026-11-23 03:00:00"},
	{"the clock went back a little", UTC, "03:00", "2026-11-20 03:00:00", "2026-11-20 02:59:50",
	 "2026-11-21 03:00:00"},
	{"the clock was years ahead", UTC, "03:00", "2036-11-20 03:00:00", "2026-11-20 12:00:00",
	 "2026-11-21 03:00:00"},
	{"a week that begins in winter", BERLIN, "Sun 02:30", "2026-03-22 01:30:00", "2026-03-29 00:59:59",
	 "2026-03-29 01:00:00"},
	{"an hour that comes again", BERLIN, "02:30", "2026-10-24 00:30:00", "2026-10-25 00:30:00",
	 "2026-10-25 01:30:00"},
	{"an hour that came again", BERLIN, "02:30", "2026-10-25 01:30:01", "2026-10-25 01:59:00",
	 "2026-10-26 01:30:00"},
};

static void test_due(void **state)
{
	for (size_t i = 0; i < LENGTH(dues); i++) {
		const struct bt_calendar calendar = calendar_of(dues[i].times);
		int64_t due = 0;

		set_zone(dues[i].zone);
		assert_true(bt_calendar_due(&calendar, utc(dues[i].served), utc(dues[i].now), &due));
		if (due != utc(dues[i].due))
			fail_msg("%s: %lld", dues[i].what, (long long)due);
	}
}

static void test_nothing_is_served(void **state)
{
	const struct bt_calendar calendar = calendar_of("03:00"), empty = {0};
	int64_t due = 1;

	set_zone(UTC);
	assert_true(bt_calendar_due(&calendar, INT64_MIN, utc("2026-11-20 12:00:00"), &due));
	assert_int_equal(due, utc("2026-11-20 03:00:00"));
	assert_false(bt_calendar_due(&empty, INT64_MIN, utc("2026-11-20 12:00:00"), &due));
	assert_false(bt_calendar_next(&empty, utc("2026-11-20 12:00:00"), &due));
	assert_int_equal(bt_calendar_count(&empty, 0, utc("2026-11-20 12:00:00")), 0);
}

static void test_count(void **state)
{
	const struct bt_calendar calendar = calendar_of("02:30,02:45,12:00");

	set_zone(BERLIN);
	assert_int_equal(bt_calendar_count(&calendar, utc("2026-11-20 11:00:00"), utc("2026-11-20 11:00:00")), 0);
	assert_int_equal(bt_calendar_count(&calendar, utc("2026-11-20 10:59:59"), utc("2026-11-20 11:00:00")), 1);
	assert_int_equal(bt_calendar_count(&calendar, utc("2026-11-20 11:00:00"), utc("2026-11-22 11:00:00")), 6);
	/* Both of the hour that is left out are one. */
	assert_int_equal(bt_calendar_count(&calendar, utc("2026-03-28 11:00:00"), utc("2026-03-29 10:00:00")), 2);
	assert_int_equal(bt_calendar_count(&calendar, utc("2026-10-24 11:00:00"), utc("2026-10-25 11:00:00")), 3);
	assert_int_equal(bt_calendar_count(&calendar, 0, utc("2026-10-25 11:00:00")), BT_CALENDAR_MOST);
}

/* Through years with all their changes of clocks, each instant comes once, and none is passed over. */
static void test_steps(void **state)
{
	static const char *const zones[] = {UTC, BERLIN, BRAZIL, TEXAS};
	const struct bt_calendar calendar = calendar_of("00:00,00:30,01:30,02:00,02:30,03:00,23:30");

	for (size_t i = 0; i < LENGTH(zones); i++) {
		int64_t first = utc("2027-12-20 12:10:00"), at = first, next;
		uint64_t steps = 0;

		set_zone(zones[i]);
		for (; at < first + INT64_C(370) * 86400; at = next, steps++) {
			assert_true(bt_calendar_next(&calendar, at, &next) && next > at);
			assert_int_equal(bt_calendar_count(&calendar, at, next), 1);
			assert_int_equal(bt_calendar_count(&calendar, at, next - 1), 0);
		}
		assert_in_range(steps, 370 * 7 - 2, 370 * 7 + 1);
	}
}

static void test_what_is_no_time(void **state)
{
	static const char *const wrong[] = {
		"",	     " ",	 "3",	      "03",	     "24:00",	  "03:60",     "3:0",
		"03:00:00",  "03:00,",	 ",03:00",    "03:00 ",	     " 03:00",	  "03:00Mon",  "Mon",
		"Mon ",	     "Mon03:00", "Mon  3:00", "Mo 03:00",    "Mon, 3:00", "Mon- 3:00", "Mon-Foo 3:00",
		"Mond 3:00", "003:00",	 "-3:00",     "03:00-04:00", "daily",	  "3am",       "03.00",
		"\xff"};
	static const struct bt_calendar empty;

	for (size_t i = 0; i < LENGTH(wrong); i++) {
		struct bt_calendar calendar = {0};

		if (bt_calendar_add(&calendar, wrong[i]))
			fail_msg("'%s' is a time", wrong[i]);
		assert_memory_equal(&calendar, &empty, sizeof(empty));
	}
}

static void test_days(void **state)
{
	struct bt_calendar calendar = calendar_of("MON,wed 3:05");

	assert_true(bt_calendar_add(&calendar, "sunday 3:05,4:00"));
	assert_int_equal(bt_calendar_days(&calendar, 3 * 60 + 5), 1 << 0 | 1 << 1 | 1 << 3);
	assert_int_equal(bt_calendar_days(&calendar, 4 * 60), 1 << 0);
	assert_int_equal(bt_calendar_days(&calendar, 5 * 60), 0);
	assert_true(bt_calendar_add(&calendar, "05:00"));
	assert_int_equal(bt_calendar_days(&calendar, 5 * 60), (1 << 7) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_next),  cmocka_unit_test(test_due),   cmocka_unit_test(test_nothing_is_served),
		cmocka_unit_test(test_count), cmocka_unit_test(test_steps), cmocka_unit_test(test_what_is_no_time),
		cmocka_unit_test(test_days),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
