/* SPDX-License-Identifier: MIT */
#include "job_when.h"
#include "output.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND };
/* No two times of a week are further apart. */
#define LONG_AGO (INT64_C(8) * 24 * 60 * MINUTE)
#define DAY	 86400 /* seconds */

static bool by_calendar(const struct job_when *when)
{
	return when->options->at.any;
}

static clockid_t clock_of(const struct job_when *when)
{
	return by_calendar(when) ? CLOCK_REALTIME : CLOCK_BOOTTIME;
}

static int64_t now(const struct job_when *when)
{
	struct timespec time;

	clock_gettime(clock_of(when), &time);
	return (int64_t)time.tv_sec * SECOND + time.tv_nsec / 1000000;
}

int job_when_check(const struct tool *tool, const struct job_options *options)
{
	if (options->interval && options->at.any)
		return tool_usage_error(tool, "give --interval or --at, not both");
	if (!options->interval && !options->at.any && options->duration != 0)
		return tool_usage_error(tool, "it is not said when: give --interval TIME or --at TIME");
	return TOOL_OK;
}

int job_when_open(struct job_when *when, const struct job_options *options)
{
	*when = (struct job_when){.options = options};
	when->timer = timerfd_create(clock_of(when), TFD_CLOEXEC | TFD_NONBLOCK);
	return when->timer < 0 ? -1 : 0;
}

void job_when_close(struct job_when *when)
{
	if (when->timer >= 0)
		close(when->timer);
	when->timer = -1;
}

/* What the clock on the wall will show then, in seconds. */
static int64_t on_the_wall(const struct job_when *when, int64_t deadline)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	return time.tv_sec + (time.tv_nsec / 1000000 + deadline - now(when) + SECOND / 2) / SECOND;
}

static int64_t end_of(const struct job_when *when, int64_t first)
{
	int64_t end;

	if (when->options->duration < 0 || __builtin_add_overflow(first, when->options->duration, &end))
		return INT64_MAX;
	return end;
}

/* Runs begin a moment after they are due, and times of the day are whole minutes. */
static int64_t whole_minute(int64_t time)
{
	return time - time % MINUTE;
}

/* Those of the first run have not begun to count. False: there is none, or only after the end. */
static bool find_due(const struct job_when *when, int64_t *ret_due)
{
	int64_t time = now(when), due;

	if (!bt_calendar_due(&when->options->at, when->served, time / SECOND, &due))
		return false;
	*ret_due = due * SECOND;
	return !when->end || (*ret_due > time ? *ret_due : time) < when->end;
}

static bool is_only_one(const struct job_when *when)
{
	const struct job_options *options = when->options;
	int64_t time = now(when), first = when->due > time ? when->due : time, second;

	if (options->duration <= 0)
		return false;
	if (!by_calendar(when))
		return options->duration <= options->interval;
	return !bt_calendar_next(&options->at, first / SECOND, &second) ||
	       second * SECOND >= end_of(when, whole_minute(first));
}

/* after: since what, or NULL. */
static void say_begin(const struct job_when *when, const char *after)
{
	bool forever = when->options->duration < 0;
	tool_auto char *text = tool_local_time((struct bt_time){.seconds = on_the_wall(when, when->due)});

	if (when->due - now(when) >= SECOND)
		printf("next snapshot at %s%s%s%s; --at-start takes one at once\n", text,
		       after ? ", one interval after " : "", after ? after : "",
		       forever ? "" : ", and the duration begins then");
	if (is_only_one(when))
		puts("only one snapshot is taken: the duration ends before the next one is due");
	fflush(stdout);
}

/* A job that is started again goes on as if it had not been ended. */
static void begin_interval(struct job_when *when, const struct job_store *store, char **ret_after)
{
	int64_t interval = when->options->interval, time = now(when), age;

	if (store && interval && job_store_newest(store, interval, &age, ret_after))
		time += interval - age;
	when->due = time;
	when->schedule = (struct bt_schedule){time, interval ? interval : 1, when->options->duration};
}

static void begin_calendar(struct job_when *when, const struct job_store *store)
{
	int64_t time = now(when), age;
	char *name = NULL;

	when->due = time;
	when->at_once = !store;
	when->told = time / SECOND;
	when->served = INT64_MIN;
	if (store && job_store_newest(store, LONG_AGO, &age, &name))
		when->served = (time - age) / SECOND;
	if (store)
		find_due(when, &when->due);
	free(name);
}

void job_when_begin(struct job_when *when, const struct tool *tool, const struct job_store *store)
{
	tool_auto char *after = NULL;

	if (by_calendar(when))
		begin_calendar(when, store);
	else
		begin_interval(when, store, &after);
	if (!tool->json && !tool->quiet)
		say_begin(when, after);
}

/* What a clock that was years ahead has served is still to come. */
static void forget_future(struct job_when *when)
{
	int64_t time = now(when) / SECOND;

	if (when->served > time + DAY)
		when->served = time;
}

bool job_when_is_due(struct job_when *when)
{
	int flags = TFD_TIMER_ABSTIME | (by_calendar(when) ? TFD_TIMER_CANCEL_ON_SET : 0), r = 0;
	struct itimerspec at = {0};
	uint64_t unused;

	do {
		if (by_calendar(when) && !when->at_once) {
			forget_future(when);
			find_due(when, &when->due);
		}
		if (when->due <= now(when))
			return true;
		at.it_value = (struct timespec){when->due / SECOND, when->due % SECOND * 1000000};
		(void)!read(when->timer, &unused, sizeof(unused));
		r = timerfd_settime(when->timer, flags, &at, NULL);
	} while (r < 0 && errno == ECANCELED);
	return false;
}

void job_when_started(struct job_when *when)
{
	int64_t time = now(when);

	when->served = time / SECOND;
	when->at_once = false;
	if (!when->end)
		when->end = end_of(when, whole_minute(time));
}

int64_t job_when_after(const struct job_when *when)
{
	struct bt_schedule_next next = {0};
	int64_t time = now(when);

	if (by_calendar(when))
		next.done = !find_due(when, &next.deadline);
	else
		bt_schedule_next(&when->schedule, when->run, time, &next);
	if (next.done)
		return 0;
	return on_the_wall(when, next.deadline > time ? next.deadline : time);
}

/* One of those that were due was this run, and one more may be made up. */
static uint64_t count_missed(const struct job_when *when, int64_t now, bool made_up)
{
	const struct bt_calendar *at = &when->options->at;
	uint64_t due = bt_calendar_count(at, when->told, now);
	uint64_t served = (bt_calendar_count(at, when->told, when->served) > 0) + (uint64_t)made_up;

	return due > served ? due - served : 0;
}

static bool next_in_calendar(struct job_when *when, uint64_t *ret_missed)
{
	int64_t time = now(when), due;
	bool more = find_due(when, &due);

	*ret_missed = count_missed(when, time / SECOND, more && due <= time);
	when->told = time / SECOND;
	if (more)
		when->due = due;
	return more;
}

bool job_when_next(struct job_when *when, uint64_t *ret_missed)
{
	struct bt_schedule_next next;

	if (by_calendar(when))
		return next_in_calendar(when, ret_missed);
	bt_schedule_next(&when->schedule, when->run, now(when), &next);
	*ret_missed = next.missed;
	when->run = next.run;
	when->due = next.deadline;
	return !next.done;
}
