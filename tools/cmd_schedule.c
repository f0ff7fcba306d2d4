/* SPDX-License-Identifier: MIT */
#include "commands.h"
#include "job.h"
#include "job_when.h"
#include "output.h"
#include "patterns.h"
#include "rows.h"
#include "run.h"
#include "systemd_unit.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct options {
	struct job_options job;
	const char *config;
	bool print;
};

static const struct tool_option table[] = {
	{"print", 0, NULL, false, "print the service and write nothing", tool_set_true,
	 offsetof(struct options, print)},
	{"dry-run", 'n', NULL, false, "the same as --print", tool_set_true, offsetof(struct options, print)},
	{0},
};

/* What the service needs to know of this place. */
struct place {
	char *program, *store, *target;
	char *config;		       /* in place of store and target, or NULL */
	struct tool_store_facts facts; /* of the store */
	bool yes;		       /* what the job would ask is answered: nobody is there then */
};

static void place_free(struct place *place)
{
	free(place->program);
	free(place->store);
	free(place->target);
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
static int place_meet(const struct tool *tool, const struct options *wanted, struct place *place)
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

/* Its sources make their stores when it is their turn, unless they have a store-id. */
static int place_find_config(struct tool *tool, const struct options *options, struct place *place)
{
	struct run_plan *plan;
	int r = run_plan_make(tool, options->config, RUN_TIMED, true, &plan);

	if (r != TOOL_OK)
		return r;
	run_plan_free(plan);
	place->yes = tool->yes;
	place->config = realpath(options->config, NULL);
	return place->config ? TOOL_OK : cannot(tool, "find", options->config);
}

static int place_find(struct tool *tool, const struct options *options, struct place *place)
{
	const char *target = options->job.taking.target;
	int r = options->config ? TOOL_OK : tool_target_check(tool, target);

	if (r != TOOL_OK)
		return r;
	place->program = realpath("/proc/self/exe", NULL);
	if (!place->program)
		return cannot(tool, "find", "this program");
	if (options->config)
		return place_find_config(tool, options, place);
	place->target = realpath(target, NULL);
	if (!place->target)
		return cannot(tool, "protect", target);
	place->store = absolute(tool->store);
	return place->store ? place_meet(tool, options, place) : cannot(tool, "find the store", tool->store);
}

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

/* The options as they were given, with paths that hold from everywhere. */
static int put_given(FILE *out, const struct tool *tool)
{
	static const char from[] = "--exclude-from=", target[] = "--target-directory=";

	for (size_t i = 0; i < tool->given.count; i++) {
		const char *word = tool->given.items[i];
		char *path;

		if (strcmp(word, "--print") == 0 || strcmp(word, "--dry-run") == 0 ||
		    strncmp(word, target, sizeof(target) - 1) == 0)
			continue;
		if (strncmp(word, from, sizeof(from) - 1) != 0) {
			put_word(out, word, false);
			continue;
		}
		path = realpath(word + sizeof(from) - 1, NULL);
		if (!path)
			return tool_usage_error(tool, "--exclude-from must name a file that stays");
		put_option(out, "exclude-from", path);
		free(path);
	}
	return TOOL_OK;
}

static int put_config_command(FILE *out, const struct tool *tool, const struct place *place)
{
	fputs("ExecStart=", out);
	put_word(out, place->program, true);
	put_word(out, "job", false);
	put_option(out, "config", place->config);
	if (place->yes)
		put_word(out, "--yes", false);
	for (int i = 0; i < tool->operand_count; i++)
		put_word(out, tool->operands[i], false);
	return TOOL_OK;
}

static int put_command(FILE *out, const struct tool *tool, const struct place *place)
{
	fputs("ExecStart=", out);
	put_word(out, place->program, true);
	put_word(out, "job", false);
	put_option(out, "store", place->store);
	if (*place->facts.id)
		put_option(out, "store-id", place->facts.id);
	put_option(out, "target-directory", place->target);
	put_word(out, "--duration=forever", false);
	if (tool->lock_wait < 0)
		put_word(out, "--lock-wait=forever", false);
	else
		fprintf(out, " --lock-wait=%" PRId64 "s", tool->lock_wait);
	if (place->yes)
		put_word(out, "--yes", false);
	return put_given(out, tool);
}

/* A mistake in the options will not go away by trying again. A job that gives up is not started again, so that the unit
 * has failed and its OnFailure= acts. */
static int put_unit(FILE *out, const struct tool *tool, const struct place *place, bool gives_up)
{
	tool_auto char *what = unit_text(place->config ? place->config : place->target);
	int r;

	fprintf(out,
		"[Unit]\n"
		"Description=Snapshots %s %s%s\n\n"
		"[Service]\n"
		"Type=notify\n",
		place->config ? "as" : "of", what, place->config ? " says" : "");
	r = place->config ? put_config_command(out, tool, place) : put_command(out, tool, place);
	fprintf(out,
		"\n"
		"Restart=%s\n"
		"RestartSec=1min\n"
		"RestartPreventExitStatus=%d\n"
		"TimeoutStopSec=5min\n"
		"Nice=10\n"
		"IOSchedulingClass=idle\n\n"
		"[Install]\n"
		"WantedBy=default.target\n",
		gives_up ? "on-abnormal" : "on-failure", TOOL_USAGE);
	return r;
}

static int make_directories(const char *path)
{
	tool_auto char *part = tool_format("%s", path);
	int r = 0;

	for (char *slash = strchr(part + 1, '/'); !r; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		if (mkdir(part, 0700) < 0 && errno != EEXIST)
			r = -1;
		if (!slash)
			break;
		*slash = '/';
	}
	return r;
}

static int write_all(int fd, const char *text, size_t size)
{
	while (size > 0) {
		ssize_t done = write(fd, text, size);

		if (done < 0 && errno != EINTR)
			return -1;
		text += done > 0 ? done : 0;
		size -= done > 0 ? (size_t)done : 0;
	}
	return fsync(fd);
}

/* Whole or not at all. */
static int replace(const char *path, const char *text, size_t size)
{
	tool_auto char *draft = tool_format("%s.XXXXXX", path);
	int fd = mkostemp(draft, O_CLOEXEC), r = -1, failed;

	if (fd >= 0) {
		r = write_all(fd, text, size);
		if (close(fd) == 0 && !r)
			r = rename(draft, path);
		else
			r = -1;
		failed = errno;
		if (r < 0)
			unlink(draft);
		errno = failed;
	}
	return r;
}

/* Where the user's own units lie; NULL if nothing says so. */
static char *units_directory(void)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (config && *config == '/')
		return tool_format("%s/systemd/user", config);
	return home && *home == '/' ? tool_format("%s/.config/systemd/user", home) : NULL;
}

struct service {
	const char *name, *text;
	const char *path; /* NULL: not written */
	bool replaced;
	const char *commands[3];
	struct tool_store_facts facts;
};

static struct tool_value get_path(const void *row)
{
	const struct service *self = row;

	return (struct tool_value){.kind = self->path ? TOOL_TEXT : TOOL_NOTHING, .text = self->path};
}

static struct tool_value get_replaced(const void *row)
{
	const struct service *self = row;

	return (struct tool_value){.kind = self->path ? TOOL_FLAG : TOOL_NOTHING, .flag = self->replaced};
}

static struct tool_value get_commands(const void *row)
{
	const struct service *self = row;

	return (struct tool_value){.kind = self->path ? TOOL_TEXTS : TOOL_NOTHING, .texts = {self->commands, 3}};
}

static const struct tool_column columns[] = {
	{"name", NULL, TOOL_MEMBER(TOOL_TEXT, struct service, name)},
	{"service", NULL, TOOL_MEMBER(TOOL_TEXT, struct service, text)},
	{"path", NULL, TOOL_GET(get_path)},
	{"replaced", NULL, TOOL_GET(get_replaced)},
	{"commands", NULL, TOOL_GET(get_commands)},
	{"store_id", NULL, TOOL_IF_ANY(TOOL_CHARS, struct service, facts.id)},
	{"store_made", NULL, TOOL_IF_ANY(TOOL_FLAG, struct service, facts.made)},
	{0},
};

static void print_service(const struct tool *tool, const struct service *service)
{
	if (tool->json) {
		tool_object_print(columns, service);
		return;
	}
	if (!service->path) {
		fputs(service->text, stdout);
		return;
	}
	tool_auto char *shown = tool_escape(service->path);
	printf("%s %s\n", service->replaced ? "replaced" : "wrote", shown);
	printf("%s:\n  %s\n  %s\n",
	       service->replaced ? "If it runs already, restart it with" : "Start it, now and at each login, with",
	       service->commands[0], service->commands[1]);
	printf("To let it run when you are not logged in, too:\n  %s\n", service->commands[2]);
}

static int install(const struct tool *tool, const char *directory, struct service *service)
{
	char *path, *start;
	int r = TOOL_OK;

	path = tool_format("%s/%s", directory, service->name);
	service->replaced = access(path, F_OK) == 0;
	start = tool_format("systemctl --user %s %s", service->replaced ? "restart" : "enable --now", service->name);
	service->path = path;
	service->commands[0] = "systemctl --user daemon-reload";
	service->commands[1] = start;
	service->commands[2] = "loginctl enable-linger";
	if (make_directories(directory) < 0)
		r = cannot(tool, "make", directory);
	else if (replace(path, service->text, strlen(service->text)) < 0)
		r = cannot(tool, "write", path);
	else
		print_service(tool, service);
	free(path);
	free(start);
	return r;
}

/* directory: where it is written, or NULL. */
static int show(const struct tool *tool, const char *directory, const struct place *place, const char *text)
{
	char *name = place->config ? unit_name("", place->config) : unit_name(place->store, place->target);
	struct service service = {.name = name, .text = text, .facts = place->facts};
	int r = TOOL_OK;

	if (directory)
		r = install(tool, directory, &service);
	else
		print_service(tool, &service);
	free(name);
	return r;
}

static int make_service(struct tool *tool, const struct options *options, const char *directory)
{
	struct place place = {0};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int r = out ? place_find(tool, options, &place) : cannot(tool, "make", "the service");

	if (r == TOOL_OK) {
		if (!place.config)
			tool_patterns_check(tool, place.target, &options->job.taking.exclude);
		r = put_unit(out, tool, &place, options->job.give_up_after > 0);
	}
	if (out && fclose(out) != 0)
		r = cannot(tool, "make", "the service");
	if (r == TOOL_OK)
		r = show(tool, directory, &place, text);
	place_free(&place);
	free(text);
	return r;
}

static int run_schedule(struct tool *tool, const void *arg)
{
	static const char *const fine[] = {"--config=", "--print", "--dry-run", NULL};
	const struct options *options = arg;
	tool_auto char *directory = options->print ? NULL : units_directory();
	struct job_options forever = options->job;
	int r = config_check_words(tool, options->config, fine);

	forever.duration = -1;
	if (r == TOOL_OK && !options->config)
		r = job_when_check(tool, &forever);
	if (r != TOOL_OK)
		return r;
	if (!directory && !options->print) {
		tool_say(tool, "HOME is not set, so there is no place for the service; --print shows it");
		return TOOL_FATAL;
	}
	r = make_service(tool, options, directory);
	return r;
}

const struct tool_command cmd_schedule = {
	.name = "schedule",
	.summary = "makes a service of the user's systemd that runs a job",
	.description = "It runs from the login on or, after 'loginctl enable-linger', from each start\n"
		       "of the machine. It is written to $XDG_CONFIG_HOME/systemd/user or\n"
		       "~/.config/systemd/user, with absolute paths of this program, the store and the\n"
		       "directory, under a name that belongs to these two; doing it again replaces it.\n"
		       "The store is made now when it is missing, and the service knows it by its id:\n"
		       "while its disk is not mounted, the service makes no other store and tries\n"
		       "again. Failures are in the journal as errors and in 'systemctl status'; a\n"
		       "service with --give-up-after ends after that many failures in a row, or if the\n"
		       "disk is not mounted when it starts, so that OnFailure= can act. 'schedule'\n"
		       "itself asks what the job would ask.\n"
		       "With --config the service runs 'job --config': one service for all sources that\n"
		       "say when, or for those that are named.\n"
		       "The command prints how to start it. Rules of prune concern the snapshots of\n"
		       "this host and directory only.\n"
		       "\n"
		       "For a service of the whole machine, write BACKUPTOOL_STORE=… and OPTIONS=… to\n"
		       "/etc/backuptool/NAME.conf, as 'systemctl cat backuptool@.service' shows, and\n"
		       "start it with 'systemctl enable --now backuptool@NAME'.",
	.example = "  backuptool schedule --store ~/snapshots --target-directory ~/documents --interval 1h \\\n"
		   "      --skip-if-unchanged --keep-hourly 48 --keep-daily 30\n"
		   "  backuptool schedule --config ~/.config/backuptool/config\n",
	.operands = "[SOURCE…]",
	.max_operands = -1,
	.common = TOOL_COMMON_STORE | TOOL_COMMON_JSON | TOOL_COMMON_YES,
	.options = {{tool_taking_options, offsetof(struct options, job.taking)},
		    {job_pace_options, offsetof(struct options, job)},
		    {job_watch_options, offsetof(struct options, job)},
		    {tool_hook_options, offsetof(struct options, job.hooks)},
		    {tool_retention_options, offsetof(struct options, job.retention)},
		    {tool_max_dead_option, offsetof(struct options, job.retention.max_dead)},
		    {config_option, offsetof(struct options, config)},
		    {table, 0}},
	.options_size = sizeof(struct options),
	.run = run_schedule,
};
