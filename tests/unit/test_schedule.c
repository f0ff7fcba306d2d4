/* SPDX-License-Identifier: MIT */
#include <internal/schedule.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct row {
	const char *what;
	struct bt_schedule schedule;
	uint64_t last;
	int64_t now;
	struct bt_schedule_next expect;
};

#define DONE(missed_runs)                                                                                              \
	{                                                                                                              \
		true, 0, 0, missed_runs                                                                                \
	}
#define RUN(number, deadline_, missed_runs)                                                                            \
	{                                                                                                              \
		false, number, deadline_, missed_runs                                                                  \
	}

static const struct row rows[] = {
	{"a quick run", {1000, 10, 60}, 0, 1003, RUN(1, 1010, 0)},
	{"no time at all", {1000, 10, 60}, 0, 1000, RUN(1, 1010, 0)},
	{"ends at the next deadline", {1000, 10, 60}, 0, 1010, RUN(1, 1010, 0)},
	{"ends just behind it", {1000, 10, 60}, 0, 1011, RUN(2, 1020, 1)},
	{"misses three", {1000, 10, 60}, 1, 1045, RUN(5, 1050, 3)},
	{"a late run does not move the later ones", {1000, 10, 60}, 2, 1029, RUN(3, 1030, 0)},
	{"ended before its own deadline", {1000, 10, 60}, 2, 1015, RUN(3, 1030, 0)},
	{"a clock before the start", {1000, 10, 60}, 0, 900, RUN(1, 1010, 0)},
	{"six runs: the last", {1000, 10, 60}, 4, 1041, RUN(5, 1050, 0)},
	{"six runs: over", {1000, 10, 60}, 5, 1051, DONE(0)},
	{"a duration that is no multiple", {1000, 10, 61}, 5, 1051, RUN(6, 1060, 0)},
	{"over with some missed", {1000, 10, 60}, 3, 1200, DONE(2)},
	{"over with the last missed", {1000, 10, 60}, 4, 1051, DONE(1)},
	{"no duration: one run", {1000, 10, 0}, 0, 1000, DONE(0)},
	{"no duration, long run", {1000, 10, 0}, 0, 5000, DONE(0)},
	{"shorter than the interval: one run", {1000, 10, 9}, 0, 1001, DONE(0)},
	{"as long as the interval: one run", {1000, 10, 10}, 0, 1001, DONE(0)},
	{"one longer: two", {1000, 10, 11}, 0, 1001, RUN(1, 1010, 0)},
	{"forever", {1000, 10, -1}, 123456, 1000 + 1234560, RUN(123457, 1000 + 1234570, 0)},
	{"forever, asleep for long", {0, 3600, -1}, 1, 8 * 3600 + 5, RUN(9, 9 * 3600, 7)},
	{"start before zero", {-500, 100, -1}, 0, -350, RUN(2, -300, 1)},
	{"the smallest interval", {0, 1, 5}, 0, 3, RUN(3, 3, 2)},
	{"no deadline beyond the end of time", {INT64_MAX - 5, 10, -1}, 0, INT64_MAX - 5, DONE(0)},
	{"a huge interval", {5, INT64_MAX, -1}, 0, 6, DONE(0)},
	{"a huge interval that fits", {0, INT64_MAX, -1}, 0, 6, RUN(1, INT64_MAX, 0)},
	{"from one end of time to the other", {INT64_MIN, 1, -1}, 0, INT64_MAX, DONE(UINT64_MAX - 1)},
};

static void check_row(const struct row *row)
{
	struct bt_schedule_next next;

	bt_schedule_next(&row->schedule, row->last, row->now, &next);
	if (next.done != row->expect.done || next.run != row->expect.run || next.deadline != row->expect.deadline ||
	    next.missed != row->expect.missed)
		fail_msg("%s: done %d, run %llu, deadline %lld, missed %llu", row->what, next.done,
			 (unsigned long long)next.run, (long long)next.deadline, (unsigned long long)next.missed);
}

static void test_rows(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(&rows[i]);
}

/* Whatever the runs take, every run's number is counted once, as made or as missed, and the deadlines are the
 * schedule's. */
static void test_all_runs_are_counted(void **state)
{
	for (int64_t took = 0; took < 50; took++) {
		const struct bt_schedule schedule = {77, 10, 995};
		struct bt_schedule_next next = {.deadline = 77};
		uint64_t made = 0, missed = 0;

		do {
			assert_int_equal(next.deadline, 77 + 10 * (int64_t)next.run);
			made++;
			bt_schedule_next(&schedule, next.run, next.deadline + took, &next);
			missed += next.missed;
		} while (!next.done);
		assert_int_equal(made + missed, 100);
		assert_int_equal(missed == 0, took <= 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_all_runs_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
