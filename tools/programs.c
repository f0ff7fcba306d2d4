/* SPDX-License-Identifier: MIT */
#include "programs.h"
#include "hooks.h"
#include "output.h"
#include "taking.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One file. */
struct source {
	struct bt_stream stream;
	struct tool_programs *all;
	char *name;
	const char *command; /* NULL: standard input */
	bool started;
	uint64_t bytes;
};

struct tool_programs {
	const struct tool *tool;
	struct source *sources;
	const struct bt_stream **streams;
	size_t count;
	struct tool_program program; /* that runs, or ran last */
	char *failure;
};

#define FIELD(name) offsetof(struct tool_taking, name)

static bool is_name(const char *text, size_t length)
{
	return length > 0 && length <= NAME_MAX && !memchr(text, '/', length) &&
	       !(text[0] == '.' && (length == 1 || (length == 2 && text[1] == '.')));
}

const char *tool_set_stdin(void *field, const char *text)
{
	if (!is_name(text, strlen(text)))
		return "a name of a file, without /";
	return tool_set_only(field, text);
}

const struct tool_option tool_command_options[] = {
	{"from-command", 0, "NAME=CMD", false,
	 "in place of a directory: a file NAME that has what CMD prints, which is run by sh; repeatable",
	 tool_add_program, FIELD(commands)},
	{0},
};

const struct tool_option tool_stdin_options[] = {
	{"stdin", 0, "NAME", false, "in place of a directory: a file NAME that has what comes in on standard input",
	 tool_set_stdin, FIELD(standard_input)},
	{0},
};

const char *tool_add_program(void *field, const char *text)
{
	if (!is_name(text, strcspn(text, "=")))
		return "NAME=CMD, where NAME is a name of a file, without /";
	return tool_add_text(field, text);
}

bool tool_programs_given(const struct tool_taking *taking)
{
	return taking->commands.count > 0 || taking->standard_input;
}

static char *name_of(const char *command)
{
	return tool_format("%.*s", (int)strcspn(command, "="), command);
}

char *tool_programs_of(const struct tool_taking *taking)
{
	tool_auto char *name =
		taking->commands.count ? name_of(taking->commands.items[0]) : tool_format("%s", taking->standard_input);

	return tool_format("/command:%s", name);
}

/* The first option that is about a directory. */
static const char *of_directory(const struct tool_taking *taking)
{
	const char *rule = tool_rules_given(&taking->rules);

	return taking->target		  ? "target-directory"
	       : rule			  ? rule
	       : taking->files.given	  ? "files-from"
	       : taking->birth_times	  ? "birth-times"
	       : taking->trust_mtime_size ? "trust"
					  : NULL;
}

static bool has_twice(const struct tool_taking *taking, const char *name)
{
	unsigned found = taking->standard_input && strcmp(taking->standard_input, name) == 0;

	for (size_t i = 0; i < taking->commands.count; i++) {
		tool_auto char *other = name_of(taking->commands.items[i]);

		found += strcmp(other, name) == 0;
	}
	return found > 1;
}

/* Names without a command: one of them gets the words of the command line. */
static size_t count_bare(const struct tool_taking *taking)
{
	size_t count = 0;

	for (size_t i = 0; i < taking->commands.count; i++)
		count += !strchr(taking->commands.items[i], '=');
	return count;
}

static char *names_problem(const struct tool_taking *taking)
{
	for (size_t i = 0; i < taking->commands.count; i++) {
		tool_auto char *name = name_of(taking->commands.items[i]), *shown = tool_escape(name);

		if (has_twice(taking, name))
			return tool_format("two files cannot have the name '%s'", shown);
	}
	return NULL;
}

char *tool_programs_problem(const struct tool_taking *taking)
{
	const char *first = taking->commands.count ? "from-command" : "stdin", *other = of_directory(taking);

	if (!tool_programs_given(taking))
		return NULL;
	if (other)
		return tool_format("--%s and --%s do not go together: one is about a directory, and the other takes "
				   "what a program gives",
				   other, first);
	if (count_bare(taking) > 1)
		return tool_format("only one command can be given after --; write the others as --from-command "
				   "NAME=CMD");
	if (count_bare(taking) && !taking->words)
		return tool_format("the command is missing: --from-command NAME=CMD, or --from-command NAME -- CMD "
				   "ARG…");
	if (taking->standard_input && isatty(STDIN_FILENO))
		return tool_format("standard input is a terminal; --stdin takes what another program gives");
	return names_problem(taking);
}

/* For people, and then for the engine, which only wants a code. */
static int64_t fail(struct source *source, char *failure, int sys)
{
	free(source->all->failure);
	source->all->failure = failure;
	return -sys;
}

static int64_t read_standard(struct source *source, void *data, size_t size)
{
	tool_auto char *shown = tool_escape(source->name);
	ssize_t got = -1;

	do {
		struct pollfd woken[] = {{.fd = STDIN_FILENO, .events = POLLIN},
					 {.fd = tool_signals_first_seen() ? -1 : tool_signals_fd(), .events = POLLIN}};

		poll(woken, 2, -1);
		if (tool_signals_seen())
			return -ECANCELED;
		errno = EINTR;
		if (woken[0].revents)
			got = read(STDIN_FILENO, data, size);
	} while (got < 0 && (errno == EINTR || errno == EAGAIN));
	if (got < 0) {
		int failed = errno;

		return fail(
			source,
			tool_format("no snapshot: standard input for %s cannot be read: %s", shown, strerror(failed)),
			failed);
	}
	return got;
}

static int64_t read_command(struct source *source, void *data, size_t size)
{
	struct tool_programs *all = source->all;
	tool_auto char *shown = tool_escape(source->name);
	int64_t got = -EIO;

	if (!source->started) {
		tool_program_end(all->tool, &all->program);
		tool_program_start(all->tool, &all->program, source->command);
		source->started = true;
	}
	got = tool_program_read(all->tool, &all->program, data, size);
	if (got < 0 && all->program.failed)
		return fail(source, tool_format("no snapshot: the command for %s %s", shown, all->program.failed),
			    (int)-got);
	return got;
}

static int64_t read_source(void *arg, void *data, size_t size)
{
	struct source *source = arg;
	int64_t got = source->command ? read_command(source, data, size) : read_standard(source, data, size);

	source->bytes += got > 0 ? (uint64_t)got : 0;
	return got;
}

static void add(struct tool_programs *programs, char *name, const char *command)
{
	struct source *source = &programs->sources[programs->count];

	*source = (struct source){.stream = {sizeof(source->stream), name, read_source, source},
				  .all = programs,
				  .name = name,
				  .command = command};
	programs->streams[programs->count++] = &source->stream;
}

struct tool_programs *tool_programs_new(const struct tool *tool, const struct tool_taking *taking)
{
	size_t count = taking->commands.count + (taking->standard_input ? 1 : 0);
	struct tool_programs *programs;

	if (!count)
		return NULL;
	programs = tool_alloc(sizeof(*programs));
	*programs = (struct tool_programs){.tool = tool,
					   .sources = tool_alloc(count * sizeof(*programs->sources)),
					   .streams = tool_alloc(count * sizeof(*programs->streams)),
					   .program.output = -1};
	for (size_t i = 0; i < taking->commands.count; i++) {
		const char *equals = strchr(taking->commands.items[i], '=');

		add(programs, name_of(taking->commands.items[i]), equals ? equals + 1 : taking->words);
	}
	if (taking->standard_input)
		add(programs, tool_format("%s", taking->standard_input), NULL);
	return programs;
}

void tool_programs_free(struct tool_programs *programs)
{
	if (!programs)
		return;
	tool_program_end(programs->tool, &programs->program);
	for (size_t i = 0; i < programs->count; i++)
		free(programs->sources[i].name);
	free(programs->sources);
	free(programs->streams);
	free(programs->failure);
	free(programs);
}

const struct bt_stream *const *tool_programs_streams(const struct tool_programs *programs, size_t *ret_count)
{
	*ret_count = programs ? programs->count : 0;
	return programs ? programs->streams : NULL;
}

const char *tool_programs_failure(const struct tool_programs *programs)
{
	return programs ? programs->failure : NULL;
}

struct tool_texts tool_programs_empty(const struct tool_programs *programs)
{
	struct tool_texts empty = {0};

	for (size_t i = 0; programs && i < programs->count; i++)
		if (!programs->sources[i].bytes)
			tool_texts_add(&empty, programs->sources[i].name);
	return empty;
}
