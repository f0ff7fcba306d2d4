/* SPDX-License-Identifier: MIT */
#include <backuptool/retention.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define MOST 40

/* Times as "2026-11-22 10:30" in the zone of the case; expect: the indices that are kept, as a string of letters from
 * 'a'. */
struct table {
	const char *what, *zone;
	const char *times[MOST];
	struct bt_retention rules;
	const char *now, *expect;
};

#define DAY ((int64_t)86400)

static const struct table cases[] = {
	{"last 2 of unsorted times",
	 "UTC",
	 {"2026-01-02 00:00", "2026-01-05 00:00", "2026-01-01 00:00", "2026-01-03 00:00"},
	 {.keep = {[BT_LAST] = 2}},
	 "2026-02-01 00:00",
	 "bd"},
	{"equal times: the later in the list is the newer",
	 "UTC",
	 {"2026-01-01 00:00", "2026-01-01 00:00"},
	 {.keep = {[BT_LAST] = 1}},
	 "2026-02-01 00:00",
	 "b"},
	{"newest of each day, and the oldest because the rule is not full",
	 "UTC",
	 {"2026-01-01 08:00", "2026-01-01 20:00", "2026-01-02 08:00", "2026-01-02 09:00"},
	 {.keep = {[BT_DAILY] = 7}},
	 "2026-02-01 00:00",
	 "abd"},
	{"a full rule does not keep the oldest",
	 "UTC",
	 {"2026-01-01 08:00", "2026-01-01 20:00", "2026-01-02 08:00"},
	 {.keep = {[BT_DAILY] = 2}},
	 "2026-02-01 00:00",
	 "bc"},
	{"ISO weeks begin on Monday: Sunday 2026-11-22 and Monday 2026-11-23",
	 "UTC",
	 {"2026-11-16 00:00", "2026-11-22 23:59", "2026-11-23 00:00"},
	 {.keep = {[BT_WEEKLY] = 2}},
	 "2026-12-01 00:00",
	 "bc"},
	{"a week over the turn of the year is one",
	 "UTC",
	 {"2025-12-29 00:00", "2025-12-31 00:00", "2026-01-04 00:00", "2026-01-05 00:00"},
	 {.keep = {[BT_WEEKLY] = 2}},
	 "2026-12-01 00:00",
	 "cd"},
	{"leap day belongs to February",
	 "UTC",
	 {"2028-02-01 00:00", "2028-02-29 12:00", "2028-03-01 00:00"},
	 {.keep = {[BT_MONTHLY] = 2}},
	 "2029-01-01 00:00",
	 "bc"},
	{"years",
	 "UTC",
	 {"2024-12-31 23:59", "2025-01-01 00:00", "2025-12-31 23:59"},
	 {.keep = {[BT_YEARLY] = 2}},
	 "2026-01-01 00:00",
	 "ac"},
	{"days are those of the zone: 23:30 and 00:30 in Berlin are one UTC day",
	 "Europe/Berlin",
	 {"2026-06-01 23:30", "2026-06-02 00:30", "2026-06-02 23:00"},
	 {.keep = {[BT_DAILY] = 2}},
	 "2026-07-01 00:00",
	 "ac"},
	{"the day on which clocks go forward has 23 hours",
	 "Europe/Berlin",
	 {"2026-03-28 23:59", "2026-03-29 00:00", "2026-03-29 23:59", "2026-03-30 00:00"},
	 {.keep = {[BT_DAILY] = 3}},
	 "2026-07-01 00:00",
	 "acd"},
	{"hours of a zone with half hours",
	 "Asia/Kolkata",
	 {"2026-03-28 10:00", "2026-03-28 10:59", "2026-03-28 11:00"},
	 {.keep = {[BT_HOURLY] = 2}},
	 "2026-07-01 00:00",
	 "bc"},
	{"future ones are kept and use no place",
	 "UTC",
	 {"2026-01-01 00:00", "2026-01-02 00:00", "2030-01-01 00:00"},
	 {.keep = {[BT_LAST] = 1}},
	 "2026-02-01 00:00",
	 "bc"},
	{"within counts from the newest",
	 "UTC",
	 {"2026-01-01 00:00", "2026-01-08 00:00", "2026-01-09 00:00", "2026-01-15 00:00"},
	 {.within = {[BT_LAST] = 7 * DAY}},
	 "2026-06-01 00:00",
	 "bcd"},
	{"newest of each day within two days",
	 "UTC",
	 {"2026-01-01 08:00", "2026-01-13 23:00", "2026-01-14 01:00", "2026-01-14 02:00", "2026-01-15 00:00"},
	 {.within = {[BT_DAILY] = 2 * DAY}},
	 "2026-06-01 00:00",
	 "bde"},
	{"rules are a union",
	 "UTC",
	 {"2024-01-01 00:00", "2025-01-01 00:00", "2026-01-01 00:00", "2026-01-01 01:00"},
	 {.keep = {[BT_LAST] = 1, [BT_YEARLY] = 2}},
	 "2026-06-01 00:00",
	 "bd"},
	{"all",
	 "UTC",
	 {"2024-01-01 00:00", "2024-01-01 00:01"},
	 {.keep = {[BT_LAST] = UINT32_MAX}},
	 "2026-06-01 00:00",
	 "ab"},
	{"nothing to decide", "UTC", {NULL}, {.keep = {[BT_LAST] = 3}}, "2026-06-01 00:00", ""},
};

static int64_t seconds_of(const char *text)
{
	struct tm tm = {.tm_isdst = -1};

	assert_non_null(strptime(text, "%Y-%m-%d %H:%M", &tm));
	return mktime(&tm);
}

static void decide(const struct table *table, char *kept)
{
	struct bt_candidate candidates[MOST];
	uint32_t reasons[MOST];
	size_t count = 0;

	setenv("TZ", table->zone, 1);
	tzset();
	for (; count < MOST && table->times[count]; count++)
		candidates[count] =
			(struct bt_candidate){.time = seconds_of(table->times[count]), .host = "h", .target = "/t"};
	assert_int_equal(bt_retention_decide(&table->rules, candidates, count, seconds_of(table->now), reasons), 0);
	for (size_t i = 0; i < count; i++)
		if (reasons[i])
			*kept++ = (char)('a' + i);
	*kept = 0;
}

static void test_table(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char kept[MOST + 1];

		decide(&cases[i], kept);
		if (strcmp(kept, cases[i].expect))
			fail_msg("%s: kept \"%s\", expected \"%s\"", cases[i].what, kept, cases[i].expect);
	}
}

static void test_hour_shown_twice(void **state)
{
	/* 2026-10-25 in Berlin: 02:30 comes twice, an hour apart, and is two hours. */
	const struct bt_candidate candidates[] = {{.time = 1792888200, .host = "h", .target = "/t"},
						  {.time = 1792891800, .host = "h", .target = "/t"},
						  {.time = 1792892400, .host = "h", .target = "/t"}};
	const struct bt_retention rules = {.keep = {[BT_HOURLY] = 2}};
	uint32_t reasons[3];

	setenv("TZ", "Europe/Berlin", 1);
	tzset();
	assert_int_equal(bt_retention_decide(&rules, candidates, 3, 1800000000, reasons), 0);
	assert_int_equal(reasons[0], BT_KEEP_COUNT(BT_HOURLY));
	assert_int_equal(reasons[1], 0);
	assert_int_equal(reasons[2], BT_KEEP_COUNT(BT_HOURLY));
}

static void test_groups_and_tags(void **state)
{
	const char *const release[] = {"release"};
	const struct bt_candidate candidates[] = {
		{.time = 100, .host = "h", .target = "/a"},
		{.time = 200, .host = "h", .target = "/b"},
		{.time = 300, .host = "h", .target = "/a", .tags = release, .tag_count = 1},
		{.time = 400, .host = "i", .target = "/a"},
		{.time = 500, .host = "h", .target = "/a"},
	};
	struct bt_retention rules = {
		.keep = {[BT_LAST] = 1}, .per_target = true, .keep_tags = release, .keep_tag_count = 1};
	uint32_t reasons[5];

	assert_int_equal(bt_retention_decide(&rules, candidates, 5, 1000, reasons), 0);
	assert_int_equal(reasons[0], 0);
	assert_int_equal(reasons[1], BT_KEEP_COUNT(BT_LAST));
	assert_int_equal(reasons[2], BT_KEEP_TAG);
	assert_int_equal(reasons[3], BT_KEEP_COUNT(BT_LAST));
	assert_int_equal(reasons[4], BT_KEEP_COUNT(BT_LAST));
	rules.per_target = false;
	assert_int_equal(bt_retention_decide(&rules, candidates, 5, 1000, reasons), 0);
	assert_int_equal(reasons[1], 0);
	assert_int_equal(reasons[3], 0);
	assert_int_equal(reasons[4], BT_KEEP_COUNT(BT_LAST));
}

static void test_oldest_until_full(void **state)
{
	const struct bt_candidate candidates[] = {{.time = 1000, .host = "h", .target = "/t"},
						  {.time = 2000, .host = "h", .target = "/t"},
						  {.time = 90000, .host = "h", .target = "/t"}};
	struct bt_retention rules = {.keep = {[BT_DAILY] = 3}};
	uint32_t reasons[3];

	setenv("TZ", "UTC", 1);
	tzset();
	assert_int_equal(bt_retention_decide(&rules, candidates, 3, 100000, reasons), 0);
	assert_int_equal(reasons[0], BT_KEEP_OLDEST);
	assert_int_equal(reasons[1], BT_KEEP_COUNT(BT_DAILY));
	assert_int_equal(reasons[2], BT_KEEP_COUNT(BT_DAILY));
	rules.keep[BT_DAILY] = 2;
	assert_int_equal(bt_retention_decide(&rules, candidates, 3, 100000, reasons), 0);
	assert_int_equal(reasons[0], 0);
	rules.keep[BT_DAILY] = 9;
	assert_int_equal(bt_retention_decide(&rules, candidates + 1, 2, 100000, reasons), 0);
	assert_int_equal(reasons[0], BT_KEEP_COUNT(BT_DAILY));
}

static void test_no_rule(void **state)
{
	const struct bt_retention rules = {0};
	uint32_t reason;

	assert_int_equal(bt_retention_decide(&rules, NULL, 0, 0, &reason), BT_E_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_table), cmocka_unit_test(test_hour_shown_twice),
					   cmocka_unit_test(test_groups_and_tags),
					   cmocka_unit_test(test_oldest_until_full), cmocka_unit_test(test_no_rule)};

	return cmocka_run_group_tests_name("retention", tests, NULL, NULL);
}
