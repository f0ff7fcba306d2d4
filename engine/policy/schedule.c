/* SPDX-License-Identifier: MIT */
#include <internal/schedule.h>

static uint64_t divide_up(uint64_t value, uint64_t by)
{
	return value / by + (value % by != 0);
}

/* How many runs there are in all. */
static uint64_t run_count(const struct bt_schedule *schedule)
{
	uint64_t count;

	if (schedule->duration < 0)
		return UINT64_MAX;
	count = divide_up((uint64_t)schedule->duration, (uint64_t)schedule->interval);
	return count > 0 ? count : 1;
}

/* The first run that is due now or later. */
static uint64_t first_from(const struct bt_schedule *schedule, int64_t now)
{
	if (now <= schedule->start)
		return 0;
	return divide_up((uint64_t)now - (uint64_t)schedule->start, (uint64_t)schedule->interval);
}

static bool deadline_of(const struct bt_schedule *schedule, uint64_t run, int64_t *ret_deadline)
{
	int64_t after;

	return !__builtin_mul_overflow(run, schedule->interval, &after) &&
	       !__builtin_add_overflow(schedule->start, after, ret_deadline);
}

void bt_schedule_next(const struct bt_schedule *schedule, uint64_t last, int64_t now, struct bt_schedule_next *ret_next)
{
	uint64_t count = run_count(schedule), run = first_from(schedule, now);
	struct bt_schedule_next next = {0};

	if (run <= last)
		run = last + 1;
	next.done = run >= count || !deadline_of(schedule, run, &next.deadline);
	if (next.done)
		next.deadline = 0;
	else
		next.run = run;
	if (run > count)
		run = count;
	next.missed = run > last + 1 ? run - last - 1 : 0;
	*ret_next = next;
}
