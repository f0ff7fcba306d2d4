/* SPDX-License-Identifier: MIT */
#include "zones.h"
#include <internal/policy.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *zone, *text;
	int year, month, day, hour, minute, second; /* UTC */
} absolute[] = {
	{"UTC0", "2026-11-20", 2026, 11, 20, 23, 59, 59},
	{"UTC0", "2026-11-20T10:30", 2026, 11, 20, 10, 30, 59},
	{"UTC0", "2026-11-20 10:30", 2026, 11, 20, 10, 30, 59},
	{"UTC0", "2026-11-20T10:30:15", 2026, 11, 20, 10, 30, 15},
	{"UTC0", "2026-11-20 10-30-00", 2026, 11, 20, 10, 30, 0},
	{BERLIN, "2026-11-20", 2026, 11, 20, 22, 59, 59},
	{BERLIN, "2026-07-20", 2026, 7, 20, 21, 59, 59},
	{BERLIN, "2026-11-20T10:30", 2026, 11, 20, 9, 30, 59},
	{BERLIN, "2026-07-20T10:30", 2026, 7, 20, 8, 30, 59},
	{BERLIN, "2026-07-20T10-30-05", 2026, 7, 20, 8, 30, 5},
	{BERLIN, "2026-07-20T10-30-05Z", 2026, 7, 20, 10, 30, 5},
	{BERLIN, "2026-07-20T10:30Z", 2026, 7, 20, 10, 30, 59},
	{BERLIN, "2026-07-20T10:30+01:00", 2026, 7, 20, 9, 30, 59},
	{BERLIN, "2026-07-20T10:30:07-09:30", 2026, 7, 20, 20, 0, 7},
	{BERLIN, "2026-07-20T10-30-07-09:30", 2026, 7, 20, 20, 0, 7},
	{BERLIN, "2026-07-20 10:30:07+14:00", 2026, 7, 19, 20, 30, 7},
	{NEPAL, "2026-07-20T00:00:00", 2026, 7, 19, 18, 15, 0},
	{NEWYORK, "2026-07-20T22:00:00", 2026, 7, 21, 2, 0, 0},
	/* around the days on which clocks are turned */
	{BERLIN, "2026-03-29T01:59:59", 2026, 3, 29, 0, 59, 59},
	{BERLIN, "2026-03-29T02:00:00", 2026, 3, 29, 0, 59, 59}, /* never shown */
	{BERLIN, "2026-03-29T02:30", 2026, 3, 29, 0, 59, 59},
	{BERLIN, "2026-03-29T02:59:59", 2026, 3, 29, 0, 59, 59},
	{BERLIN, "2026-03-29T03:00:00", 2026, 3, 29, 1, 0, 0},
	{BERLIN, "2026-03-29", 2026, 3, 29, 21, 59, 59},
	{BERLIN, "2026-10-25T01:59:59", 2026, 10, 24, 23, 59, 59},
	{BERLIN, "2026-10-25T02:00:00", 2026, 10, 25, 1, 0, 0}, /* shown twice */
	{BERLIN, "2026-10-25T02:30", 2026, 10, 25, 1, 30, 59},
	{BERLIN, "2026-10-25T03:00:00", 2026, 10, 25, 2, 0, 0},
	{BERLIN, "2026-10-25", 2026, 10, 25, 22, 59, 59},
	{NEWYORK, "2026-03-08T02:30", 2026, 3, 8, 6, 59, 59},
	{NEWYORK, "2026-11-01T01:30", 2026, 11, 1, 6, 30, 59},
	{BRAZIL, "2026-10-31", 2026, 11, 1, 2, 59, 59},
	{BRAZIL, "2026-11-01T00:30", 2026, 11, 1, 2, 59, 59},
	{BRAZIL, "2026-02-14", 2026, 2, 15, 2, 59, 59}, /* 23:59:59 comes twice */
	/* leap days and years far away */
	{"UTC0", "2024-02-29", 2024, 2, 29, 23, 59, 59},
	{"UTC0", "2000-02-29", 2000, 2, 29, 23, 59, 59},
	{"UTC0", "2026-12-31", 2026, 12, 31, 23, 59, 59},
	{"UTC0", "1969-12-31T23:59:59", 1969, 12, 31, 23, 59, 59},
	{"UTC0", "1900-03-01T00:00:00", 1900, 3, 1, 0, 0, 0},
	{"UTC0", "0001-01-01T00:00:00", 1, 1, 1, 0, 0, 0},
	{"UTC0", "9999-12-31", 9999, 12, 31, 23, 59, 59},
	{BERLIN, "1960-01-01T00:30:00", 1959, 12, 31, 23, 30, 0},
};

static void time_absolute(void **state)
{
	for (size_t i = 0; i < LENGTH(absolute); i++) {
		int64_t want = utc(absolute[i].year, absolute[i].month, absolute[i].day, absolute[i].hour,
				   absolute[i].minute, absolute[i].second);
		int64_t got = INT64_MIN;
		int r;

		set_zone(absolute[i].zone);
		r = bt_time_parse(absolute[i].text, 0, &got);
		if (r || got != want)
			fail_msg("%s in %s: %d, %lld instead of %lld", absolute[i].text, absolute[i].zone, r,
				 (long long)got, (long long)want);
	}
}

static void time_relative(void **state)
{
	static const struct {
		const char *zone, *text;
		int64_t want; /* with now = 2026-11-22T10:30:00Z */
	} table[] = {
		{"UTC0", "now", 1795343400},
		{"UTC0", "2h", 1795343400 - 7200},
		{"UTC0", "30min", 1795343400 - 1800},
		{"UTC0", "10s", 1795343400 - 10},
		{"UTC0", "0s", 1795343400},
		{"UTC0", "3d", 1795343400 - 3 * 86400},
		{"UTC0", "2w", 1795343400 - 14 * 86400},
		{"UTC0", "007d", 1795343400 - 7 * 86400},
		{"UTC0", "@1732271400", 1732271400},
		{"UTC0", "1732271400", 1732271400},
		{"UTC0", "100000000", 100000000},
		{"UTC0", "@@0", 0},
		{"UTC0", "@@-5", -5},
		{"UTC0", "@@2026", 2026},
		{"UTC0", "@9223372036854775807", INT64_MAX},
		{"UTC0", "today", 1795391999},
		{"UTC0", "yesterday", 1795391999 - 86400},
		{"<+14>-14", "today", 1795391999 - 14 * 3600 + 86400},
		{"<+14>-14", "yesterday", 1795391999 - 14 * 3600},
		{"<-12>12", "today", 1795391999 + 12 * 3600 - 86400},
	};

	for (size_t i = 0; i < LENGTH(table); i++) {
		int64_t got = INT64_MIN;
		int r;

		set_zone(table[i].zone);
		r = bt_time_parse(table[i].text, 1795343400, &got);
		if (r || got != table[i].want)
			fail_msg("%s in %s: %d, %lld", table[i].text, table[i].zone, r, (long long)got);
	}
}

static void time_days_around_a_turned_clock(void **state)
{
	int64_t got;

	set_zone(BERLIN);
	/* On the day of 25 hours, an hour after midnight of the next. */
	assert_int_equal(bt_time_parse("yesterday", utc(2026, 10, 26, 0, 0, 0), &got), 0);
	assert_int_equal(got, utc(2026, 10, 25, 22, 59, 59));
	assert_int_equal(bt_time_parse("today", utc(2026, 10, 25, 0, 30, 0), &got), 0);
	assert_int_equal(got, utc(2026, 10, 25, 22, 59, 59));
	assert_int_equal(bt_time_parse("today", -1, &got), 0);
	assert_int_equal(got, utc(1970, 1, 1, 22, 59, 59));
	assert_int_equal(bt_time_parse("yesterday", -1, &got), 0);
	assert_int_equal(got, utc(1969, 12, 31, 22, 59, 59));
}

static void time_first_second(void **state)
{
	static const struct {
		const char *zone, *text;
		int year, month, day, hour, minute, second; /* UTC; now is 2026-11-22T10:30:00Z */
	} table[] = {
		{"UTC0", "2026-11-01", 2026, 11, 1, 0, 0, 0},
		{"UTC0", "2026-11-01T10:30", 2026, 11, 1, 10, 30, 0},
		{"UTC0", "2026-11-01T10:30:07", 2026, 11, 1, 10, 30, 7},
		{"UTC0", "2026-11-01T10-30-07", 2026, 11, 1, 10, 30, 7},
		{"UTC0", "today", 2026, 11, 22, 0, 0, 0},
		{"UTC0", "yesterday", 2026, 11, 21, 0, 0, 0},
		{"UTC0", "now", 2026, 11, 22, 10, 30, 0},
		{"UTC0", "2h", 2026, 11, 22, 8, 30, 0},
		{BERLIN, "2026-11-01", 2026, 10, 31, 23, 0, 0},
		{BERLIN, "2026-11-01T10:30Z", 2026, 11, 1, 10, 30, 0},
		{BERLIN, "2026-03-29T02:30", 2026, 3, 29, 1, 0, 0}, /* never shown */
		{BERLIN, "2026-10-25", 2026, 10, 24, 22, 0, 0},
		{BRAZIL, "2026-11-01", 2026, 11, 1, 3, 0, 0}, /* its first hour is never shown */
		{BRAZIL, "2026-02-15", 2026, 2, 15, 3, 0, 0}, /* the hour before comes twice */
	};

	for (size_t i = 0; i < LENGTH(table); i++) {
		int64_t want = utc(table[i].year, table[i].month, table[i].day, table[i].hour, table[i].minute,
				   table[i].second);
		int64_t got = INT64_MIN;
		int r;

		set_zone(table[i].zone);
		r = bt_time_parse_first(table[i].text, 1795343400, &got);
		if (r || got != want)
			fail_msg("%s in %s: %d, %lld instead of %lld", table[i].text, table[i].zone, r, (long long)got,
				 (long long)want);
	}
}

static const char *const nonsense[] = {
	"",
	" ",
	"x",
	"2026-11-",
	"2026-1-20",
	"26-11-20",
	"02026-11-20",
	"2026-00-20",
	"2026-13-20",
	"2026-11-00",
	"2026-11-31",
	"2026-02-29",
	"1900-02-29",
	"2026-11-20 ",
	" 2026-11-20",
	"2026-11-20T",
	"2026-11-20T10",
	"2026-11-20T1:30",
	"2026-11-20T10:3",
	"2026-11-20T10:30:",
	"2026-11-20T10:30:1",
	"2026-11-20T10:30:60",
	"2026-11-20T10:60",
	"2026-11-20T24:00",
	"2026-11-20T10:30-15",
	"2026-11-20T10-30:15",
	"2026-11-20T10-30",
	"2026-11-20T10-30-01:00",
	"2026-11-20T10:30:15.5",
	"2026-11-20T10:30z",
	"2026-11-20t10:30",
	"2026-11-20T10:30ZZ",
	"2026-11-20T10:30+1:00",
	"2026-11-20T10:30+0100",
	"2026-11-20T10:30+24:00",
	"2026-11-20T10:30+01:60",
	"2026-11-20T10:30 +01:00",
	"2026-11-20  10:30",
	"2026-11-20Z",
	"2026/11/20",
	"20261120",
	"-2026-11-20",
	"2026-11-2a",
	"todayx",
	"tomorrow",
	"@",
	"@x",
	"@+5",
	"@ 5",
	"@--5",
	"@@5s",
	"@@",
	"@@@5",
	"@5",
	"@-5",
	"12345678",
	"0",
	"2026-",
	"2026-00",
	"2026-13",
	"2026-11 10:30",
	"202",
	"20266",
	"2026-monday",
	"24:00",
	"10:60",
	"1:30",
	"10:30Z",
	"10-30-00",
	"10:30 ",
	"mo",
	"mond",
	"mondays",
	"monday ",
	"monday  10:30",
	"monday 10",
	"mondayT10:30",
	"now 10:30",
	"ago",
	" ago",
	"3 ago",
	"3 days ago ",
	"3  days",
	"3 daysago",
	"days",
	"5m",
	"1y6m",
	"3 fortnights",
	"99999999999y",
	"@9223372036854775808",
	"5",
	"-5s",
	"+5s",
	"5S",
	"5ss",
	"s",
	"1.5h",
	"9223372036854775808s",
	"9223372036854775807w",
	"99999999999999999999999999s",
};

static void time_nonsense(void **state)
{
	int64_t seconds = 42;

	set_zone(BERLIN);
	for (size_t i = 0; i < LENGTH(nonsense); i++)
		if (bt_time_parse(nonsense[i], 0, &seconds) != BT_E_INVALID || seconds != 42)
			fail_msg("'%s' was taken for a time", nonsense[i]);
	assert_int_equal(bt_time_parse("1s", INT64_MIN, &seconds), BT_E_INVALID);
	assert_int_equal(bt_time_parse("today", INT64_MAX, &seconds), BT_E_INVALID);
	assert_int_equal(bt_time_parse("yesterday", INT64_MIN, &seconds), BT_E_INVALID);
	assert_int_equal(seconds, 42);
}

static void durations(void **state)
{
	static const struct {
		const char *text;
		int64_t want; /* negative: none */
	} table[] = {{"10", 10},
		     {"0", 0},
		     {"10s", 10},
		     {"5m", 300},
		     {"2h", 7200},
		     {"1d", 86400},
		     {"1w", 604800},
		     {"9223372036854775807", INT64_MAX},
		     {"", -1},
		     {"s", -1},
		     {"-1", -1},
		     {"+1", -1},
		     {" 1", -1},
		     {"1 ", -1},
		     {"1h30m", 5400},
		     {"90 min", 5400},
		     {"1month", 31 * 86400},
		     {"1.5h", -1},
		     {"1H", -1},
		     {"1y", 366 * 86400},
		     {"1q", -1},
		     {"1 ms", -1},
		     {"5m ", -1},
		     {"0x10", -1},
		     {"9223372036854775808", -1},
		     {"9223372036854775807m", -1}};

	for (size_t i = 0; i < LENGTH(table); i++) {
		int64_t seconds = -1;
		int r = bt_duration_parse(table[i].text, BT_M_MINUTES, &seconds);

		if (r != (table[i].want < 0 ? BT_E_INVALID : 0) || seconds != table[i].want)
			fail_msg("'%s': %d, %lld", table[i].text, r, (long long)seconds);
	}
}

static void snapshot_names(void **state)
{
	static const struct {
		const char *name;
		int64_t seconds;
		unsigned clash;
	} table[] = {
		{"snapshot_2026-11-22T10-30-00Z.json", 1795343400, 0},
		{"snapshot_2026-11-22T10-30-00Z-1.json", 1795343400, 1},
		{"snapshot_2026-11-22T10-30-00Z-4294967295.json", 1795343400, 4294967295},
		{"snapshot_1970-01-01T00-00-00Z.json", 0, 0},
		{"snapshot_1969-12-31T23-59-59Z-20.json", -1, 20},
		{"snapshot_0000-01-01T00-00-00Z.json", -62167219200, 0},
		{"snapshot_9999-12-31T23-59-59Z.json", 253402300799, 0},
		{"snapshot_2024-02-29T00-00-00Z.json", 1709164800, 0},
	};

	set_zone(BERLIN);
	for (size_t i = 0; i < LENGTH(table); i++) {
		char name[64];
		int64_t seconds = 0;
		unsigned clash = 0;

		assert_int_equal(bt_snapshot_name_parse(table[i].name, &seconds, &clash), 0);
		assert_int_equal(seconds, table[i].seconds);
		assert_int_equal(clash, table[i].clash);
		bt_snapshot_name_format(seconds, clash, name, sizeof(name));
		assert_string_equal(name, table[i].name);
	}
}

static void snapshot_names_of_version_1(void **state)
{
	int64_t seconds;
	unsigned clash;

	set_zone(BERLIN);
	assert_int_equal(bt_snapshot_name_parse("snapshot_2024-12-01T10-00-00.json", &seconds, &clash), 0);
	assert_int_equal(seconds, utc(2024, 12, 1, 9, 0, 0));
	assert_int_equal(clash, 0);
	assert_int_equal(bt_snapshot_name_parse("snapshot_2024-07-01T10-00-00-3.json", &seconds, &clash), 0);
	assert_int_equal(seconds, utc(2024, 7, 1, 8, 0, 0));
	assert_int_equal(clash, 3);
}

static void snapshot_names_refused(void **state)
{
	static const char *const table[] = {
		"",
		"snapshot_",
		"snapshot_.json",
		"2026-11-22T10-30-00Z.json",
		"Snapshot_2026-11-22T10-30-00Z.json",
		"snapshot_2026-11-22T10-30-00Z",
		"snapshot_2026-11-22T10-30-00Z.jso",
		"snapshot_2026-11-22T10-30-00Z.json.tmp",
		"snapshot_2026-11-22T10-30-00Z.jsonx",
		"snapshot_2026-11-22T10-30-00z.json",
		"snapshot_2026-11-22T10:30:00Z.json",
		"snapshot_2026-11-22T10-30Z.json",
		"snapshot_2026-11-22T1-30-00Z.json",
		"snapshot_2026-11-22 10-30-00Z.json",
		"snapshot_2026-11-22.json",
		"snapshot_2026-11-22T10-30-60Z.json",
		"snapshot_2026-11-31T10-30-00Z.json",
		"snapshot_2026-11-22T10-30-00Z-.json",
		"snapshot_2026-11-22T10-30-00Z-0.json",
		"snapshot_2026-11-22T10-30-00Z-01.json",
		"snapshot_2026-11-22T10-30-00Z--1.json",
		"snapshot_2026-11-22T10-30-00Z-1x.json",
		"snapshot_2026-11-22T10-30-00Z-4294967296.json",
		"snapshot_2026-11-22T10-30-00+01:00.json",
		"snapshot_2026-11-22T10-30-00Z1.json",
	};
	int64_t seconds = 42;
	unsigned clash = 42;

	set_zone("UTC0");
	for (size_t i = 0; i < LENGTH(table); i++)
		if (bt_snapshot_name_parse(table[i], &seconds, &clash) != BT_E_INVALID || seconds != 42 || clash != 42)
			fail_msg("'%s' was taken for a snapshot", table[i]);
}

static void snapshot_names_out_of_range(void **state)
{
	char name[64];

	bt_snapshot_name_format(INT64_MAX, 4294967295, name, sizeof(name));
	assert_string_equal(name, "snapshot_9999-12-31T23-59-59Z-4294967295.json");
	bt_snapshot_name_format(INT64_MIN, 0, name, sizeof(name));
	assert_string_equal(name, "snapshot_0000-01-01T00-00-00Z.json");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_absolute),
		cmocka_unit_test(time_relative),
		cmocka_unit_test(time_days_around_a_turned_clock),
		cmocka_unit_test(time_first_second),
		cmocka_unit_test(time_nonsense),
		cmocka_unit_test(durations),
		cmocka_unit_test(snapshot_names),
		cmocka_unit_test(snapshot_names_of_version_1),
		cmocka_unit_test(snapshot_names_refused),
		cmocka_unit_test(snapshot_names_out_of_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
