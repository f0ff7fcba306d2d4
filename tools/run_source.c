/* SPDX-License-Identifier: MIT */
#include "check.h"
#include "output.h"
#include "patterns.h"
#include "record.h"
#include "run.h"
#include <internal/clock.h>
#include <internal/state.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int run_worse(int a, int b)
{
	static const int from_best[] = {TOOL_OK,    TOOL_INCOMPLETE, TOOL_LOCKED,     TOOL_NO_STORE,
					TOOL_USAGE, TOOL_FATAL,	     TOOL_INTERRUPTED};
	int worse = TOOL_FATAL;

	for (size_t i = 0; i < sizeof(from_best) / sizeof(*from_best); i++)
		if (from_best[i] == a || from_best[i] == b)
			worse = from_best[i];
	return worse;
}

bool run_source_init(struct run_source *run, struct config *config, const struct config_source *source,
		     const struct tool *tool)
{
	run->source = source;
	run->result.source = source->name;
	if (!config_settle(config, source, tool, &run->settings))
		return false;
	run->settings.tool.source = source->name;
	if (run->settings.job.taking.expires.seconds)
		run->lifetime = run->settings.job.taking.expires.seconds - time(NULL);
	run->settings.tool.doubts = &run->doubts;
	return true;
}

/* Of parts that take turns, the one that follows "3/7"; first, if the last check had other ones. */
static unsigned next_part(const char *last, unsigned first, unsigned parts)
{
	char *end;
	unsigned long part = strtoul(last, &end, 10);
	tool_auto char *rest = tool_format("/%u", parts);

	return strcmp(end, rest) == 0 ? (unsigned)(part % parts) + 1 : first;
}

/* Whether the last check is too old, or was none. Then how. */
static bool is_due(const struct run_source *run, struct bt_check_options *how)
{
	const struct config_settings *settings = &run->settings;
	tool_auto struct bt_state *last = tool_alloc(sizeof(*last));
	bool known = bt_state_get(run->round.at.store, BT_STATE_CHECK, "", "", last);
	int64_t age = bt_now() - last->time.seconds;

	if (!settings->check_every ||
	    (known && age >= 0 && age < settings->check_every && (last->exit == TOOL_OK || last->count)))
		return false;
	*how = (struct bt_check_options){.size = sizeof(*how),
					 .quick = settings->check.quick,
					 .part = settings->check.part,
					 .parts = settings->check.parts,
					 .share = settings->check.share};
	if (known && how->parts)
		how->part = next_part(last->part, how->part, how->parts);
	return true;
}

static void found(void *arg, const struct bt_finding *finding)
{
	struct job_round *round = arg;

	tool_talk_pause(&round->talk);
	tool_finding_print(stderr, finding);
}

/* It can be ended anywhere, and is due again then. */
static bool check_cancelled(void *arg)
{
	const struct job_round *round = arg;

	return round->cancelled(arg) || tool_signals_first_seen();
}

static int check(struct run_source *run, const struct bt_check_options *how)
{
	const struct tool *tool = &run->settings.tool;
	struct bt_check_result result = {.size = sizeof(result)};
	struct bt_error error = {0};
	int code, r;

	tool_talk_begin(&run->round.talk, tool);
	run->round.talk.observer.cancelled = check_cancelled;
	code = bt_check(run->round.at.store, how, found, &run->round, &run->round.talk.observer, &result, &error);
	tool_talk_end(&run->round.talk);
	if (code == BT_E_CANCELLED)
		return TOOL_OK;
	run->result.checked = !code || code == BT_E_DAMAGED || code == BT_E_INCOMPLETE;
	run->result.findings = result.findings;
	run->result.part = tool_check_part_text(how);
	r = run->result.checked ? tool_exit_code(code) : tool_fail(tool, &error);
	if (result.findings) {
		tool_auto char *findings = tool_count(result.findings, "finding", "findings");
		tool_auto char *store = tool_escape(tool->store);

		tool_complain(tool, "the check has %s: 'backuptool check --store %s' says what that hurts", findings,
			      store);
	}
	tool_record_check(tool, run->round.at.store, r, result.findings, run->result.part);
	return r;
}

static void check_if_due(struct job_round *round, struct job_run *job)
{
	struct run_source *run = (struct run_source *)round;
	struct bt_check_options how;

	if (run->settings.job.taking.dry_run || !is_due(run, &how))
		return;
	job->exit = run_worse(job->exit, check(run, &how));
}

void run_source_begin(struct run_source *run)
{
	const struct config_settings *settings = &run->settings;
	const struct tool_taking *taking = &settings->job.taking;

	tool_rules_check(&settings->tool, taking->target, taking->as, &taking->rules);
	run->round = (struct job_round){.tool = &settings->tool,
					.options = &settings->job,
					.cancelled = tool_signals_cancel,
					.then = check_if_due};
	job_store_init(&run->round.at, &settings->tool, tool_taking_host(taking), tool_taking_of(taking));
	run->begun = true;
}

static void clear(struct run_result *result)
{
	tool_taken_end(&result->job.taken);
	free(result->why);
	free(result->part);
	free(result->job.not_pruned);
	free(result->job.kept_names);
	*result = (struct run_result){.source = result->source};
}

void run_source_work(struct run_source *run)
{
	struct run_result *result = &run->result;
	const char *why;

	clear(result);
	if (run->lifetime) /* it was counted from when the configuration was read */
		run->settings.job.taking.expires.seconds = time(NULL) + run->lifetime;
	job_round_run(&run->round, &result->job);
	result->done = true;
	why = result->job.put_off ? result->job.why : tool_outcome_error(run->settings.tool.outcome, result->job.exit);
	result->why = why ? tool_format("%s", why) : NULL;
}

void run_source_free(struct run_source *run)
{
	if (run->begun)
		job_round_free(&run->round);
	tool_hooks_stop(&run->settings.tool);
	tool_texts_free(&run->doubts);
	config_settings_free(&run->settings);
	clear(&run->result);
}
