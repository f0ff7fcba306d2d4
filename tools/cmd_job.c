/* SPDX-License-Identifier: MIT */
#include "choice.h"
#include "commands.h"
#include "job.h"
#include "job_store.h"
#include "notify.h"
#include "output.h"
#include "progress.h"
#include "record.h"
#include <backuptool/watch.h>
#include <errno.h>
#include <internal/policy.h>
#include <internal/schedule.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* Time goes on while the machine sleeps: what was due then is made up for once when it wakes. */
#define JOB_CLOCK CLOCK_BOOTTIME

enum { FULL_SCAN_EVERY = 60 };

struct job {
	struct tool_talk talk; /* the first member: callbacks get it */
	const struct tool *tool;
	const struct job_options *options;
	struct job_store at;
	int timer;
	int64_t started;
	uint64_t failed; /* runs in a row, up to now */
	uint64_t faulty; /* the same with those that were incomplete, and others that did not end with 0 */
	bool met;	 /* the store was opened once, or made */
	struct bt_schedule schedule;
	struct notify notify;
	struct job_tally tally;
	struct bt_watch *watch; /* NULL: every run looks at everything */
};

static const char *set_span(int64_t *field, const char *text, const char *expected)
{
	const char *unit = text + strspn(text, "0123456789");
	char *digits = tool_format("%.*s", (int)(unit - text), text);
	bool fine = bt_duration_parse(strcmp(unit, "ms") == 0 ? digits : text, field) == 0;

	if (fine && strcmp(unit, "ms") != 0)
		fine = !__builtin_mul_overflow(*field, 1000, field);
	free(digits);
	return fine ? NULL : expected;
}

static const char *set_interval(void *field, const char *text)
{
	static const char expected[] = "a time above 0 such as 90, 500ms, 90s, 5m, 2h or 1d";
	const char *wrong = set_span(field, text, expected);

	return wrong || *(int64_t *)field > 0 ? wrong : expected;
}

static const char *set_duration(void *field, const char *text)
{
	if (strcmp(text, "forever") != 0)
		return set_span(field, text, "a time such as 90, 500ms, 90s, 5m, 2h, 1d or forever");
	*(int64_t *)field = -1;
	return NULL;
}

static const char *set_every(void *field, const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '1' || *text > '9' || *end || value > UINT_MAX)
		return "a whole number above 0";
	*(unsigned *)field = (unsigned)value;
	return NULL;
}

#define FIELD(name) offsetof(struct job_options, name)

const struct tool_option job_pace_options[] = {
	{"interval", 0, "TIME", true, "from the start of one snapshot to the next (500ms, 10s, 5m, 2h, 1d)",
	 set_interval, FIELD(interval)},
	{"at-start", 0, NULL, false, "take a snapshot at once, however new the last one is", tool_set_true,
	 FIELD(at_start)},
	{"give-up-after", 0, "N", false, "end after N failed runs in a row", set_every, FIELD(give_up_after)},
	{0},
};

const struct tool_option job_watch_options[] = {
	{"watch", 0, NULL, false, "look only at what changed since the last run, as far as the kernel tells",
	 tool_set_true, FIELD(watch)},
	{"full-scan-every", 0, "N", false, "with --watch, look at everything in each N-th run (60)", set_every,
	 FIELD(full_scan_every)},
	{0},
};

static const struct tool_option table[] = {
	{"duration", 0, "TIME", true, "for how long snapshots are taken, or forever", set_duration, FIELD(duration)},
	{0},
};

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(JOB_CLOCK, &time);
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

/* Pruning can be ended anywhere, and the next run goes on with it. */
static bool prune_cancelled(void *arg)
{
	return stay_alive(arg) || tool_signals_first_seen();
}

/* The exit code of a job after another run: what the last one of all that failed did so for. */
static int exit_after(int so_far, int run)
{
	if (run == TOOL_OK || (run == TOOL_INCOMPLETE && so_far != TOOL_OK))
		return so_far;
	return run;
}

/* Whether it is a full walk's turn. */
static bool due(const struct job *job, const struct job_run *run)
{
	unsigned every = job->options->full_scan_every ? job->options->full_scan_every : FULL_SCAN_EVERY;

	return (run->number - 1) % every == 0;
}

static void take_snapshot(struct job *job, struct job_run *run)
{
	const struct tool_taking *taking = &job->options->taking;
	struct bt_snapshot_options options = tool_taking_request(taking);
	int code = 0;

	if (job->watch)
		code = bt_watch_take(job->watch, due(job, run), &options.changes, &run->error);
	if (code == 0)
		code = bt_snapshot_take(job->at.store, taking->target, &options, &job->talk.observer,
					&run->taken.result, &run->error);
	if (job->watch)
		bt_watch_give_back(job->watch, options.changes);
	run->taken.seconds = tool_talk_seconds(&job->talk);
	run->failed = code < 0 && code != BT_E_INCOMPLETE;
	if (!run->failed) {
		tool_outcome_count(job->tool, &run->taken.result);
		tool_outcome_lacks(job->tool, tool_taken_lacks(&run->taken.result));
	}
	if (run->failed)
		run->exit = tool_fail(job->tool, &run->error);
	else
		run->exit = tool_taken_judge(job->tool, taking, &run->taken.result, code);
	if (code == BT_E_INCOMPLETE) /* each entry was told */
		run->error = (struct bt_error){0};
	if (!run->failed && run->number == 1)
		tool_taking_say_other_host(job->tool, job->at.store, taking, &run->taken.result);
	tool_taking_say_rules(job->tool, &run->taken.result);
}

/* The job's own snapshots only: others that use the store have rules of their own. */
static int try_prune(struct job *job, struct job_run *run)
{
	const struct tool_retention *retention = &job->options->retention;
	const struct bt_prune_options options = {.size = sizeof(options), .dead_percent = retention->max_dead};
	const struct bt_snapshot_result *taken = &run->taken.result;
	struct tool_verdicts verdicts = {0};
	struct bt_error error = {0};
	int r = TOOL_OK, code = bt_store_refresh(job->at.store, &error); /* to see the new snapshot */

	if (!code)
		r = tool_verdicts_make(job->tool, job->at.store, retention, *taken->name ? taken->name : taken->parent,
				       &verdicts, &run->not_pruned);
	if (!code && verdicts.removed > 0)
		code = tool_verdicts_apply(&verdicts, job->at.store, &options, &job->talk.observer, &run->pruned,
					   &error);
	run->kept = verdicts.guarded;
	run->kept_names = tool_verdicts_guarded(&verdicts);
	tool_verdicts_free(&verdicts);
	if (code == BT_E_CANCELLED) /* the next one goes on with it */
		return TOOL_OK;
	if (code)
		run->not_pruned = tool_prune_problem(job->tool, &error, &run->pruned);
	return code ? tool_exit_code(code) : r;
}

/* Where a disk is not mounted, say, its mount point is empty: that is no reason to let go of anything. */
static char *emptied_text(const struct job *job, const struct bt_snapshot_result *taken)
{
	tool_auto char *target = tool_escape(job->options->taking.target);
	char *text;
	struct bt_snapshot *parent = NULL;
	struct bt_error unused = {0};

	if (bt_snapshot_open(job->at.store, taken->parent, &parent, &unused))
		parent = NULL;
	tool_auto char *files = tool_count(parent ? bt_snapshot_info(parent)->files : 0, "file", "files");
	if (parent)
		text = tool_format("%s is empty, the last snapshot had %s: nothing was pruned", target, files);
	else
		text = tool_format("%s is empty: nothing was pruned", target);
	bt_snapshot_close(parent);
	return text;
}

static void prune(struct job *job, struct job_run *run)
{
	int r = try_prune(job, run);

	if (run->not_pruned)
		tool_complain(job->tool, "%s", run->not_pruned);
	run->exit = exit_after(run->exit, r);
}

static void work(struct job *job, struct job_run *run)
{
	bool prunes = tool_retention_given(&job->options->retention) && !job->options->taking.dry_run;

	run->taken.store = tool_store_facts(job->at.store);
	run->taken.store.made = job->at.made;
	job->at.made = false; /* told once */
	tool_talk_begin(&job->talk, job->tool);
	job->talk.observer.cancelled = stay_alive;
	take_snapshot(job, run);
	job->talk.observer.cancelled = prune_cancelled;
	if (!run->failed && prunes && run->taken.result.emptied && !job->options->taking.allow_empty)
		run->not_pruned = emptied_text(job, &run->taken.result);
	else if (!run->failed && prunes && !tool_signals_first_seen())
		prune(job, run);
	tool_talk_end(&job->talk);
}

static int start_watch(struct job *job)
{
	struct bt_error error = {0};

	if (!job->options->watch)
		return TOOL_OK;
	if (bt_watch_start(job->options->taking.target, job->at.store, BT_WATCH_BEST, &job->watch, &error) == 0)
		return TOOL_OK;
	return tool_fail(job->tool, &error);
}

/* Opens the store for the first time. */
static int meet(struct job *job)
{
	const struct job_options *options = job->options;
	int r = tool_target_check(job->tool, options->taking.target);

	if (r == TOOL_OK)
		r = job_store_open(&job->at, !options->taking.dry_run);
	if (r == TOOL_OK && tool_retention_given(&options->retention) && !options->taking.dry_run)
		r = tool_store_confirm(job->tool, job->at.store);
	if (r == TOOL_OK)
		r = start_watch(job);
	if (r == TOOL_OK)
		job->faulty = tool_recorded_failures(job->at.store, job->at.host, job->at.target);
	job->met = r == TOOL_OK;
	return r;
}

/* When the run after this one is due by the clock on the wall; 0: there is none. */
static int64_t next_due(const struct job *job)
{
	const struct bt_schedule *schedule = &job->schedule;
	int64_t passed = now() - schedule->start, deadline = (passed / schedule->interval + 1) * schedule->interval;

	if (schedule->duration >= 0 && deadline >= schedule->duration)
		return 0;
	return time(NULL) + (deadline - passed) / 1000;
}

/* Before what comes after the run, which may look. In no other store than that of the first time. */
static void record(struct job *job, const struct job_run *run)
{
	const struct job_store *at = &job->at;
	bool pruned = tool_retention_given(&job->options->retention) && at->store && !run->failed;

	if (job->options->taking.dry_run || run->exit == TOOL_USAGE)
		return;
	tool_record_run(&at->tool, at->store, at->host, at->target, run->exit, next_due(job));
	if (pruned)
		tool_record_prune(&at->tool, at->store, at->host, at->target, run->not_pruned ? TOOL_FATAL : TOOL_OK,
				  run->pruned.removed);
}

static void open_and_work(struct job *job, struct job_run *run)
{
	run->exit = job->met ? job_store_open(&job->at, false) : meet(job);
	run->watched = job->watch;
	run->failed = run->exit != TOOL_OK;
	if (!run->failed)
		work(job, run);
	record(job, run);
	job_store_close(&job->at);
}

/* A job that is ended while a hook runs puts the run off. */
static void leave_out(struct job *job, struct job_run *run, int why)
{
	const struct tool_outcome *outcome = job->tool->outcome;

	run->put_off = why == TOOL_PUT_OFF || why == TOOL_INTERRUPTED;
	run->failed = !run->put_off;
	run->exit = run->put_off ? TOOL_PUT_OFF : why;
	run->hook = why == TOOL_PUT_OFF ? outcome->put_off : outcome->error;
	if (run->failed)
		record(job, run);
}

static void run_with_hooks(struct job *job, struct job_run *run)
{
	struct tool_outcome *outcome = job->tool->outcome;
	bool faulty;
	int r;

	tool_outcome_clear(outcome);
	tool_outcome_target(job->tool, job->options->taking.target);
	outcome->run = run->number;
	outcome->failures = job->faulty;
	r = tool_hooks_before(job->tool);
	if (r == TOOL_OK)
		open_and_work(job, run);
	else
		leave_out(job, run, r);
	faulty = run->exit != TOOL_OK && !run->put_off;
	outcome->failures += faulty;
	run->exit = tool_hooks_after(job->tool, run->exit, job->faulty > 0);
	if (!run->put_off)
		job->faulty = faulty ? job->faulty + 1 : 0;
	else if (run->exit == TOOL_PUT_OFF)
		run->exit = TOOL_OK;
}

static void run_once(struct job *job, struct job_run *run)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	*run = (struct job_run){.number = job->tally.runs + 1,
				.taken.result.size = sizeof(run->taken.result),
				.pruned.size = sizeof(run->pruned),
				.time = {time.tv_sec, (uint32_t)time.tv_nsec},
				.taken.dry_run = job->options->taking.dry_run};
	run_with_hooks(job, run);
	if (!run->put_off)
		job->failed = run->failed ? job->failed + 1 : 0;
	run->failed_in_a_row = job->failed;
}

static void tell_run(struct job *job, const struct job_run *run)
{
	tool_auto char *text = job_run_text(run), *status = tool_format("STATUS=%s", text);

	job_run_print(job->tool, run);
	notify_send(&job->notify, status);
}

/* Until then or a signal. */
static void wait_until(struct job *job, int64_t deadline)
{
	const struct itimerspec at = {.it_value = {deadline / 1000, deadline % 1000 * 1000000}};
	const int every = job->notify.watchdog_every ? (int)job->notify.watchdog_every : -1;
	struct pollfd woken[] = {{.fd = job->timer, .events = POLLIN},
				 {.fd = tool_signals_fd(), .events = POLLIN},
				 {.fd = job->at.socket, .events = POLLIN}};

	timerfd_settime(job->timer, TFD_TIMER_ABSTIME, &at, NULL);
	tool_signals_silence(true);
	while (!tool_signals_first_seen() && now() < deadline) {
		notify_alive(&job->notify, now());
		poll(woken, 3, every);
		job_store_answer(&job->at);
	}
	tool_signals_silence(job->tool->quiet);
}

/* Gives what ends the job early, or TOOL_OK: a run that was cancelled, and options that cannot work. */
static int run_all(struct job *job)
{
	struct bt_schedule_next next = {0};
	struct job_run run;

	wait_until(job, job->schedule.start);
	if (tool_signals_first_seen())
		return TOOL_OK;
	do {
		run_once(job, &run);
		bt_schedule_next(&job->schedule, next.run, now(), &next);
		run.missed = tool_signals_first_seen() ? 0 : next.missed;
		job->tally.exit = exit_after(job->tally.exit, run.exit);
		job_tally_add(&job->tally, &run);
		tell_run(job, &run);
		free(run.not_pruned);
		free(run.kept_names);
		if (run.exit == TOOL_INTERRUPTED || run.exit == TOOL_USAGE)
			return run.exit;
		if (job->options->give_up_after && job->failed >= job->options->give_up_after) {
			tool_complain(job->tool, "gave up after %" PRIu64 " failed runs in a row", job->failed);
			return run.exit;
		}
		if (!next.done)
			wait_until(job, next.deadline);
	} while (!next.done && !tool_signals_first_seen());
	return TOOL_OK;
}

/* The host is part of the task as it is of what snapshots are compared with: stores may be shared. */
static void find_target(struct job *job)
{
	const struct tool_taking *taking = &job->options->taking;

	job_store_init(&job->at, job->tool, tool_taking_host(taking), tool_path_here(taking->target));
}

static bool is_there(const struct tool *tool)
{
	const struct bt_store_options options = {
		.size = sizeof(options), .id = tool_store_wanted(tool), .read_only = true};
	struct bt_store *store = NULL;
	struct bt_error unused = {0};
	bool there = bt_store_open(tool->store, &options, &store, &unused) == 0;

	bt_store_close(store);
	return there;
}

static void say_due(const struct job *job, double wait, const char *after)
{
	tool_auto char *text = tool_local_time((struct bt_time){.seconds = time(NULL) + (int64_t)wait});
	bool forever = job->options->duration < 0;

	if (!job->tool->json && !job->tool->quiet && wait >= 1) {
		printf("next snapshot at %s, one interval after %s%s; --at-start takes one at once\n", text, after,
		       forever ? "" : ", and the duration begins then");
		fflush(stdout);
	}
}

/* A job that is started again goes on as if it had not been ended. */
static int64_t first_start(const struct job *job)
{
	int64_t start = now();
	char *after = NULL;
	double wait;

	if (job->options->at_start || job->options->taking.dry_run || !job->met)
		return start;
	wait = job_store_due(&job->at, job->options->interval, &after);
	if (after)
		say_due(job, wait, after);
	free(after);
	return start + (int64_t)(wait * 1000);
}

static int start(struct job *job)
{
	bool waits_for_hook = job->options->hooks.commands[TOOL_HOOK_BEFORE].count && !job->options->taking.dry_run;
	int r = TOOL_OK;

	if (job->options->watch && job->options->taking.dry_run)
		return tool_usage_error(job->tool, "--watch follows snapshots, and --dry-run takes none");
	tool_patterns_check(job->tool, job->options->taking.target, &job->options->taking.exclude);
	find_target(job);
	if (!waits_for_hook || is_there(job->tool)) /* else the hook may bring it */
		r = meet(job);
	if (r != TOOL_OK)
		return r;
	job->timer = timerfd_create(JOB_CLOCK, TFD_CLOEXEC);
	if (job->timer < 0) {
		tool_say(job->tool, "cannot make a timer: %s", strerror(errno));
		return TOOL_FATAL;
	}
	tool_signals_spare_first();
	tool_signals_watch(job->tool);
	job->started = now();
	job->schedule = (struct bt_schedule){first_start(job), job->options->interval, job->options->duration};
	job_store_close(&job->at);
	notify_open(&job->notify);
	tool_hooks_keep_alive(job->tool, keep_alive, job,
			      job->notify.watchdog_every ? (int)job->notify.watchdog_every : -1);
	return TOOL_OK;
}

static int run_job(struct tool *tool, const void *options)
{
	struct job job = {.tool = tool, .options = options, .timer = -1, .notify.fd = -1};
	int r;

	job.at.claim = job.at.socket = -1;
	if (job.options->taking.dry_run)
		tool_hooks_stop(tool);
	r = start(&job);
	if (r == TOOL_OK) {
		notify_send(&job.notify, job.schedule.start > now() ? "READY=1\nSTATUS=waiting for the next snapshot"
								    : "READY=1\nSTATUS=taking the first snapshot");
		r = run_all(&job);
		notify_send(&job.notify, "STOPPING=1");
		job.tally.seconds = (double)(now() - job.started) / 1000;
		job.tally.exit = r != TOOL_OK ? r : job.tally.exit;
		job_tally_print(tool, &job.tally);
		r = job.tally.exit;
	}
	notify_close(&job.notify);
	bt_watch_stop(job.watch);
	job_store_free(&job.at);
	if (job.timer >= 0)
		close(job.timer);
	return r;
}

const struct tool_command cmd_job = {
	.name = "job",
	.summary = "takes snapshots of a directory at an interval",
	.description = "The first snapshot is taken one interval after the newest one of this host and\n"
		       "directory; with --at-start, or if there is none, it is taken at once. The\n"
		       "others follow at fixed times until the duration has passed, which begins with\n"
		       "the first. A time that is missed, because a snapshot took longer or the machine\n"
		       "slept, is left out and counted. With rules of prune, each snapshot is followed\n"
		       "by pruning, which concerns the snapshots of this host and directory only.\n"
		       "Nothing is pruned while a directory that had files is empty.\n"
		       "\n"
		       "Between two runs the job has nothing open in the store, so its disk can be\n"
		       "unmounted. A run that finds no store at its place, or another one, fails with\n"
		       "10, and the next run tries again. --give-up-after ends a job that goes on\n"
		       "failing. A job ends with the code of its last run that failed, or with 3 if one\n"
		       "was incomplete.\n"
		       "\n"
		       "Ctrl-C or SIGTERM ends it after the snapshot in progress, a second one at\n"
		       "once. Two jobs for the same directory in the same store are refused with 11.\n"
		       "With --json, each snapshot gives a line, and the end another one.\n"
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
		   "  backuptool job --target-directory / --interval 1m --duration forever --watch -x\n",
	.ending = "the snapshot in progress is finished first",
	.common = TOOL_COMMON_STORE | TOOL_COMMON_JSON | TOOL_COMMON_YES | TOOL_COMMON_TALK | TOOL_COMMON_VERBOSE,
	.options = {{tool_taking_options, FIELD(taking)},
		    {tool_hook_options, FIELD(hooks)},
		    {tool_taking_dry_run, FIELD(taking)},
		    {job_pace_options, 0},
		    {table, 0},
		    {job_watch_options, 0},
		    {tool_retention_options, FIELD(retention)},
		    {tool_max_dead_option, FIELD(retention.max_dead)}},
	.options_size = sizeof(struct job_options),
	.hooks = 1 + FIELD(hooks),
	.run = run_job,
};
