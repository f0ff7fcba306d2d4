/* SPDX-License-Identifier: MIT */
#include "job_round.h"
#include "output.h"
#include "power.h"
#include "programs.h"
#include "record.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FULL_SCAN_EVERY = 60 };

/* Pruning can be ended anywhere, and the next run goes on with it. */
static bool prune_cancelled(void *arg)
{
	const struct job_round *round = arg;

	return round->cancelled(arg) || tool_signals_first_seen();
}

int job_exit_after(int so_far, int run)
{
	if (run == TOOL_OK || (run == TOOL_INCOMPLETE && so_far != TOOL_OK))
		return so_far;
	return run;
}

/* Whether it is a full walk's turn. */
static bool due(const struct job_round *round, const struct job_run *run)
{
	unsigned every = round->options->full_scan_every ? round->options->full_scan_every : FULL_SCAN_EVERY;

	return (run->number - 1) % every == 0;
}

static void take_snapshot(struct job_round *round, struct job_run *run)
{
	const struct tool_taking *taking = &round->options->taking;
	struct bt_snapshot_options options = tool_taking_request(round->tool, taking, &run->taken);
	int code = 0;

	if (round->watch)
		code = bt_watch_take(round->watch, due(round, run), &options.changes, &run->error);
	if (code == 0)
		code = bt_snapshot_take(round->at.store, taking->target, &options, &round->talk.observer,
					&run->taken.result, &run->error);
	if (round->watch)
		bt_watch_give_back(round->watch, options.changes);
	run->taken.seconds = tool_talk_seconds(&round->talk);
	run->failed = code < 0 && code != BT_E_INCOMPLETE;
	if (!run->failed) {
		tool_taken_note(taking, &run->taken);
		tool_outcome_count(round->tool, &run->taken.result);
		tool_outcome_lacks(round->tool, tool_taken_lacks(&run->taken.result));
	}
	if (run->failed)
		run->exit = tool_taken_fail(round->tool, &run->taken, &run->error);
	else
		run->exit = tool_taken_judge(round->tool, taking, &run->taken, code);
	if (run->failed && run->exit == TOOL_FATAL && tool_programs_failure(run->taken.programs)) {
		run->why = round->tool->outcome->error;
		run->error = (struct bt_error){0};
	}
	if (code == BT_E_INCOMPLETE) /* each entry was told */
		run->error = (struct bt_error){0};
	if (!run->failed && run->number <= 1)
		tool_taking_say_other_host(round->tool, round->at.store, taking, &run->taken.result);
	if (!run->failed)
		tool_taking_say_clock(round->tool, round->at.store, taking, &run->taken.result);
	tool_taking_say_rules(round->tool, taking, &run->taken);
}

/* The job's own snapshots only: others that use the store have rules of their own. */
static int try_prune(struct job_round *round, struct job_run *run)
{
	const struct tool_retention *retention = &round->options->retention;
	const struct bt_prune_options options = {.size = sizeof(options), .dead_percent = retention->max_dead};
	const struct bt_snapshot_result *taken = &run->taken.result;
	struct tool_verdicts verdicts = {0};
	struct bt_error error = {0};
	int r = TOOL_OK, code = bt_store_refresh(round->at.store, &error); /* to see the new snapshot */

	if (!code)
		r = tool_verdicts_make(round->tool, round->at.store, retention,
				       *taken->name ? taken->name : taken->parent, &verdicts, &run->not_pruned);
	if (!code && r == TOOL_OK && tool_verdicts_remove(&verdicts))
		code = tool_verdicts_apply(&verdicts, round->at.store, &options, &round->talk.observer, &run->pruned,
					   &error);
	run->kept = verdicts.guarded;
	run->kept_names = tool_verdicts_guarded(&verdicts);
	if (code && code != BT_E_CANCELLED)
		run->not_pruned = tool_verdicts_problem(round->tool, &verdicts, &error, &run->pruned);
	tool_verdicts_free(&verdicts);
	if (code == BT_E_CANCELLED) /* the next one goes on with it */
		return TOOL_OK;
	return code ? tool_exit_code(code) : r;
}

/* Where a disk is not mounted, say, its mount point is empty: that is no reason to let go of anything. */
static char *emptied_text(const struct job_round *round, const struct bt_snapshot_result *taken)
{
	tool_auto char *target = tool_escape(round->options->taking.target);
	char *text;
	struct bt_snapshot *parent = NULL;
	struct bt_error unused = {0};

	if (bt_snapshot_open(round->at.store, taken->parent, &parent, &unused))
		parent = NULL;
	tool_auto char *files = tool_count(parent ? bt_snapshot_info(parent)->files : 0, "file", "files");
	if (parent)
		text = tool_format("%s is empty, the last snapshot had %s: nothing was pruned", target, files);
	else
		text = tool_format("%s is empty: nothing was pruned", target);
	bt_snapshot_close(parent);
	return text;
}

static void prune(struct job_round *round, struct job_run *run)
{
	int r = try_prune(round, run);

	if (run->not_pruned)
		tool_complain(round->tool, "%s", run->not_pruned);
	run->exit = job_exit_after(run->exit, r);
}

static void work(struct job_round *round, struct job_run *run)
{
	bool prunes = tool_retention_given(&round->options->retention) && !round->options->taking.dry_run;

	run->taken.store = tool_store_facts(round->at.store);
	run->taken.store.made = round->at.made;
	round->at.made = false; /* told once */
	tool_talk_begin(&round->talk, round->tool);
	round->talk.observer.cancelled = round->cancelled;
	tool_talk_checkpoints(&round->talk, tool_taking_checkpoints(&round->options->taking));
	take_snapshot(round, run);
	round->talk.observer.cancelled = prune_cancelled;
	if (!run->failed && prunes && run->taken.result.emptied && !round->options->taking.allow_empty)
		run->not_pruned = emptied_text(round, &run->taken.result);
	else if (!run->failed && prunes && !tool_signals_first_seen())
		prune(round, run);
	tool_talk_end(&round->talk);
}

static int start_watch(struct job_round *round)
{
	struct bt_error error = {0};

	if (!round->options->watch)
		return TOOL_OK;
	if (bt_watch_start(round->options->taking.target, round->at.store, BT_WATCH_BEST, &round->watch, &error) == 0)
		return TOOL_OK;
	return tool_fail(round->tool, &error);
}

int job_round_meet(struct job_round *round)
{
	const struct job_options *options = round->options;
	int r = tool_target_check(round->tool, &options->taking);

	if (r == TOOL_OK)
		r = job_store_open(&round->at, !options->taking.dry_run);
	if (r == TOOL_OK && tool_retention_given(&options->retention) && !options->taking.dry_run)
		r = tool_store_confirm(round->tool, round->at.store);
	if (r == TOOL_OK)
		r = start_watch(round);
	if (r == TOOL_OK)
		round->faulty = tool_recorded_failures(round->at.store, round->at.host, round->at.target);
	round->met = r == TOOL_OK;
	return r;
}

/* Before what comes after the run, which may look. In no other store than that of the first time. */
static void record(struct job_round *round, const struct job_run *run)
{
	const struct job_store *at = &round->at;
	bool pruned = tool_retention_given(&round->options->retention) && at->store && !run->failed;

	if (round->options->taking.dry_run || run->exit == TOOL_USAGE)
		return;
	tool_record_run(&at->tool, at->store, at->host, at->target, run->exit, round->next ? round->next(round) : 0);
	if (pruned)
		tool_record_prune(&at->tool, at->store, at->host, at->target, run->not_pruned ? TOOL_FATAL : TOOL_OK,
				  run->pruned.removed);
}

static void open_and_work(struct job_round *round, struct job_run *run)
{
	run->exit = round->met ? job_store_open(&round->at, false) : job_round_meet(round);
	run->watched = round->watch;
	run->failed = run->exit != TOOL_OK;
	if (run->failed)
		run->why = round->tool->outcome->error;
	else
		work(round, run);
	record(round, run);
	if (round->then && round->at.store && !tool_signals_first_seen())
		round->then(round, run);
	job_store_close(&round->at);
}

/* A job that is ended while a hook runs puts the run off. */
static void leave_out(struct job_round *round, struct job_run *run, int why)
{
	const struct tool_outcome *outcome = round->tool->outcome;

	run->put_off = why == TOOL_PUT_OFF || why == TOOL_INTERRUPTED;
	run->failed = !run->put_off;
	run->exit = run->put_off ? TOOL_PUT_OFF : why;
	run->why = why == TOOL_PUT_OFF ? outcome->put_off : outcome->error;
	if (run->failed)
		record(round, run);
}

/* As if a hook had said so. */
static int before(struct job_round *round)
{
	if (!round->options->no_battery || !power_is_battery())
		return tool_hooks_before(round->tool);
	tool_outcome_put_off(round->tool, "the machine runs on its battery");
	return TOOL_PUT_OFF;
}

static void run_with_hooks(struct job_round *round, struct job_run *run)
{
	struct tool_outcome *outcome = round->tool->outcome;
	bool faulty;
	int r;

	tool_outcome_clear(outcome);
	tool_outcome_target(round->tool, &round->options->taking);
	outcome->run = run->number;
	outcome->failures = round->faulty;
	r = before(round);
	if (r == TOOL_OK)
		open_and_work(round, run);
	else
		leave_out(round, run, r);
	faulty = run->exit != TOOL_OK && !run->put_off;
	outcome->failures = round->faulty + faulty;
	run->exit = tool_hooks_after(round->tool, run->exit, round->alone || round->faulty > 0);
	if (!run->put_off)
		round->faulty = faulty ? round->faulty + 1 : 0;
	else if (run->exit == TOOL_PUT_OFF)
		run->exit = TOOL_OK;
}

void job_round_run(struct job_round *round, struct job_run *run)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	*run = (struct job_run){.number = round->alone ? 0 : ++round->runs,
				.taken.result.size = sizeof(run->taken.result),
				.pruned.size = sizeof(run->pruned),
				.time = {time.tv_sec, (uint32_t)time.tv_nsec},
				.taken.dry_run = round->options->taking.dry_run};
	run_with_hooks(round, run);
	if (!run->put_off)
		round->failed = run->failed ? round->failed + 1 : 0;
	run->failed_in_a_row = round->failed;
}

void job_round_free(struct job_round *round)
{
	bt_watch_stop(round->watch);
	job_store_free(&round->at);
}
