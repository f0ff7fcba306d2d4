/* SPDX-License-Identifier: MIT */
#include "output.h"
#include "schedule.h"
#include "systemd_unit.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR, WEEK = 7 * DAY };

#define FIELD(name) offsetof(struct schedule_options, name)

const struct tool_option schedule_own[] = {
	{"timer", 0, NULL, false, "a timer that starts a service for each run, so that nothing stays in memory",
	 tool_set_true, FIELD(timer)},
	{"system", 0, NULL, false, "for the whole machine, in /etc/systemd/system", tool_set_true, FIELD(system)},
	{"now", 0, NULL, false, "start it, too, now and from then on", tool_set_true, FIELD(now)},
	{"inhibit-sleep", 0, NULL, false, "with --timer, keep the machine awake during a run", tool_set_true,
	 FIELD(inhibit_sleep)},
	{"list", 0, NULL, false, "show what this program has scheduled, and how it goes", tool_set_alone, FIELD(list)},
	{"remove", 0, "NAME", false, "stop what this program has scheduled under that name, and delete its units",
	 tool_set_name_alone, FIELD(remove)},
	{"print", 0, NULL, false, "print the units and write nothing", tool_set_true, FIELD(print)},
	{"dry-run", 'n', NULL, false, "the same as --print", tool_set_true, FIELD(print)},
	{0},
};

static void put_word(FILE *out, const char *text, bool program)
{
	tool_auto char *word = unit_word(text, program);

	fprintf(out, "%s%s", program ? "" : " ", word);
}

static void put_option(FILE *out, const char *name, const char *value)
{
	tool_auto char *word = tool_format("--%s=%s", name, value);

	put_word(out, word, false);
}

/* Whether it is that option, with or without a value. */
static bool is_option(const char *word, const char *name)
{
	size_t length = strlen(name);

	return strncmp(word + 2, name, length) == 0 && (!word[2 + length] || word[2 + length] == '=');
}

/* Options that are about the units, or that these say in another way. */
static bool is_own(const struct schedule_options *options, const char *word)
{
	static const char *const of_timer[] = {"at", "interval", "at-start", "no-battery"};

	if (is_option(word, "target-directory"))
		return true;
	for (const struct tool_option *own = schedule_own; own->name; own++)
		if (is_option(word, own->name))
			return true;
	for (size_t i = 0; options->timer && i < sizeof(of_timer) / sizeof(*of_timer); i++)
		if (is_option(word, of_timer[i]))
			return true;
	return false;
}

/* The name of the option if the word gives it a file that has to stay, else NULL. */
static const char *reads_file(const char *word)
{
	static const char *const reading[] = {"exclude-from", "iexclude-from", "files-from", "files-from-raw"};

	for (size_t i = 0; i < sizeof(reading) / sizeof(*reading); i++)
		if (is_option(word, reading[i]))
			return reading[i];
	return NULL;
}

/* The options as they were given, with paths that hold from everywhere. */
static int put_given(FILE *out, const struct tool *tool, const struct schedule_options *options)
{
	for (size_t i = 0; i < tool->given.count; i++) {
		const char *word = tool->given.items[i], *name = reads_file(word);
		tool_auto char *path = name ? realpath(strchr(word, '=') + 1, NULL) : NULL;

		if (is_own(options, word))
			continue;
		if (name && !path)
			return tool_usage_error(tool, "--%s must name a file that stays", name);
		if (name)
			put_option(out, name, path);
		else
			put_word(out, word, false);
	}
	return TOOL_OK;
}

static int put_config_command(FILE *out, const struct tool *tool, const struct schedule_options *options,
			      const struct schedule_place *place)
{
	put_word(out, options->timer ? "run" : "job", false);
	put_option(out, "config", place->config);
	if (place->yes)
		put_word(out, "--yes", false);
	if (options->timer && tool->operand_count == 0)
		put_word(out, "--all", false);
	for (int i = 0; i < tool->operand_count; i++)
		put_word(out, tool->operands[i], false);
	return TOOL_OK;
}

static int put_command(FILE *out, const struct tool *tool, const struct schedule_options *options,
		       const struct schedule_place *place)
{
	fputs("ExecStart=", out);
	if (options->inhibit_sleep)
		fputs("/usr/bin/systemd-inhibit --what=sleep --who=backuptool \"--why=A snapshot is being taken\" ",
		      out);
	put_word(out, place->program, true);
	if (place->config)
		return put_config_command(out, tool, options, place);
	put_word(out, "job", false);
	put_option(out, "store", place->store);
	if (*place->facts.id)
		put_option(out, "store-id", place->facts.id);
	if (place->target)
		put_option(out, "target-directory", place->target);
	put_option(out, "duration", options->timer ? "0" : "forever");
	if (tool->lock_wait < 0)
		put_word(out, "--lock-wait=forever", false);
	else
		fprintf(out, " --lock-wait=%" PRId64 "s", tool->lock_wait);
	if (place->yes)
		put_word(out, "--yes", false);
	return put_given(out, tool, options);
}

/* A disk that can be pulled out: the unit goes with it. */
static void put_mount(FILE *out, const struct schedule_place *place)
{
	tool_auto char *unit = place->mount ? unit_mount(place->mount) : NULL;

	if (unit)
		fprintf(out, "BindsTo=%s\nAfter=%s\n", unit, unit);
}

/* A hook before the run may mount what it needs by itself. */
static void put_needs(FILE *out, const struct schedule_options *options, const struct schedule_place *place)
{
	tool_auto char *store = place->store ? unit_path(place->store) : NULL;
	tool_auto char *target = place->target ? unit_path(place->target) : NULL;

	if (options->job.hooks.commands[TOOL_HOOK_BEFORE].count == 0) {
		if (store)
			fprintf(out, "RequiresMountsFor=%s\n", store);
		if (target)
			fprintf(out, "RequiresMountsFor=%s\n", target);
	}
	put_mount(out, place);
	if (options->timer && options->job.no_battery)
		fputs("ConditionACPower=true\n", out);
}

static void put_install(FILE *out, const struct schedule_place *place, const char *wanted_by)
{
	tool_auto char *unit = place->mount ? unit_mount(place->mount) : NULL;

	fprintf(out, "\n[Install]\nWantedBy=%s\n", unit ? unit : wanted_by);
}

/* "every 1h" or "at 03:00,15:00; Mon 12:00", as it was given. */
static char *when_text(const struct tool *tool)
{
	char *text = NULL;

	for (size_t i = 0; i < tool->given.count; i++) {
		const char *word = tool->given.items[i], *value = strchr(word, '=');

		if (is_option(word, "interval")) {
			free(text);
			text = tool_format("every %s", value + 1);
		} else if (is_option(word, "at")) {
			tool_append(&text, "%s%s", text ? "; " : "at ", value + 1);
		}
	}
	return text ? text : tool_format("%s", "");
}

static void put_head(FILE *out, const struct tool *tool, const char *what, const struct schedule_place *place)
{
	tool_auto char *of = unit_text(place->config ? place->config : place->of), *when = when_text(tool);

	fprintf(out, SCHEDULE_MARK "%s%s\n[Unit]\nDescription=%s %s %s%s\n", *when ? ": " : "", when, what,
		place->config ? "as" : "of", of, place->config ? " says" : "");
}

/* A mistake in the options will not go away by trying again. A job that gives up is not started again, so that the unit
 * has failed and its OnFailure= acts. */
static void put_restart(FILE *out, const struct schedule_options *options)
{
	fprintf(out,
		"Restart=%s\n"
		"RestartSec=1min\n"
		"RestartPreventExitStatus=%d\n",
		options->job.give_up_after ? "on-abnormal" : "on-failure", TOOL_USAGE);
}

/* One that goes on, or one that a timer starts for each run. */
static int put_service(FILE *out, const struct tool *tool, const struct schedule_options *options,
		       const struct schedule_place *place)
{
	bool once = options->timer;
	int r;

	put_head(out, tool, once ? "Snapshot" : "Snapshots", place);
	put_needs(out, options, place);
	fprintf(out, "\n[Service]\nType=%s\n", once ? "oneshot" : "notify");
	r = put_command(out, tool, options, place);
	putc('\n', out);
	if (!once)
		put_restart(out, options);
	fprintf(out,
		"TimeoutStopSec=5min\n"
		"SuccessExitStatus=%d\n",
		TOOL_INTERRUPTED); /* a first snapshot keeps what it has */
	fputs("Nice=10\n"
	      "IOSchedulingClass=idle\n",
	      out);
	if (!once)
		put_install(out, place, options->system ? "multi-user.target" : "default.target");
	return r;
}

/* As OnCalendar= takes it, or NULL if it cannot: a timer that makes up for what was missed knows only times of the day.
 * Allocated. */
static char *calendar_of_interval(int64_t interval)
{
	int64_t seconds = interval / 1000;

	if (interval % 1000 || seconds % MINUTE)
		return NULL;
	if (seconds == WEEK)
		return tool_format("Mon *-*-* 00:00:00");
	if (seconds == DAY)
		return tool_format("*-*-* 00:00:00");
	if (seconds % HOUR == 0 && DAY % seconds == 0)
		return tool_format("*-*-* 00/%" PRId64 ":00:00", seconds / HOUR);
	if (seconds < HOUR && HOUR % seconds == 0)
		return tool_format("*-*-* *:00/%" PRId64 ":00", seconds / MINUTE);
	return NULL;
}

static void put_days(FILE *out, unsigned days)
{
	static const char *const names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	const char *between = "";

	for (unsigned day = 0; day < 7 && days != (1 << 7) - 1; day++)
		if (days & 1U << day) {
			fprintf(out, "%s%s", between, names[day]);
			between = ",";
		}
	fputs(*between ? " " : "", out);
}

static void put_calendar(FILE *out, const struct job_options *job)
{
	tool_auto char *of_interval = job->interval ? calendar_of_interval(job->interval) : NULL;

	if (of_interval)
		fprintf(out, "OnCalendar=%s\n", of_interval);
	for (unsigned minute = 0; minute < BT_DAY_MINUTES; minute++) {
		unsigned days = bt_calendar_days(&job->at, minute);

		if (!days)
			continue;
		fputs("OnCalendar=", out);
		put_days(out, days);
		fprintf(out, "*-*-* %02u:%02u:00\n", minute / 60, minute % 60);
	}
}

/* Machines that back up to one place do not come all at once. */
static int delay_of(const struct job_options *job)
{
	int64_t tenth = job->interval / 1000 / 10;

	return job->interval && tenth < MINUTE ? (int)tenth : MINUTE;
}

static void put_timer(FILE *out, const struct tool *tool, const struct schedule_options *options,
		      const struct schedule_place *place)
{
	put_head(out, tool, "Time for a snapshot", place);
	put_mount(out, place);
	fputs("\n[Timer]\n", out);
	put_calendar(out, &options->job);
	fprintf(out, "Persistent=true\nRandomizedDelaySec=%ds\n", delay_of(&options->job));
	put_install(out, place, "timers.target");
}

/* What a mount wants is started when it is mounted, but not by the systemd of a user that begins later than the mount.
 * Nothing in this unit names the unit of the mount: systemd would have it as one that is missing from then on, and not
 * see what it wants. */
static void put_login(FILE *out, const struct schedule_options *options, const struct schedule_place *place,
		      const char *name)
{
	tool_auto char *mount = unit_word(place->mount, false);

	fprintf(out,
		SCHEDULE_MARK "\n[Unit]\nDescription=Look for the disk of %s\n\n"
			      "[Service]\nType=oneshot\nExecCondition=mountpoint -q %s\nExecStart=systemctl --user "
			      "--no-block start %s.%s\n\n"
			      "[Install]\nWantedBy=default.target\n",
		name, mount, name, options->timer ? "timer" : "service");
}

int schedule_units_check(const struct tool *tool, const struct schedule_options *options)
{
	tool_auto char *calendar = options->job.interval ? calendar_of_interval(options->job.interval) : NULL;

	if (!options->timer && options->inhibit_sleep)
		return tool_usage_error(tool, "--inhibit-sleep goes with --timer: a job that waits for its next run "
					      "would keep the machine awake for good");
	if (options->timer && (options->job.watch || options->job.give_up_after))
		return tool_usage_error(tool, "--watch and --give-up-after are for a job that goes on between two "
					      "runs, and with --timer nothing does");
	if (options->timer && options->job.interval && !calendar)
		return tool_usage_error(tool, "a timer can have an interval that divides an hour or a day in whole "
					      "minutes, or 1w; give such a one, or --at");
	return TOOL_OK;
}

int schedule_units_make(const struct tool *tool, const struct schedule_options *options,
			const struct schedule_place *place, struct schedule_units *ret_units)
{
	struct schedule_units units = {.name = place->config ? unit_name("", place->config)
							     : unit_name(place->store, place->of)};
	bool at_login = place->mount && !options->system;
	size_t size;
	FILE *out = open_memstream(&units.service, &size);
	int r = TOOL_OK;

	if (out)
		r = put_service(out, tool, options, place);
	if (!out || fclose(out) != 0)
		return TOOL_FATAL;
	out = options->timer ? open_memstream(&units.timer, &size) : NULL;
	if (out)
		put_timer(out, tool, options, place);
	if (options->timer && (!out || fclose(out) != 0))
		return TOOL_FATAL;
	out = at_login ? open_memstream(&units.login, &size) : NULL;
	if (out)
		put_login(out, options, place, units.name);
	if (at_login && (!out || fclose(out) != 0))
		return TOOL_FATAL;
	*ret_units = units;
	return r;
}

void schedule_units_free(struct schedule_units *units)
{
	free(units->name);
	free(units->service);
	free(units->timer);
	free(units->login);
}
