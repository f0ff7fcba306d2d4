/* SPDX-License-Identifier: MIT */
#include "hooks.h"
#include "hook_process.h"
#include "output.h"
#include "rows.h"
#include "taking.h"
#include <backuptool/snapshot.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEFAULT_TIMEOUT = 600, LEFT_BEHIND_MS = 5000 };
#define ERROR_MAX 4096 /* bytes of a sentence: the environment has little room */

struct tool_hook_runner {
	const struct tool_hooks *hooks;
	int fd;
	void (*alive)(void *arg); /* may be NULL */
	void *alive_arg;
	int alive_every; /* milliseconds; -1 */
};

#define FIELD(kind) offsetof(struct tool_hooks, commands) + (kind) * sizeof(struct tool_texts)

static const char *set_timeout(void *field, const char *text)
{
	const char *wrong = tool_set_duration(field, text);

	return wrong || *(int64_t *)field ? wrong : "a time above 0 such as 90s, 10m or 2h, or forever";
}

const struct tool_option tool_hook_options[] = {
	{"before", 0, "CMD", false, "run this first; if it fails, nothing else is done; if it ends with 75, not now",
	 tool_add_text, FIELD(TOOL_HOOK_BEFORE)},
	{"after", 0, "CMD", false, "run this at the end, whatever happened", tool_add_text, FIELD(TOOL_HOOK_AFTER)},
	{"on-success", 0, "CMD", false, "run this if all went well; in a job: when it works again", tool_add_text,
	 FIELD(TOOL_HOOK_SUCCESS)},
	{"on-failure", 0, "CMD", false, "run this if it failed or was incomplete", tool_add_text,
	 FIELD(TOOL_HOOK_FAILURE)},
	{"hook-timeout", 0, "TIME", false, "how long each of these commands may take (10m)", set_timeout,
	 offsetof(struct tool_hooks, timeout)},
	{0},
};

static void replace_text(char **text, const char *with)
{
	free(*text);
	*text = with ? tool_format("%s", with) : NULL;
}

void tool_outcome_clear(struct tool_outcome *outcome)
{
	free(outcome->error);
	free(outcome->lacks);
	free(outcome->said);
	free(outcome->put_off);
	free(outcome->target);
	free(outcome->snapshot);
	free(outcome->same);
	*outcome = (struct tool_outcome){0};
}

void tool_outcome_target(const struct tool *tool, const struct tool_taking *taking)
{
	free(tool->outcome->target);
	tool->outcome->target = tool_taking_of(taking);
}

void tool_outcome_count(const struct tool *tool, const struct bt_snapshot_result *result)
{
	struct tool_outcome *outcome = tool->outcome;

	replace_text(&outcome->snapshot, *result->name && !result->skipped ? result->name : NULL);
	replace_text(&outcome->same, result->skipped ? result->name : NULL);
	outcome->counted = true;
	outcome->created = result->created;
	outcome->changed = result->changed;
	outcome->removed = result->removed;
	outcome->new_bytes = result->new_bytes;
}

void tool_outcome_lacks(const struct tool *tool, char *text)
{
	free(tool->outcome->lacks);
	tool->outcome->lacks = text;
}

void tool_outcome_put_off(const struct tool *tool, const char *why)
{
	replace_text(&tool->outcome->put_off, why);
}

const char *tool_outcome_error(const struct tool_outcome *outcome, int exit)
{
	if (exit == TOOL_OK)
		return NULL;
	if (outcome->error)
		return outcome->error;
	return outcome->lacks ? outcome->lacks : outcome->said;
}

static bool any_given(const struct tool_hooks *hooks)
{
	size_t count = 0;

	for (size_t kind = 0; kind < TOOL_HOOK_KINDS; kind++)
		count += hooks->commands[kind].count;
	return count > 0;
}

int tool_hooks_start(struct tool *tool, const struct tool_hooks *hooks)
{
	return any_given(hooks) ? tool_hooks_start_anyway(tool, hooks) : TOOL_OK;
}

int tool_hooks_start_anyway(struct tool *tool, const struct tool_hooks *hooks)
{
	struct tool_hook_runner *runner;
	int fd;

	if (tool->hooks)
		return TOOL_OK;
	fd = hook_process_start();
	if (fd < 0) {
		tool_complain(tool, "cannot start the process that runs the hooks: %s", strerror(errno));
		return TOOL_FATAL;
	}
	runner = tool_alloc(sizeof(*runner));
	*runner = (struct tool_hook_runner){.hooks = hooks, .fd = fd, .alive_every = -1};
	tool->hooks = runner;
	return TOOL_OK;
}

void tool_hooks_stop(struct tool *tool)
{
	if (tool->hooks)
		close(tool->hooks->fd);
	free(tool->hooks);
	tool->hooks = NULL;
}

void tool_hooks_keep_alive(const struct tool *tool, void (*alive)(void *arg), void *arg, int every)
{
	if (!tool->hooks)
		return;
	tool->hooks->alive = alive;
	tool->hooks->alive_arg = arg;
	tool->hooks->alive_every = every;
}

/* The environment of a hook: "NAME=value", or "NAME" where there is no value, so that those of a hook that runs this
 * program are not taken for its own. */
static void set_text(struct tool_texts *environment, const char *name, const char *value)
{
	int length = value ? (int)strnlen(value, ERROR_MAX) : 0;

	tool_texts_add(environment, value ? tool_format("BACKUPTOOL_%s=%.*s", name, length, value)
					  : tool_format("BACKUPTOOL_%s", name));
}

static void set_number(struct tool_texts *environment, const char *name, bool known, uint64_t value)
{
	tool_auto char *text = known ? tool_format("%" PRIu64, value) : NULL;

	set_text(environment, name, text);
}

/* A program that a hook starts is not the service, and finds the store that is meant here. */
static void set_place(struct tool_texts *environment, const struct tool *tool)
{
	static const char *const others[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"};
	char *store = realpath(tool->store, NULL);

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		tool_texts_add(environment, tool_format("%s", others[i]));
	set_text(environment, "COMMAND", tool->command->name);
	set_text(environment, "SOURCE", tool->source);
	set_text(environment, "STORE", store ? store : tool->store);
	set_text(environment, "STORE_ID", tool_store_wanted(tool));
	free(store);
}

static struct tool_texts make_environment(const struct tool *tool, int exit)
{
	const struct tool_outcome *outcome = tool->outcome;
	struct tool_texts environment = {0};
	bool done = exit >= 0;

	set_place(&environment, tool);
	set_text(&environment, "TARGET", outcome->target);
	set_text(&environment, "SNAPSHOT", outcome->snapshot);
	set_number(&environment, "EXIT", done, done ? (uint64_t)exit : 0);
	set_text(&environment, "ERROR",
		 !done			? NULL
		 : exit == TOOL_PUT_OFF ? outcome->put_off
					: tool_outcome_error(outcome, exit));
	set_number(&environment, "NEW", outcome->counted, outcome->created);
	set_number(&environment, "CHANGED", outcome->counted, outcome->changed);
	set_number(&environment, "REMOVED", outcome->counted, outcome->removed);
	set_number(&environment, "NEW_BYTES", outcome->counted, outcome->new_bytes);
	set_number(&environment, "RUN", outcome->run, outcome->run);
	set_number(&environment, "FAILURES", true, outcome->failures);
	return environment;
}

/* Until the hook has ended. The first signal ends it; a hook that is started after that runs to its end. */
static void await_hook(const struct tool_hook_runner *runner, struct hook_result *ret_result)
{
	bool spared = tool_signals_first_seen();
	struct pollfd woken[] = {{.fd = runner->fd, .events = POLLIN},
				 {.fd = spared ? -1 : tool_signals_fd(), .events = POLLIN}};

	while (!woken[0].revents) {
		if (poll(woken, 2, runner->alive_every) < 0)
			woken[0].revents = 0;
		if (runner->alive)
			runner->alive(runner->alive_arg);
		if (!spared && tool_signals_first_seen()) {
			hook_process_cancel(runner->fd);
			spared = true;
			woken[1].fd = -1;
		}
	}
	hook_process_result(runner->fd, ret_result);
}

/* What became of a hook that failed; allocated. */
static char *failed_text(const char *command, const struct tool_hooks *hooks, struct hook_result result)
{
	tool_auto char *shown = tool_escape(command), *elapsed = NULL;

	switch (result.end) {
	case HOOK_ENDED:
		return tool_format("the hook '%s' ended with %d", shown, result.code);
	case HOOK_KILLED:
		return tool_format("the hook '%s' was ended by signal %d (%s)", shown, result.code,
				   strsignal(result.code));
	case HOOK_TIMED_OUT:
		elapsed = tool_elapsed((double)(hooks->timeout ? hooks->timeout : DEFAULT_TIMEOUT));
		return tool_format(
			"the hook '%s' was ended because it took longer than %s; --hook-timeout gives it more", shown,
			elapsed);
	case HOOK_CANCELLED:
		return tool_format("the hook '%s' was interrupted", shown);
	default:
		return tool_format("the hook '%s' could not be run: %s", shown, strerror(result.code));
	}
}

static struct hook_result run_hook(const struct tool *tool, const char *command, int exit)
{
	const struct tool_hook_runner *runner = tool->hooks;
	struct tool_texts environment = make_environment(tool, exit);
	int64_t timeout = runner->hooks->timeout ? runner->hooks->timeout : DEFAULT_TIMEOUT;
	int64_t timeout_ms = timeout < 0 || timeout > INT64_MAX / 1000 ? -1 : timeout * 1000;
	struct hook_result result;

	fflush(stdout);
	tool_signals_watch(tool);
	if (hook_process_run(runner->fd, command, &environment, timeout_ms, -1))
		await_hook(runner, &result);
	else
		result = (struct hook_result){HOOK_FAILED, errno};
	tool_texts_free(&environment);
	return result;
}

void tool_program_start(const struct tool *tool, struct tool_program *program, const char *command)
{
	struct tool_texts environment = make_environment(tool, -1);
	int pair[2] = {-1, -1};

	*program = (struct tool_program){.output = -1};
	fflush(stdout);
	tool_signals_watch(tool);
	if (pipe2(pair, O_CLOEXEC) == 0)
		program->runs = hook_process_run(tool->hooks->fd, command, &environment, -1, pair[1]);
	if (!program->runs)
		program->failed = tool_format("could not be run: %s", strerror(errno));
	program->output = pair[0];
	if (pair[1] >= 0)
		close(pair[1]);
	tool_texts_free(&environment);
}

static void note_program(struct tool_program *program, struct hook_result result)
{
	program->runs = false;
	if (result.end == HOOK_KILLED)
		program->failed = tool_format("was ended by signal %d (%s)", result.code, strsignal(result.code));
	else if (result.end == HOOK_FAILED)
		program->failed = tool_format("could not be run: %s", strerror(result.code));
	else if (result.end != HOOK_ENDED || result.code != 0)
		program->failed = tool_format("ended with %d", result.code);
}

/* Its output ended. */
static int64_t conclude_program(const struct tool *tool, struct tool_program *program)
{
	struct hook_result result;

	close(program->output);
	program->output = -1;
	if (program->runs) {
		await_hook(tool->hooks, &result);
		note_program(program, result);
		if (result.end == HOOK_CANCELLED)
			return -ECANCELED;
	}
	return program->failed ? -EIO : 0;
}

/* Until there is output, the command ends, or a signal comes. What a command leaves running may hold the pipe for good.
 * False: nothing more comes. */
static bool await_output(const struct tool *tool, struct tool_program *program, bool *ret_output)
{
	const struct tool_hook_runner *runner = tool->hooks;
	struct pollfd woken[] = {{.fd = program->output, .events = POLLIN},
				 {.fd = program->runs ? runner->fd : -1, .events = POLLIN},
				 {.fd = tool_signals_first_seen() ? -1 : tool_signals_fd(), .events = POLLIN}};
	int ready = poll(woken, 3, program->runs ? runner->alive_every : LEFT_BEHIND_MS);
	struct hook_result result;

	if (runner->alive)
		runner->alive(runner->alive_arg);
	*ret_output = ready > 0 && woken[0].revents;
	if (ready > 0 && woken[1].revents) {
		hook_process_result(runner->fd, &result);
		note_program(program, result);
	} else if (ready == 0 && !program->runs) {
		program->failed = tool_format("has ended, but something that it started still has its output open");
	}
	return !program->failed;
}

int64_t tool_program_read(const struct tool *tool, struct tool_program *program, void *data, size_t size)
{
	ssize_t got = -1;
	bool output;

	if (program->output < 0)
		return -EIO;
	do {
		if (program->failed || !await_output(tool, program, &output))
			return -EIO;
		if (tool_signals_seen())
			return -ECANCELED;
		errno = EINTR;
		if (output)
			got = read(program->output, data, size);
	} while (got < 0 && errno == EINTR);
	if (got == 0)
		return conclude_program(tool, program);
	return got < 0 ? -errno : got;
}

void tool_program_end(const struct tool *tool, struct tool_program *program)
{
	struct hook_result result;

	if (program->output >= 0)
		close(program->output);
	if (program->runs) {
		hook_process_cancel(tool->hooks->fd);
		hook_process_result(tool->hooks->fd, &result);
	}
	free(program->failed);
	*program = (struct tool_program){.output = -1};
}

static bool went_well(struct hook_result result)
{
	return result.end == HOOK_ENDED && result.code == 0;
}

int tool_hooks_before(const struct tool *tool)
{
	const struct tool_texts *commands;

	if (!tool->hooks)
		return TOOL_OK;
	commands = &tool->hooks->hooks->commands[TOOL_HOOK_BEFORE];
	for (size_t i = 0; i < commands->count; i++) {
		struct hook_result result = run_hook(tool, commands->items[i], -1);
		tool_auto char *text = failed_text(commands->items[i], tool->hooks->hooks, result);

		if (went_well(result))
			continue;
		if (result.end == HOOK_ENDED && result.code == TOOL_PUT_OFF) {
			tool_outcome_put_off(tool, text);
			return TOOL_PUT_OFF;
		}
		tool_complain(tool, "%s", text);
		return result.end == HOOK_CANCELLED ? TOOL_INTERRUPTED : TOOL_FATAL;
	}
	return TOOL_OK;
}

/* All of them, also after one that failed; false: one did. */
static bool run_all_of(const struct tool *tool, enum tool_hook_kind kind, int exit)
{
	const struct tool_texts *commands = &tool->hooks->hooks->commands[kind];
	bool fine = true;

	for (size_t i = 0; i < commands->count; i++) {
		struct hook_result result = run_hook(tool, commands->items[i], exit);
		tool_auto char *text = failed_text(commands->items[i], tool->hooks->hooks, result);

		if (went_well(result))
			continue;
		fine = false;
		tool_say(tool, "%s", text);
	}
	return fine;
}

int tool_hooks_after(const struct tool *tool, int exit, bool works)
{
	bool fine = true;

	if (!tool->hooks)
		return exit;
	if (exit == TOOL_OK && works)
		fine = run_all_of(tool, TOOL_HOOK_SUCCESS, exit);
	else if (exit != TOOL_OK && exit != TOOL_PUT_OFF)
		fine = run_all_of(tool, TOOL_HOOK_FAILURE, exit);
	fine = run_all_of(tool, TOOL_HOOK_AFTER, exit) && fine;
	return exit == TOOL_OK && !fine ? TOOL_INCOMPLETE : exit;
}

TOOL_GETTER(struct tool_outcome, is_put_off, TOOL_FLAG, flag, !!self->put_off)

static const struct tool_column put_off_columns[] = {
	{"put_off", NULL, TOOL_GET(get_is_put_off)},
	{"error", NULL, TOOL_MEMBER(TOOL_TEXT, struct tool_outcome, put_off)},
	{0},
};

static void print_put_off(const struct tool *tool)
{
	if (tool->json)
		tool_object_print(put_off_columns, tool->outcome);
	else if (!tool->quiet && !tool->name_only)
		printf("put off: %s\n", tool->outcome->put_off);
}

int tool_hooks_around(struct tool *tool, bool dry_run, const struct tool_hooked *hooked, const void *options)
{
	int r;

	if (!tool->hooks || dry_run)
		return hooked->work(tool, options);
	r = tool_hooks_before(tool);
	if (r == TOOL_OK)
		r = hooked->work(tool, options);
	else if (r == TOOL_PUT_OFF)
		print_put_off(tool);
	else if (hooked->left_out)
		hooked->left_out(tool, options, r);
	if (r != TOOL_OK && r != TOOL_PUT_OFF && !tool->outcome->failures)
		tool->outcome->failures = 1;
	r = tool_hooks_after(tool, r, true);
	return r == TOOL_PUT_OFF ? TOOL_OK : r;
}
