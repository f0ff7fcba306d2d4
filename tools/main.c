/* SPDX-License-Identifier: MIT */
#include "commands.h"
#include "failure.h"
#include "feed.h"
#include "hooks.h"
#include "output.h"
#include "selection.h"
#include <backuptool/version.h>
#include <errno.h>
#include <getopt.h>
#include <internal/streams.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

#define TOOL_ENTRY(name) &cmd_##name,
static const struct tool_command *const commands[] = {TOOL_COMMANDS(TOOL_ENTRY) NULL};

/* An empty one comes of a variable that is not set; as a path it would mean everything. */
static bool has_empty(const struct tool *tool)
{
	bool empty = false;

	for (int i = 0; i < tool->operand_count && !empty && !tool->command->words; i++)
		empty = !*tool->operands[i];
	return empty;
}

static int check_operands(const struct tool *tool)
{
	const struct tool_command *command = tool->command;

	if (tool->operand_count < command->min_operands)
		return tool_usage_error(tool, "%s is missing: backuptool %s %s",
					tool->operand_count ? "an argument" : "its argument", command->name,
					command->operands);
	if (command->max_operands >= 0 && tool->operand_count > command->max_operands) {
		tool_auto char *extra = tool_escape(tool->operands[command->max_operands]);

		return tool_usage_error(tool, "'%s' is one argument too many", extra);
	}
	if (has_empty(tool))
		return tool_usage_error(tool, "an argument is empty: is a variable of the shell not set?");
	return TOOL_OK;
}

/* The command's own groups, all common ones, and the end. */
enum { GROUPS = TOOL_OPTION_TABLES + TOOL_COMMON_GROUPS + 1 };

/* Adds the groups of common options that have one of the bits. There is room for GROUPS. */
static void add_common(struct tool_option_group *groups, unsigned bits, struct tool *tool)
{
	while (groups->options)
		groups++;
	for (const struct tool_common_options *common = tool_common_options; common->options; common++)
		if (common->bits & bits)
			*groups++ = (struct tool_option_group){common->options, tool, NULL, NULL};
}

static int read_options(struct tool *tool, void *options, int argc, char **argv)
{
	const struct tool_option_table *table = tool->command->options;
	struct tool_option_group groups[GROUPS] = {0};
	char problem[512];
	int first;

	for (size_t i = 0; table[i].rows; i++)
		groups[i] = (struct tool_option_group){table[i].rows, (char *)options + table[i].offset, &tool->given,
						       tool->command->elsewhere};
	add_common(groups, tool_common_bits(tool->command), tool);
	first = tool_options_parse(groups, argc, argv, false, problem, sizeof(problem));
	if (first < 0)
		return tool_usage_error(tool, "%s", problem);
	tool->operands = argv + first;
	tool->operand_count = argc - first;
	tool_selection_begin(tool);
	return tool->help ? TOOL_OK : check_operands(tool);
}

/* Nothing that the command starts, or is made to start, gains rights that it has not got. */
static void stay_unprivileged(const struct tool_command *command)
{
	if (!command->starts_setuid)
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static int start(struct tool *tool, void *options)
{
	const struct tool_command *command = tool->command;
	int r = TOOL_OK;

	if (command->hooks)
		r = tool_hooks_start(tool, (void *)((char *)options + command->hooks - 1));
	if (r == TOOL_OK && command->prepare)
		r = command->prepare(tool, options);
	stay_unprivileged(command);
	return r == TOOL_OK ? command->run(tool, options) : r;
}

static int run_command(struct tool *tool, int argc, char **argv)
{
	tool_auto void *options = tool_alloc(tool->command->options_size + 1);
	int r = read_options(tool, options, argc, argv);

	if (r == TOOL_OK && tool->help) {
		tool->operands = (char *[]){(char *)tool->command->name};
		tool->operand_count = 1;
		r = cmd_help.run(tool, NULL);
	} else if (r == TOOL_OK) {
		r = start(tool, options);
		tool_hooks_stop(tool);
	}
	tool_texts_free(&tool->given);
	tool_selection_end(tool);
	for (const struct tool_option_table *table = tool->command->options; table->rows; table++)
		tool_options_free(table->rows, (char *)options + table->offset);
	return r;
}

/* An option of commands, by the word that was no option before the command. */
static const struct tool_option *option_of_commands(const char *word)
{
	const char letter = word[0] == '-' && word[1] != '-' ? word[1] : '\0';
	size_t length = strlen(word) > 2 ? strcspn(word + 2, "=") : 0;

	for (const struct tool_common_options *common = tool_common_options; common->options; common++)
		for (const struct tool_option *option = common->options; option->name; option++)
			if (!(common->bits & TOOL_COMMON_FIRST) &&
			    (letter ? letter == option->letter
				    : length == strlen(option->name) && strncmp(word + 2, option->name, length) == 0))
				return option;
	return NULL;
}

/* word: the last one that was looked at. */
static int refuse_first(const struct tool *tool, const char *word, const char *problem)
{
	const struct tool_option *option = option_of_commands(word);

	return option ? tool_usage_error(tool, "put --%s after the command: backuptool COMMAND --%s%s%s", option->name,
					 option->name, option->argument ? " " : "",
					 option->argument ? option->argument : "")
		      : tool_usage_error(tool, "%s", problem);
}

static int run(struct tool *tool, int argc, char **argv)
{
	struct tool_option_group groups[GROUPS] = {0};
	char problem[512];
	int first;

	add_common(groups, TOOL_COMMON_FIRST, tool);
	first = tool_options_parse(groups, argc, argv, true, problem, sizeof(problem));
	if (first < 0)
		return refuse_first(tool, argv[optind - 1], problem);
	if (tool->version) {
		printf("backuptool %s\n", bt_version());
		return TOOL_OK;
	}
	if (tool->help)
		return cmd_help.run(tool, NULL);
	if (first == argc)
		return tool_usage_error(tool, "a command is missing");
	tool->command = tool_command_find(tool, argv[first]);
	if (!tool->command)
		return tool_command_unknown(tool, argv[first]);
	return run_command(tool, argc - first, argv + first);
}

/* Stores may have many files, and each is opened once and kept. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* Exit 0 promises that the output was written, too. */
static int finish_output(const struct tool *tool, int result)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return result;
	tool_say(tool, "cannot write the output: %s", strerror(errno));
	return result == TOOL_OK ? TOOL_FATAL : result;
}

/* Also where a mistake on the command line comes before the word. */
static bool wants_json(const struct tool *tool, int argc, char **argv)
{
	bool found = tool->json;

	for (int i = 1; i < argc && !found && strcmp(argv[i], "--") != 0; i++)
		found = strcmp(argv[i], "--json") == 0;
	return found;
}

int main(int argc, char **argv)
{
	const char *store = getenv("BACKUPTOOL_STORE");
	struct tool_texts said = {0}, doubts = {0};
	struct tool_outcome outcome = {0};
	struct tool_feed feed = {.fd = -1, .started = tool_clock()};
	struct tool tool = {.commands = commands,
			    .store = store && *store ? store : "./snapshots",
			    .lock_wait = 60,
			    .said = &said,
			    .doubts = &doubts,
			    .outcome = &outcome,
			    .feed = &feed};
	int r;

	tool.default_store = tool.store;
	bt_hold_streams();
	signal(SIGXFSZ, SIG_IGN);	/* a write beyond 'ulimit -f' is an error like others */
	setlocale(LC_CTYPE, "C.UTF-8"); /* names are shown as UTF-8 whatever the user's locale is */
	tzset();
	raise_file_limit();
	r = run(&tool, argc, argv);
	if (r == TOOL_USAGE ? wants_json(&tool, argc, argv) : tool.json)
		tool_failure_print(&tool, r);
	r = finish_output(&tool, r);
	tool_feed_end(&tool, r);
	tool_texts_free(&said);
	tool_texts_free(&doubts);
	tool_outcome_clear(&outcome);
	return r;
}
