/* SPDX-License-Identifier: MIT */
#include "job_many.h"
#include "job_when.h"
#include "notify.h"
#include "output.h"
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A source among the others. */
struct turn {
	struct run_source *run;
	struct job_when when;
	bool over; /* it has no more runs */
};

struct many {
	const struct tool *tool;
	struct turn *turns;
	size_t count;
	struct notify notify;
	struct job_tally tally;
};

static int64_t now(void)
{
	return (int64_t)(tool_clock() * 1000);
}

static void keep_alive(void *arg)
{
	struct many *many = arg;

	notify_alive(&many->notify, now());
}

/* A snapshot is finished, whatever came: a second signal ends the program. */
static bool stay_alive(void *arg)
{
	const struct job_round *round = arg;

	keep_alive(round->arg);
	return false;
}

static struct turn *turn_of(const struct job_round *round)
{
	const struct many *many = round->arg;
	size_t i = 0;

	while (&many->turns[i].run->round != round)
		i++;
	return &many->turns[i];
}

static int64_t next_due(const struct job_round *round)
{
	return job_when_after(&turn_of(round)->when);
}

/* Due after what its store has, if that is there now; else a hook may bring it. */
static void begin_when(struct turn *turn, bool at_start)
{
	struct run_source *run = turn->run;
	struct job_store *at = &run->round.at;
	struct tool silent = run->settings.tool;
	bool there = !at_start && job_store_look(at);

	silent.quiet = true;
	job_when_begin(&turn->when, &silent, there ? at : NULL);
	job_store_close(at);
}

static int begin_turn(struct many *many, struct turn *turn, int64_t duration, bool at_start)
{
	struct run_source *run = turn->run;
	int every = many->notify.watchdog_every ? (int)many->notify.watchdog_every : -1;

	run->settings.job.duration = duration;
	run_source_begin(run);
	run->round.arg = many;
	run->round.cancelled = stay_alive;
	run->round.next = next_due;
	if (job_when_open(&turn->when, &run->settings.job) < 0) {
		tool_complain(many->tool, "cannot make a timer: %s", strerror(errno));
		return TOOL_FATAL;
	}
	begin_when(turn, at_start || run->settings.job.at_start || run->settings.job.taking.dry_run);
	tool_hooks_keep_alive(&run->settings.tool, keep_alive, many, every);
	return TOOL_OK;
}

static void tell(const struct many *many, const struct run_result *result)
{
	tool_auto char *text = job_run_text(&result->job), *next = job_next_text(&result->job);
	tool_auto char *status = tool_format("STATUS=%s: %s%s", result->source, text, next);

	run_result_print(many->tool, result);
	if (!many->tool->json && !many->tool->quiet)
		printf("%s: %s\n", result->source, text);
	fflush(stdout);
	notify_send(&many->notify, status);
}

static bool gives_up(const struct turn *turn)
{
	const struct job_round *round = &turn->run->round;

	return round->options->give_up_after && round->failed >= round->options->give_up_after;
}

/* What cannot work, or fails too often, has no more runs. The other sources go on. */
static bool has_ended(const struct turn *turn)
{
	int exit = turn->run->result.job.exit;

	return exit == TOOL_USAGE || exit == TOOL_INTERRUPTED || gives_up(turn) || tool_signals_first_seen();
}

static void take_turn(struct many *many, struct turn *turn)
{
	struct job_run *job = &turn->run->result.job;
	uint64_t missed;
	bool ends, more;

	job_when_started(&turn->when);
	run_source_work(turn->run);
	ends = has_ended(turn);
	job->next.seconds = ends ? 0 : job_when_after(&turn->when);
	more = job_when_next(&turn->when, &missed);
	turn->over = ends || !more;
	job->missed = tool_signals_first_seen() ? 0 : missed;
	many->tally.exit = job_exit_after(many->tally.exit, job->exit);
	job_tally_add(&many->tally, job);
	tell(many, &turn->run->result);
	if (gives_up(turn))
		tool_complain(turn->run->round.tool, "gave up after %" PRIu64 " failed runs in a row",
			      turn->run->round.failed);
}

/* One that is due; NULL: none is. Each is asked, so that all timers are set. */
static struct turn *find_due(const struct many *many, bool *ret_any_left)
{
	struct turn *due = NULL;

	*ret_any_left = false;
	for (size_t i = 0; i < many->count; i++) {
		struct turn *turn = &many->turns[i];

		if (turn->over)
			continue;
		*ret_any_left = true;
		if (job_when_is_due(&turn->when) && (!due || turn->run->round.runs < due->run->round.runs))
			due = turn;
	}
	return due;
}

static void wait_for_any(struct many *many)
{
	const int every = many->notify.watchdog_every ? (int)many->notify.watchdog_every : -1;
	size_t count = 0;
	struct pollfd *woken = tool_alloc((2 * many->count + 1) * sizeof(*woken));

	woken[count++] = (struct pollfd){.fd = tool_signals_fd(), .events = POLLIN};
	for (size_t i = 0; i < many->count; i++) {
		const struct turn *turn = &many->turns[i];

		if (turn->over)
			continue;
		woken[count++] = (struct pollfd){.fd = turn->when.timer, .events = POLLIN};
		woken[count++] = (struct pollfd){.fd = turn->run->round.at.socket, .events = POLLIN};
	}
	tool_signals_silence(true);
	if (!tool_signals_first_seen())
		poll(woken, count, every);
	tool_signals_silence(many->tool->quiet);
	for (size_t i = 0; i < many->count; i++)
		job_store_answer(&many->turns[i].run->round.at);
	free(woken);
}

static void run_all(struct many *many)
{
	bool any_left = true;

	notify_send(&many->notify, "READY=1\nSTATUS=waiting for the next snapshot");
	while (any_left && !tool_signals_first_seen()) {
		struct turn *due = find_due(many, &any_left);

		keep_alive(many);
		if (due)
			take_turn(many, due);
		else if (any_left)
			wait_for_any(many);
	}
	notify_send(&many->notify, "STOPPING=1");
}

int job_many(const struct tool *tool, struct run_plan *plan, int64_t duration, bool at_start)
{
	struct many many = {.tool = tool, .count = plan->count, .notify.fd = -1};
	double started = tool_clock();
	int r = TOOL_OK;

	many.turns = tool_alloc((plan->count + 1) * sizeof(*many.turns));
	tool_signals_spare_first();
	tool_signals_watch(tool);
	notify_open(&many.notify);
	for (size_t i = 0; i < plan->count; i++)
		many.turns[i] = (struct turn){.run = &plan->sources[i], .when.timer = -1};
	for (size_t i = 0; i < plan->count && r == TOOL_OK; i++)
		r = begin_turn(&many, &many.turns[i], duration, at_start);
	if (r == TOOL_OK) {
		run_all(&many);
		many.tally.seconds = tool_clock() - started;
		job_tally_print(tool, &many.tally);
		r = many.tally.exit;
	}
	for (size_t i = 0; i < plan->count; i++)
		job_when_close(&many.turns[i].when);
	notify_close(&many.notify);
	free(many.turns);
	return r;
}
