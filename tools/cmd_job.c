/* SPDX-License-Identifier: MIT */
#include "commands.h"
#include "job.h"
#include "job_many.h"
#include "job_round.h"
#include "job_when.h"
#include "notify.h"
#include "output.h"
#include "patterns.h"
#include "programs.h"
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct job {
	struct job_round round; /* the first member: callbacks get it */
	const struct tool *tool;
	const struct job_options *options;
	int64_t started;
	struct job_when when;
	struct notify notify;
	struct job_tally tally;
};

#define FIELD(name) offsetof(struct job_options, name)

struct options {
	struct job_options job; /* the first member: tables are of it */
	const char *config;
	struct run_plan *plan; /* of the configuration, or NULL */
};

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_BOOTTIME, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* A snapshot is finished, whatever came: a second signal ends the program. */
static bool stay_alive(void *arg)
{
	struct job *job = arg;

	notify_alive(&job->notify, now());
	return false;
}

static void keep_alive(void *job)
{
	stay_alive(job);
}

static int64_t next_due(const struct job_round *round)
{
	return job_when_after(&((const struct job *)(const void *)round)->when);
}

static void tell_run(struct job *job, const struct job_run *run)
{
	tool_auto char *text = job_run_text(run), *next = job_next_text(run);
	tool_auto char *status = tool_format("STATUS=%s%s", text, next);

	job_run_print(job->tool, run);
	notify_send(&job->notify, status);
}

/* Until the next run is due, or a signal comes. */
static void wait_for_next(struct job *job)
{
	const int every = job->notify.watchdog_every ? (int)job->notify.watchdog_every : -1;
	struct pollfd woken[] = {{.fd = job->when.timer, .events = POLLIN},
				 {.fd = tool_signals_fd(), .events = POLLIN},
				 {.fd = job->round.at.socket, .events = POLLIN}};

	tool_signals_silence(true);
	while (!tool_signals_first_seen() && !job_when_is_due(&job->when)) {
		notify_alive(&job->notify, now());
		poll(woken, 3, every);
		job_store_answer(&job->round.at);
	}
	tool_signals_silence(job->tool->quiet);
}

static bool gives_up(const struct job *job)
{
	return job->options->give_up_after && job->round.failed >= job->options->give_up_after;
}

/* False: it was the last one. */
static bool run_and_tell(struct job *job, int *ret_exit)
{
	struct job_run run;
	bool more, ends;

	job_when_started(&job->when);
	job_round_run(&job->round, &run);
	ends = run.exit == TOOL_INTERRUPTED || run.exit == TOOL_USAGE || gives_up(job) || tool_signals_first_seen();
	run.next.seconds = ends ? 0 : job_when_after(&job->when);
	more = job_when_next(&job->when, &run.missed);
	if (tool_signals_first_seen())
		run.missed = 0;
	job->tally.exit = job_exit_after(job->tally.exit, run.exit);
	job_tally_add(&job->tally, &run);
	tell_run(job, &run);
	free(run.not_pruned);
	free(run.kept_names);
	tool_taken_end(&run.taken);
	*ret_exit = run.exit;
	return more && !ends;
}

/* Gives what ends the job early, or TOOL_OK: a run that was cancelled, and options that cannot work. */
static int run_all(struct job *job)
{
	bool more = true;
	int exit = TOOL_OK;

	wait_for_next(job);
	while (more && !tool_signals_first_seen()) {
		more = run_and_tell(job, &exit);
		if (more)
			wait_for_next(job);
	}
	if (gives_up(job))
		tool_complain(job->tool, "gave up after %" PRIu64 " failed runs in a row", job->round.failed);
	return exit == TOOL_INTERRUPTED || exit == TOOL_USAGE || gives_up(job) ? exit : TOOL_OK;
}

/* The host is part of the task as it is of what snapshots are compared with: stores may be shared. */
static void find_target(struct job *job)
{
	const struct tool_taking *taking = &job->options->taking;

	job_store_init(&job->round.at, job->tool, tool_taking_host(taking), tool_taking_of(taking));
}

/* Whether store and directory are there; else a hook may bring them. */
static bool is_there(struct job *job)
{
	int unused;
	tool_auto char *problem = tool_target_problem(job->tool, &job->options->taking, &unused);
	bool there = !problem && job_store_look(&job->round.at);

	job_store_close(&job->round.at);
	return there;
}

static void begin(struct job *job)
{
	bool at_once = job->options->at_start || job->options->taking.dry_run;
	bool known = !at_once && (job->round.met || job_store_look(&job->round.at));

	job_when_begin(&job->when, job->tool, known ? &job->round.at : NULL);
}

static int check(const struct job *job)
{
	const struct job_options *options = job->options;
	int r;

	if (options->watch && options->taking.dry_run)
		return tool_usage_error(job->tool, "--watch follows snapshots, and --dry-run takes none");
	r = job_watch_check(job->tool, options);
	return r == TOOL_OK ? job_when_check(job->tool, options) : r;
}

static int start(struct job *job)
{
	int r = check(job);

	if (r == TOOL_OK)
		r = tool_taking_check(job->tool, &job->options->taking);
	if (r != TOOL_OK)
		return r;
	find_target(job);
	if (!job_is_prepared(job->options) || is_there(job))
		r = job_round_meet(&job->round);
	if (r != TOOL_OK)
		return r;
	if (job_when_open(&job->when, job->options) < 0) {
		tool_say(job->tool, "cannot make a timer: %s", strerror(errno));
		return TOOL_FATAL;
	}
	tool_signals_spare_first();
	tool_signals_watch(job->tool);
	job->started = now();
	begin(job);
	job_store_close(&job->round.at);
	notify_open(&job->notify);
	tool_hooks_keep_alive(job->tool, keep_alive, job,
			      job->notify.watchdog_every ? (int)job->notify.watchdog_every : -1);
	return TOOL_OK;
}

static bool is_given(const struct tool *tool, const char *word)
{
	bool given = false;

	for (size_t i = 0; i < tool->given.count; i++)
		given |= strncmp(tool->given.items[i], word, strlen(word)) == 0;
	return given;
}

static int prepare(struct tool *tool, void *arg)
{
	static const char *const fine[] = {"--config=", "--duration=", "--at-start", "--dry-run", NULL};
	static const struct tool_hooks none = {0};
	struct options *options = arg;
	int r = config_check_words(tool, options->config, fine);

	if (options->job.taking.dry_run)
		tool_hooks_stop(tool);
	if (r == TOOL_OK && options->job.taking.commands.count)
		r = tool_hooks_start_anyway(tool, options->job.taking.dry_run ? &none : &options->job.hooks);
	if (r == TOOL_OK && options->config)
		r = run_plan_make(tool, options->config, RUN_TIMED, options->job.taking.dry_run, &options->plan);
	return r;
}

static int run_plan(const struct tool *tool, const struct options *options)
{
	int64_t duration = is_given(tool, "--duration=") ? options->job.duration : -1;
	int r = job_many(tool, options->plan, duration, options->job.at_start);

	run_plan_free(options->plan);
	return r;
}

static int run_job(struct tool *tool, const void *options)
{
	struct job job = {.round = {.tool = tool, .options = options, .cancelled = stay_alive, .next = next_due},
			  .tool = tool,
			  .options = options,
			  .when.timer = -1,
			  .notify.fd = -1};
	int r;

	if (((const struct options *)options)->plan)
		return run_plan(tool, options);
	job.round.at.claim = job.round.at.socket = -1;
	r = start(&job);
	if (r == TOOL_OK) {
		notify_send(&job.notify, job_when_is_due(&job.when) ? "READY=1\nSTATUS=taking the first snapshot"
								    : "READY=1\nSTATUS=waiting for the next snapshot");
		r = run_all(&job);
		notify_send(&job.notify, "STOPPING=1");
		job.tally.seconds = (double)(now() - job.started) / 1000;
		job.tally.exit = r != TOOL_OK ? r : job.tally.exit;
		job_tally_print(tool, &job.tally);
		r = job.tally.exit;
	}
	notify_close(&job.notify);
	job_round_free(&job.round);
	job_when_close(&job.when);
	return r;
}

const struct tool_command cmd_job = {
	.name = "job",
	.summary = "takes snapshots of a directory at an interval or at times of the day",
	.description = "The first snapshot is taken one interval after the newest one of this host and\n"
		       "directory; with --at-start, or if there is none, it is taken at once. The\n"
		       "others follow at fixed times until the duration has passed, which begins with\n"
		       "the first. A time that is missed, because a snapshot took longer or the machine\n"
		       "slept, is left out and counted.\n"
		       "\n"
		       "With --at, which can be repeated, snapshots are taken at these times of the day\n"
		       "by the local clock, or of the days that are named: 'Mon,Thu 03:00', 'Mon-Fri\n"
		       "08:00,18:00'. If the machine was off or slept then, or a snapshot took longer,\n"
		       "one is taken as soon as possible, and only one, however many were missed.\n"
		       "With --duration 0 and no time, one snapshot is taken at once.\n"
		       "\n"
		       "With rules of prune, each snapshot is followed by pruning, which concerns the\n"
		       "snapshots of this host and directory only. Nothing is pruned while a directory\n"
		       "that had files is empty.\n"
		       "\n"
		       "Between two runs the job has nothing open in the store, so its disk can be\n"
		       "unmounted. A run that finds no store at its place, or another one, fails with\n"
		       "10, and the next run tries again. --give-up-after ends a job that goes on\n"
		       "failing. A job ends with the code of its last run that failed, or with 3 if one\n"
		       "was incomplete.\n"
		       "\n"
		       "Ctrl-C or SIGTERM ends it after the snapshot in progress, a second one at\n"
		       "once. A first snapshot is not finished then: what it has read is kept, and the\n"
		       "job ends with 130. Two jobs for the same directory in the same store are refused with 11.\n"
		       "With --json, each snapshot gives a line, and the end another one.\n"
		       "\n"
		       "With --config, each source of the configuration that has 'interval' or 'at' has\n"
		       "its turn when it is due, or those that are named: as by 'run', so with a check\n"
		       "if check-every wants one, but with the hooks of a job. One after the other they\n"
		       "wait for each other. Then --duration is not needed: without it there is no end.\n"
		       "\n"
		       "With --watch a run looks only at directories in which something happened\n"
		       "since the last one, as the kernel tells, and takes the rest from the last\n"
		       "snapshot. A run that cannot rely on that, after an overflow for instance,\n"
		       "looks at everything and says why. Seen late, at the next full walk, are:\n"
		       "- writes through a mapping of a file that was opened before the job began,\n"
		       "  until it is closed;\n"
		       "- writes through a hard link that lies outside of the directory.\n"
		       "Other file systems mounted below the directory are looked at in each run, and\n"
		       "so may be subvolumes of btrfs.",
	.example = "  backuptool job --target-directory ~/documents --interval 10m --duration 8h\n"
		   "  backuptool job --target-directory ~/documents --interval 1h --duration forever \\\n"
		   "      --skip-if-unchanged --keep-hourly 48 --keep-daily 30\n"
		   "  backuptool job --target-directory ~/documents --at 12:30,18:00 --duration forever\n"
		   "  backuptool job --target-directory / --interval 1m --duration forever --watch -x\n"
		   "  backuptool job --config ~/.config/backuptool/config\n",
	.operands = "[SOURCE…]",
	.max_operands = -1,
	.ending = "the snapshot in progress is finished first",
	.common = TOOL_COMMON_STORE | TOOL_COMMON_JSON | TOOL_COMMON_YES | TOOL_COMMON_TALK | TOOL_COMMON_VERBOSE,
	.options = {{tool_taking_options, FIELD(taking)},
		    {tool_rules_options, FIELD(taking.rules)},
		    {tool_command_options, FIELD(taking)},
		    {tool_hook_options, FIELD(hooks)},
		    {tool_taking_dry_run, FIELD(taking)},
		    {job_pace_options, 0},
		    {job_duration_option, 0},
		    {job_watch_options, 0},
		    {config_option, offsetof(struct options, config)},
		    {tool_retention_options, FIELD(retention)},
		    {tool_max_dead_option, FIELD(retention.max_dead)}},
	.options_size = sizeof(struct options),
	.hooks = 1 + FIELD(hooks),
	.prepare = prepare,
	.run = run_job,
};
