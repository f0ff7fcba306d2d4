/* SPDX-License-Identifier: MIT */
#include "job.h"
#include "output.h"
#include <internal/policy.h>
#include <stdlib.h>
#include <string.h>

static const char *set_span(int64_t *field, const char *text, const char *expected)
{
	const char *unit = text + strspn(text, "0123456789");
	char *digits = tool_format("%.*s", (int)(unit - text), text);
	bool fine = bt_duration_parse(strcmp(unit, "ms") == 0 ? digits : text, BT_M_MINUTES, field) == 0;

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

const char *job_add_at(void *field, const char *text)
{
	return bt_calendar_add(field, text) ? NULL : "a time of the day such as 03:00, 03:00,15:00 or 'Mon 03:00'";
}

static const char *set_duration(void *field, const char *text)
{
	if (strcmp(text, "forever") != 0)
		return set_span(field, text, "a time such as 90, 500ms, 90s, 5m, 2h, 1d or forever");
	*(int64_t *)field = -1;
	return NULL;
}

bool job_is_prepared(const struct job_options *options)
{
	return options->hooks.commands[TOOL_HOOK_BEFORE].count && !options->taking.dry_run;
}

#define FIELD(name) offsetof(struct job_options, name)

const struct tool_option job_pace_options[] = {
	{"interval", 0, "TIME", false, "from the start of one snapshot to the next (500ms, 10s, 5m, 2h, 1d)",
	 set_interval, FIELD(interval)},
	{"at", 0, "TIME", false, "in place of --interval: at this time of the day (03:00, 03:00,15:00, 'Mon 03:00')",
	 job_add_at, FIELD(at)},
	{"at-start", 0, NULL, false, "take a snapshot at once, however new the last one is", tool_set_true,
	 FIELD(at_start)},
	{"no-battery", 0, NULL, false, "put off a run that is due while the machine runs on its battery", tool_set_true,
	 FIELD(no_battery)},
	{"give-up-after", 0, "N", false, "end after N failed runs in a row", tool_set_count, FIELD(give_up_after)},
	{0},
};

const struct tool_option job_watch_options[] = {
	{"watch", 0, NULL, false, "look only at what changed since the last run, as far as the kernel tells",
	 tool_set_true, FIELD(watch)},
	{"full-scan-every", 0, "N", false, "with --watch, look at everything in each N-th run (60)", tool_set_count,
	 FIELD(full_scan_every)},
	{0},
};

const struct tool_option job_duration_option[] = {
	{"duration", 0, "TIME", true, "for how long snapshots are taken, or forever", set_duration, FIELD(duration)},
	{0},
};

const char *job_watch_problem(const struct job_options *options)
{
	const struct tool_rules *rules = &options->taking.rules;

	if (options->watch && rules->ignore_files.count)
		return "--watch does not see which directories a changed --ignore-file is about; leave one of them out";
	if (options->watch && rules->exclude_nodump)
		return "--watch is not told of attributes, which --exclude-nodump goes by; leave one of them out";
	if (options->watch && options->taking.files.given)
		return "--watch looks for what changed, and --files-from says what to look at; leave one of them out";
	if (options->watch && options->taking.commands.count)
		return "--watch follows a directory, and a command has none";
	if (options->watch && options->taking.as)
		return "--watch follows one directory, and --as is for copies of it, of which each is another one; "
		       "leave one of them out";
	return NULL;
}

int job_watch_check(const struct tool *tool, const struct job_options *options)
{
	const char *problem = job_watch_problem(options);

	return problem ? tool_usage_error(tool, "%s", problem) : TOOL_OK;
}
