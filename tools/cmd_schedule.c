/* SPDX-License-Identifier: MIT */
#include "choice.h"
#include "commands.h"
#include "job_when.h"
#include "mount_point.h"
#include "output.h"
#include "patterns.h"
#include "programs.h"
#include "rows.h"
#include "run.h"
#include "schedule.h"
#include "systemctl.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void place_free(struct schedule_place *place)
{
	free(place->program);
	free(place->store);
	free(place->target);
	free(place->of);
	free(place->mount);
	free(place->config);
}

static int cannot(const struct tool *tool, const char *what, const char *path)
{
	int failed = errno;
	tool_auto char *shown = tool_escape(path);

	tool_say(tool, "cannot %s %s: %s", what, shown, strerror(failed));
	return TOOL_FATAL;
}

/* A store need not be there yet, but the directory that it will be in; NULL with errno. */
static char *absolute(const char *path)
{
	char *real = realpath(path, NULL), *copy, *last, *directory;

	if (real || errno != ENOENT)
		return real;
	copy = tool_format("./%s", path);
	while (strlen(copy) > 1 && copy[strlen(copy) - 1] == '/')
		copy[strlen(copy) - 1] = '\0';
	last = strrchr(copy, '/') + 1;
	last[-1] = '\0';
	directory = realpath(*path == '/' ? (copy[2] ? copy + 2 : "/") : copy, NULL);
	if (directory)
		real = tool_format("%s/%s", strcmp(directory, "/") == 0 ? "" : directory, last);
	free(directory);
	free(copy);
	return real;
}

/* The service knows its store by the id, so it is made here, and not where a disk is missing one day. */
static int place_meet(const struct tool *tool, const struct schedule_options *wanted, struct schedule_place *place)
{
	const struct bt_store_options options = {
		.size = sizeof(options), .id = tool_store_wanted(tool), .read_only = true};
	struct bt_store *store = NULL;
	struct bt_error error = {0};
	int r = TOOL_OK, code = 0;

	if (wanted->print)
		code = bt_store_open(place->store, &options, &store, &error);
	else
		r = tool_store_open(tool, true, &store);
	if (store)
		place->facts = tool_store_facts(store);
	if (store && !wanted->print && tool_retention_given(&wanted->job.retention))
		r = tool_store_confirm(tool, store);
	place->yes = tool->yes || tool->doubts->count;
	bt_store_close(store);
	if (code == 0 || (error.code == BT_E_NO_STORE && error.sys != ENOTDIR && !options.id))
		return r;
	return tool_fail(tool, &error);
}

/* Its sources make their stores when it is their turn, unless they have a store-id. Those of a timer need not say when.
 */
static int place_find_config(struct tool *tool, const struct schedule_options *options, struct schedule_place *place)
{
	enum run_which which = !options->timer ? RUN_TIMED : tool->operand_count ? RUN_NAMED : RUN_ALL;
	struct run_plan *plan;
	int r = run_plan_make(tool, options->config, which, true, &plan);

	if (r != TOOL_OK)
		return r;
	run_plan_free(plan);
	place->yes = tool->yes;
	place->config = realpath(options->config, NULL);
	return place->config ? TOOL_OK : cannot(tool, "find", options->config);
}

static int place_find(struct tool *tool, const struct schedule_options *options, struct schedule_place *place)
{
	const struct tool_taking *taking = &options->job.taking;
	bool brought = options->config || (taking->as && job_is_prepared(&options->job)); /* by a hook */
	int r = brought ? TOOL_OK : tool_target_check(tool, taking);

	if (r != TOOL_OK)
		return r;
	place->program = realpath("/proc/self/exe", NULL);
	if (!place->program)
		return cannot(tool, "find", "this program");
	if (options->config)
		return place_find_config(tool, options, place);
	place->target = taking->target ? tool_path_here(taking->target) : NULL;
	place->of = tool_taking_of(taking);
	place->store = absolute(tool->store);
	if (!place->store)
		return cannot(tool, "find the store", tool->store);
	if (options->job.hooks.commands[TOOL_HOOK_BEFORE].count == 0) /* else that brings it */
		place->mount = mount_point_removable(place->store);
	return place_meet(tool, options, place);
}

enum { COMMANDS = 4 };

/* What is written, and what to do with it. */
struct result {
	struct schedule_units units;
	char *unit;			      /* the name of the service, with its kind */
	char *path, *timer_path, *login_path; /* NULL: not written */
	bool replaced, started;
	char *commands[COMMANDS]; /* that start it */
	char *look[COMMANDS];	  /* that show how it goes */
	struct tool_store_facts facts;
};

static struct tool_value texts_of(const struct result *result, char *const *items)
{
	size_t count = 0;

	while (count < COMMANDS && items[count])
		count++;
	return (struct tool_value){.kind = result->path ? TOOL_TEXTS : TOOL_NOTHING,
				   .texts = {(const char *const *)items, count}};
}

static struct tool_value get_commands(const void *row)
{
	const struct result *self = row;

	return texts_of(self, self->commands);
}

static struct tool_value get_look(const void *row)
{
	const struct result *self = row;

	return texts_of(self, self->look);
}

TOOL_GETTER(struct result, replaced, self->path ? TOOL_FLAG : TOOL_NOTHING, flag, self->replaced)
TOOL_GETTER(struct result, started, self->path ? TOOL_FLAG : TOOL_NOTHING, flag, self->started)

static const struct tool_column columns[] = {
	{"name", NULL, TOOL_MEMBER(TOOL_TEXT, struct result, unit)},
	{"service", NULL, TOOL_MEMBER(TOOL_TEXT, struct result, units.service)},
	{"timer", NULL, TOOL_MEMBER(TOOL_TEXT, struct result, units.timer)},
	{"login", NULL, TOOL_MEMBER(TOOL_TEXT, struct result, units.login)},
	{"path", NULL, TOOL_MEMBER(TOOL_TEXT, struct result, path)},
	{"timer_path", NULL, TOOL_MEMBER(TOOL_TEXT, struct result, timer_path)},
	{"login_path", NULL, TOOL_MEMBER(TOOL_TEXT, struct result, login_path)},
	{"replaced", NULL, TOOL_GET(get_replaced)},
	{"started", NULL, TOOL_GET(get_started)},
	{"commands", NULL, TOOL_GET(get_commands)},
	{"look", NULL, TOOL_GET(get_look)},
	{"store_id", NULL, TOOL_IF_ANY(TOOL_CHARS, struct result, facts.id)},
	{"store_made", NULL, TOOL_IF_ANY(TOOL_FLAG, struct result, facts.made)},
	{0},
};

static void result_free(struct result *result)
{
	schedule_units_free(&result->units);
	free(result->unit);
	free(result->path);
	free(result->timer_path);
	free(result->login_path);
	for (size_t i = 0; i < COMMANDS; i++) {
		free(result->commands[i]);
		free(result->look[i]);
	}
}

static void print_lines(const char *head, char *const *lines, size_t count)
{
	printf("%s:\n", head);
	for (size_t i = 0; i < count && lines[i]; i++)
		printf("  %s\n", lines[i]);
}

static void print_written(const struct result *result, const struct schedule_place *place)
{
	const char *const paths[] = {result->path, result->timer_path, result->login_path};

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		tool_auto char *shown = paths[i] ? tool_escape(paths[i]) : NULL;

		if (shown)
			printf("%s %s\n", result->replaced ? "replaced" : "wrote", shown);
	}
	if (place->mount) {
		tool_auto char *mount = tool_escape(place->mount);

		printf("The disk at %s can be pulled out: it starts when that is mounted, and ends with it\n", mount);
	}
	if (result->started)
		puts(result->commands[2] ? "It is started, now and at each login"
					 : "It is started, now and at each boot");
	else
		print_lines(result->replaced	  ? "If it runs already, restart it with"
			    : result->commands[2] ? "Start it, now and at each login, with"
						  : "Start it, now and at each boot, with",
			    result->commands, 2);
	if (result->commands[2])
		print_lines("To let it run when you are not logged in, too", result->commands + 2, 1);
	print_lines("See how it goes with", result->look, COMMANDS);
}

static void print_texts(const struct schedule_units *units)
{
	const char *const more[] = {units->timer, units->login};

	fputs(units->service, stdout);
	for (size_t i = 0; i < sizeof(more) / sizeof(*more); i++)
		if (more[i])
			printf("\n%s", more[i]);
}

static void print_result(const struct tool *tool, const struct result *result, const struct schedule_place *place)
{
	if (tool->json)
		tool_object_print(columns, result);
	else if (result->path)
		print_written(result, place);
	else
		print_texts(&result->units);
}

static void fill_commands(struct result *result, const struct schedule_options *options)
{
	const char *user = options->system ? "" : " --user", *name = result->units.name;
	const char *kind = options->timer ? "timer" : "service";
	tool_auto char *login = result->units.login && !result->replaced ? tool_format(" %s." SCHEDULE_LOGIN, name)
									 : tool_format("%s", "");

	result->commands[0] = tool_format("systemctl%s daemon-reload", user);
	result->commands[1] = tool_format("systemctl%s %s %s.%s%s", user, result->replaced ? "restart" : "enable --now",
					  name, kind, login);
	result->commands[2] = options->system ? NULL : tool_format("loginctl enable-linger");
	result->look[0] = tool_format("systemctl%s status %s", user, result->unit);
	result->look[1] = tool_format("journalctl%s -u %s", user, result->unit);
	result->look[2] = options->timer ? tool_format("systemctl%s list-timers %s.timer", user, name) : NULL;
}

/* A job that becomes a timer, or the other way, is another thing to enable: the old one must not go on. */
static void retire_other(const struct schedule_options *options, const char *directory, const char *name)
{
	tool_auto char *timer = schedule_path(directory, name, "timer");

	if (options->timer != (access(timer, F_OK) == 0)) {
		schedule_retire(options->system, directory, name, "timer");
		schedule_retire(options->system, directory, name, "service");
	}
}

static int install(const struct tool *tool, const struct schedule_options *options, const char *directory,
		   struct result *result)
{
	const struct schedule_units *units = &result->units;

	result->path = schedule_path(directory, units->name, "service");
	result->timer_path = units->timer ? schedule_path(directory, units->name, "timer") : NULL;
	result->login_path = units->login ? schedule_path(directory, units->name, SCHEDULE_LOGIN) : NULL;
	retire_other(options, directory, units->name);
	result->replaced = access(result->path, F_OK) == 0;
	fill_commands(result, options);
	if (schedule_write(directory, result->path, units->service) < 0)
		return cannot(tool, "write", result->path);
	if (units->timer && schedule_write(directory, result->timer_path, units->timer) < 0)
		return cannot(tool, "write", result->timer_path);
	if (!units->login)
		schedule_retire(options->system, directory, units->name, SCHEDULE_LOGIN);
	else if (schedule_write(directory, result->login_path, units->login) < 0)
		return cannot(tool, "write", result->login_path);
	return TOOL_OK;
}

static int start(const struct tool *tool, const struct schedule_options *options, struct result *result)
{
	tool_auto char *unit = tool_format("%s.%s", result->units.name, options->timer ? "timer" : "service");
	tool_auto char *login = result->units.login ? tool_format("%s." SCHEDULE_LOGIN, result->units.name) : NULL;
	const char *whose = options->system ? "this machine" : "this user";

	result->started = systemctl_runs(options->system) && schedule_start(options->system, unit) &&
			  (!login || schedule_start(options->system, login));
	if (result->started)
		return TOOL_OK;
	if (!systemctl_runs(options->system))
		tool_say(tool, "the systemd of %s does not run here, so nothing is started; the units are written",
			 whose);
	else
		tool_say(tool, "systemd could not start it, '%s' says why; the units are written", result->look[0]);
	return TOOL_INCOMPLETE;
}

/* directory: where the units are written, or NULL. */
static int make_units(struct tool *tool, const struct schedule_options *options, const char *directory)
{
	struct schedule_place place = {0};
	struct result result = {0};
	int r = place_find(tool, options, &place);

	if (r == TOOL_OK) {
		r = schedule_units_make(tool, options, &place, &result.units);
	}
	if (r == TOOL_OK) {
		result.unit = tool_format("%s.service", result.units.name);
		result.facts = place.facts;
		if (directory)
			r = install(tool, options, directory, &result);
	}
	if (r == TOOL_OK && options->now && directory)
		r = start(tool, options, &result);
	if (r == TOOL_OK || r == TOOL_INCOMPLETE)
		print_result(tool, &result, &place);
	place_free(&place);
	result_free(&result);
	return r;
}

/* A configuration says all but when a timer starts it. */
static int check(const struct tool *tool, const struct schedule_options *options)
{
	static const char *const fine[] = {"--config=", "--print", "--dry-run", "--system", "--now", NULL};
	static const char *const of_timer[] = {"--config=",	  "--print", "--dry-run",   "--system",
					       "--timer",	  "--at=",   "--interval=", "--no-battery",
					       "--inhibit-sleep", "--now",   NULL};
	struct job_options forever = options->job;
	int r = config_check_words(tool, options->config, options->timer ? of_timer : fine);

	if (r == TOOL_OK && !options->config)
		r = tool_taking_check(tool, &options->job.taking);
	forever.duration = -1;
	if (r == TOOL_OK && (options->timer || !options->config))
		r = job_when_check(tool, &forever);
	if (r == TOOL_OK)
		r = job_watch_check(tool, &options->job);
	return r == TOOL_OK ? schedule_units_check(tool, options) : r;
}

static int run_schedule(struct tool *tool, const void *arg)
{
	const struct schedule_options *options = arg;
	tool_auto char *directory = NULL;
	int r;

	if (options->list)
		return schedule_list(tool);
	if (options->remove)
		return schedule_remove(tool, options->remove);
	r = check(tool, options);
	if (r != TOOL_OK)
		return r;
	directory = options->print ? NULL : schedule_directory(options->system);
	if (!directory && !options->print) {
		tool_say(tool, "HOME is not set, so there is no place for the service; --print shows it");
		return TOOL_FATAL;
	}
	return make_units(tool, options, directory);
}

const struct tool_command cmd_schedule = {
	.name = "schedule",
	.summary = "makes a service or a timer of systemd that takes snapshots",
	.description = "It makes a service of the user's systemd that runs a job: from the login on or,\n"
		       "after 'loginctl enable-linger', from each start of the machine. With --timer it\n"
		       "makes a timer, which starts a service for each run, so that nothing stays in\n"
		       "memory; what the timer missed while the machine was off, it makes up once. With\n"
		       "--system both are of the whole machine, in /etc/systemd/system; else they are\n"
		       "written to $XDG_CONFIG_HOME/systemd/user or ~/.config/systemd/user. They have\n"
		       "absolute paths of this program, the store and the directory, and a name that\n"
		       "belongs to these two; doing it again replaces them. The command prints how to\n"
		       "start it, unless --now does that, and how to see how it goes.\n"
		       "\n"
		       "The store is made now when it is missing, and the service knows it by its id:\n"
		       "while its disk is not mounted, the service makes no other store. If the disk\n"
		       "can be pulled out, the units start when it is mounted, and end with it: what a\n"
		       "timer missed meanwhile is made up as soon as the disk is plugged in. A third\n"
		       "unit starts them at the login if the disk is there already. A hook of --before\n"
		       "is thought to mount what it needs. With --timer --no-battery a run that is due\n"
		       "on battery is left out.\n"
		       "\n"
		       "Failures are in the journal as errors and in 'systemctl status'. OnFailure= of\n"
		       "a timer's service acts after each failed or incomplete run, and that of a job\n"
		       "with --give-up-after when it gives up. 'schedule' itself asks what the job\n"
		       "would ask. Rules of prune concern the snapshots of this host and directory\n"
		       "only.\n"
		       "\n"
		       "With --config the service runs 'job --config': one service for all sources that\n"
		       "say when, or for those that are named. With --timer it runs 'run --config', of\n"
		       "all sources or of these, at the times that are given here.\n"
		       "\n"
		       "--list shows the units that this program wrote, for the user and the machine,\n"
		       "with what systemd knows of them. --remove stops such a unit, disables it and\n"
		       "deletes its files; snapshots stay. Where no systemd runs, both go by the files.\n"
		       "\n"
		       "For a service of the whole machine whose options stand in a file, write\n"
		       "BACKUPTOOL_STORE=… and OPTIONS=… to /etc/backuptool/NAME.conf, as 'systemctl\n"
		       "cat backuptool@.service' shows, and start it with 'systemctl enable --now\n"
		       "backuptool@NAME'.",
	.example = "  backuptool schedule --store ~/snapshots --target-directory ~/documents --interval 1h \\\n"
		   "      --skip-if-unchanged --keep-hourly 48 --keep-daily 30\n"
		   "  backuptool schedule --target-directory ~/documents --timer --at 12:30,18:00 --no-battery\n"
		   "  backuptool schedule --config ~/.config/backuptool/config\n"
		   "  backuptool schedule --list\n",
	.operands = "[SOURCE…]",
	.max_operands = -1,
	.common = TOOL_COMMON_STORE | TOOL_COMMON_JSON | TOOL_COMMON_YES,
	.options = {{tool_taking_options, offsetof(struct schedule_options, job.taking)},
		    {tool_rules_options, offsetof(struct schedule_options, job.taking.rules)},
		    {tool_command_options, offsetof(struct schedule_options, job.taking)},
		    {job_pace_options, offsetof(struct schedule_options, job)},
		    {job_watch_options, offsetof(struct schedule_options, job)},
		    {tool_hook_options, offsetof(struct schedule_options, job.hooks)},
		    {tool_retention_options, offsetof(struct schedule_options, job.retention)},
		    {tool_max_dead_option, offsetof(struct schedule_options, job.retention.max_dead)},
		    {config_option, offsetof(struct schedule_options, config)},
		    {schedule_own, 0}},
	.options_size = sizeof(struct schedule_options),
	.run = run_schedule,
};
