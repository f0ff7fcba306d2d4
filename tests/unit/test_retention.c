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
	struct bt_retention rules = table->rules;
	struct bt_candidate candidates[MOST];
	uint32_t reasons[MOST];
	size_t count = 0;

	setenv("TZ", table->zone, 1);
	tzset();
	for (; count < MOST && table->times[count]; count++)
		candidates[count] =
			(struct bt_candidate){.time = seconds_of(table->times[count]), .host = "h", .target = "/t"};
	rules.size = sizeof(rules);
	assert_int_equal(bt_retention_decide(&rules, candidates, count, seconds_of(table->now), reasons), 0);
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
	const struct bt_retention rules = {.size = sizeof(rules), .keep = {[BT_HOURLY] = 2}};
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
	struct bt_candidate candidates[] = {
		{.time = 100, .host = "h", .target = "/a"},
		{.time = 200, .host = "h", .target = "/b"},
		{.time = 300, .host = "h", .target = "/a", .tags = release, .tag_count = 1},
		{.time = 400, .host = "i", .target = "/a"},
		{.time = 500, .host = "h", .target = "/a"},
	};
	struct bt_retention rules = {.size = sizeof(rules),
				     .keep = {[BT_LAST] = 1},
				     .per_target = true,
				     .keep_tags = release,
				     .keep_tag_count = 1};
	uint32_t reasons[5];

	assert_int_equal(bt_retention_decide(&rules, candidates, 5, 1000, reasons), 0);
	assert_int_equal(reasons[0], 0);
	assert_int_equal(reasons[1], BT_KEEP_COUNT(BT_LAST));
	assert_int_equal(reasons[2], BT_KEEP_TAG);
	assert_int_equal(reasons[3], BT_KEEP_COUNT(BT_LAST));
	assert_int_equal(reasons[4], BT_KEEP_COUNT(BT_LAST));
	rules.per_target = false;
	assert_int_equal(bt_retention_decide(&rules, candidates, 5, 1000, reasons), 0);
	assert_int_equal(reasons[0], 0);
	assert_int_equal(reasons[1], BT_KEEP_COMPLETE);
	assert_int_equal(reasons[3], BT_KEEP_COMPLETE);
	assert_int_equal(reasons[4], BT_KEEP_COUNT(BT_LAST));
	rules.to_the_letter = true;
	assert_int_equal(bt_retention_decide(&rules, candidates, 5, 1000, reasons), 0);
	assert_int_equal(reasons[1], 0);
	assert_int_equal(reasons[3], 0);
	assert_int_equal(reasons[4], BT_KEEP_COUNT(BT_LAST));
	candidates[1].pinned = candidates[4].pinned = true;
	assert_int_equal(bt_retention_decide(&rules, candidates, 5, 1000, reasons), 0);
	assert_int_equal(reasons[1], BT_KEEP_PINNED);
	assert_int_equal(reasons[3], 0);
	assert_int_equal(reasons[4], BT_KEEP_COUNT(BT_LAST) | BT_KEEP_PINNED);
	candidates[0].unread = candidates[2].unread = 1;
	candidates[4].pinned = false;
	candidates[4].expired = true;
	assert_int_equal(bt_retention_decide(&rules, candidates, 5, 1000, reasons), 0);
	assert_int_equal(reasons[3], BT_KEEP_COUNT(BT_LAST));
	assert_int_equal(reasons[4], 0);
	rules.to_the_letter = false;
	assert_int_equal(bt_retention_decide(&rules, candidates, 5, 1000, reasons), 0);
	assert_int_equal(reasons[4], BT_KEEP_COMPLETE);
}

/*
 * Snapshots of one directory, oldest first, an hour apart, and what becomes of them by `keep the newest N`. As text:
 * "FILES/BYTES", with "!" for one with unread entries, "p" for a partial one; expect: a letter each, of what keeps it:
 * l the rule, c newest complete, s before it shrank, b both, n newest, - nothing.
 */
static const struct {
	const char *what, *snapshots;
	uint32_t last;
	const char *expect;
} guarded[] = {
	{"complete ones need no guard", "9/90 9/90 9/90", 1, "--l"},
	{"the newest complete one outlasts any number of incomplete ones", "9/90 9/90 9/90! 9/90! 9/90!", 2, "-c-ll"},
	{"it goes when a newer complete one is there", "9/90 9/90 9/90! 9/90! 9/90", 2, "---ll"},
	{"a complete one that the rule keeps needs no other reason", "9/90! 9/90 9/90!", 2, "-ll"},
	{"where none is complete, the newest", "9/90! 9/90!", 1, "-l"},
	{"what lost all files keeps the one before", "9/90 9/90 0/0 0/0 0/0", 3, "-slll"},
	{"nothing that was empty before", "0/0 0/0 0/0", 1, "--l"},
	{"more than half of files and bytes", "10/100 10/100 4/49 4/49", 1, "-s-l"},
	{"half of the files are not more than half", "10/100 5/10", 1, "-l"},
	{"half of the bytes are not more than half", "10/100 1/50", 1, "-l"},
	{"an odd number: three of five are more than half", "5/100 2/10", 1, "sl"},
	{"an odd number: two of five are not", "5/100 3/10", 1, "-l"},
	{"files without any bytes", "10/0 1/0", 1, "sl"},
	{"it has grown again", "10/100 1/1 5/50", 1, "--l"},
	{"less than half has come back", "10/100 1/1 4/40", 1, "s-l"},
	{"it shrank twice: both", "100/1000 20/200 2/2 2/2", 1, "ss-l"},
	{"it comes and goes: one of them", "10/100 0/0 10/100 0/0 10/100 0/0", 1, "----sl"},
	{"a smaller one before the last larger one is none", "100/1000 90/900 0/0 95/950 0/0", 1, "---sl"},
	{"growing is no reason", "1/10 10/100 100/1000", 1, "--l"},
	{"by and by is not all at once", "100/1000 60/600 40/400 25/250", 1, "---l"},
	{"incomplete and small: complete before, and before it shrank", "9/90 1/1! 1/1!", 2, "bll"},
	{"all incomplete, then empty and complete", "9/90! 9/90! 0/0 0/0", 2, "-sll"},
	{"a partial one counts for nothing, and goes once there is a complete one", "3/30p 5/50p 9/90 9/90", 3, "--ll"},
	{"of partial ones the newest", "3/30p 5/50p 7/70p", 2, "--n"},
	{"one after a complete one takes no place, and is no loss", "9/90 9/90 1/1p", 1, "-ln"},
	{"one between does not count as what it was before", "9/90 1/1p 9/90", 1, "--l"},
	{"counts beyond all measure", "18446744073709551615/18446744073709551615 1/1", 1, "sl"},
};

static size_t read_snapshots(const char *text, struct bt_candidate *candidates)
{
	size_t count = 0;
	char *end;

	for (; *text; text = end + (*end == ' '), count++) {
		candidates[count] = (struct bt_candidate){.time = (int64_t)count * 3600, .host = "h", .target = "/t"};
		candidates[count].files = strtoull(text, &end, 10);
		candidates[count].bytes = strtoull(end + 1, &end, 10);
		candidates[count].unread = *end == '!';
		candidates[count].partial = *end == 'p';
		end += *end == '!' || *end == 'p';
	}
	return count;
}

static char letter(uint32_t reasons)
{
	switch (reasons) {
	case 0:
		return '-';
	case BT_KEEP_COMPLETE:
		return 'c';
	case BT_KEEP_SHRANK:
		return 's';
	case BT_KEEP_COMPLETE | BT_KEEP_SHRANK:
		return 'b';
	case BT_KEEP_NEWEST:
		return 'n';
	default:
		return reasons == BT_KEEP_COUNT(BT_LAST) ? 'l' : '?';
	}
}

static void test_guards(void **state)
{
	for (size_t i = 0; i < sizeof(guarded) / sizeof(guarded[0]); i++) {
		struct bt_retention rules = {.size = sizeof(rules), .keep = {[BT_LAST] = guarded[i].last}};
		struct bt_candidate candidates[MOST];
		uint32_t reasons[MOST];
		char found[MOST + 1] = "";
		size_t count = read_snapshots(guarded[i].snapshots, candidates);

		assert_int_equal(bt_retention_decide(&rules, candidates, count, 1000000, reasons), 0);
		for (size_t k = 0; k < count; k++)
			found[k] = letter(reasons[k]);
		if (strcmp(found, guarded[i].expect))
			fail_msg("%s: \"%s\", expected \"%s\"", guarded[i].what, found, guarded[i].expect);
		rules.to_the_letter = true;
		assert_int_equal(bt_retention_decide(&rules, candidates, count, 1000000, reasons), 0);
		for (size_t k = count, left = guarded[i].last; k-- > 0;) {
			bool kept = !candidates[k].partial && left > 0;

			left -= kept;
			assert_int_equal(reasons[k], kept ? BT_KEEP_COUNT(BT_LAST) : 0);
		}
	}
}

/* Of other hosts and directories nothing makes up for one of this. */
static void test_guards_of_each_directory(void **state)
{
	const struct bt_candidate candidates[] = {
		{.time = 100, .host = "h", .target = "/a", .files = 9},
		{.time = 200, .host = "h", .target = "/a", .unread = 1, .files = 9},
		{.time = 300, .host = "i", .target = "/a", .unread = 1},
		{.time = 400, .host = "i", .target = "/a", .unread = 1},
		{.time = 500, .host = "h", .target = "/b", .files = 9},
		{.time = 2000, .host = "h", .target = "/a", .files = 9},
	};
	const struct bt_retention rules = {.size = sizeof(rules), .keep = {[BT_LAST] = 1}};
	uint32_t reasons[6];

	assert_int_equal(bt_retention_decide(&rules, candidates, 6, 1000, reasons), 0);
	assert_int_equal(reasons[0], BT_KEEP_COMPLETE);
	assert_int_equal(reasons[1], 0);
	assert_int_equal(reasons[2], 0);
	assert_int_equal(reasons[3], BT_KEEP_NEWEST);
	assert_int_equal(reasons[4], BT_KEEP_COUNT(BT_LAST));
	assert_int_equal(reasons[5], BT_KEEP_FUTURE);
}

static void test_oldest_until_full(void **state)
{
	const struct bt_candidate candidates[] = {{.time = 1000, .host = "h", .target = "/t"},
						  {.time = 2000, .host = "h", .target = "/t"},
						  {.time = 90000, .host = "h", .target = "/t"}};
	struct bt_retention rules = {.size = sizeof(rules), .keep = {[BT_DAILY] = 3}};
	uint32_t reasons[3];

	setenv("TZ", "UTC", 1);
	tzset();
	assert_int_equal(bt_retention_decide(&rules, candidates, 3, 100000, reasons), 0);
	assert_int_equal(reasons[0], BT_KEEP_OLDEST(BT_DAILY));
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
	const struct bt_retention rules = {.size = sizeof(rules)};
	uint32_t reason;

	assert_int_equal(bt_retention_decide(&rules, NULL, 0, 0, &reason), BT_E_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_table),
					   cmocka_unit_test(test_hour_shown_twice),
					   cmocka_unit_test(test_groups_and_tags),
					   cmocka_unit_test(test_guards),
					   cmocka_unit_test(test_guards_of_each_directory),
					   cmocka_unit_test(test_oldest_until_full),
					   cmocka_unit_test(test_no_rule)};

	return cmocka_run_group_tests_name("retention", tests, NULL, NULL);
}
