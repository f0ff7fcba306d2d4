/* SPDX-License-Identifier: MIT */
#include "help.h"
#include "output.h"
#include <stdio.h>
#include <stdlib.h>

#define LEFT 34 /* columns for an option */

const char tool_summary[] = "Keeps snapshots of directories as JSON files in a store.";
const char tool_naming[] = "A SNAPSHOT is a name in the store or its beginning, the path of a file, latest, latest~N,\n"
			   "or @TIME: the newest at or before a time, such as @2026-11-20, @yesterday, @2h.\n"
			   "These are of one host and directory: that of an absolute PATH, of --output-directory, or,\n"
			   "on this host, around the working directory; else of the newest, and a line says so.\n"
			   "SNAPSHOT:PATH is a path in it, relative to its directory or absolute below it.";

const struct tool_exit_text tool_exits[] = {
	{TOOL_OK, "done; what was written is on the disk to stay"},
	{TOOL_FATAL, "failed; one sentence says why"},
	{TOOL_USAGE, "usage error"},
	{TOOL_INCOMPLETE, "done, but not everything: what is missing was named"},
	{TOOL_DIFFERENT, "there are differences (diff --exit-code)"},
	{TOOL_NO_STORE, "there is no store at that place, or it is another one than --store-id names"},
	{TOOL_LOCKED, "somebody else holds the lock, or the lock or a temporary file was lost: run the command again"},
	{TOOL_INTERRUPTED, "interrupted"},
	{0, NULL},
};

static void option_print(const struct tool_option *option)
{
	char letter[] = {'-', option->letter, ',', '\0'};
	char *left = tool_format("%s --%s%s%s", option->letter ? letter : "   ", option->name,
				 option->argument ? " " : "", option->argument ? option->argument : "");

	if (tool_width(left) > LEFT)
		printf("  %s\n  %*s %s\n", left, LEFT, "", option->help);
	else
		printf("  %s%*s %s\n", left, LEFT - (int)tool_width(left), "", option->help);
	free(left);
}

static void options_print(const struct tool_option *options)
{
	for (; options && options->name; options++)
		option_print(options);
}

static void common_print(const char *heading, unsigned bits)
{
	printf("\n%s:\n", heading);
	for (const struct tool_common_options *common = tool_common_options; common->options; common++)
		if (common->bits & bits)
			options_print(common->options);
}

static void usage_print(const struct tool_command *command)
{
	printf("Usage: backuptool %s", command->name);
	for (const struct tool_option *option = command->options; option && option->name; option++)
		if (option->required)
			printf(" --%s %s", option->name, option->argument);
	printf(" [OPTION…]%s%s\n\n", command->operands ? " " : "", command->operands ? command->operands : "");
}

static void command_help(const struct tool_command *command)
{
	usage_print(command);
	printf("%c%s.\n", command->summary[0] - 'a' + 'A', command->summary + 1);
	if (command->description)
		printf("\n%s\n", command->description);
	if (command->options)
		puts("\nOptions:");
	options_print(command->options);
	common_print("Common options", command->common | TOOL_COMMON_HELP);
	if (command->example)
		printf("\nExample:\n%s", command->example);
}

static void general_help(void)
{
	printf("Usage: backuptool [--store DIR] COMMAND [OPTION…]\n\n%s\n\nCommands:\n", tool_summary);
	for (size_t i = 0; tool_commands[i]; i++)
		printf("  %-12s %s\n", tool_commands[i]->name, tool_commands[i]->summary);
	common_print("Options", TOOL_COMMON_FIRST);
	printf("\n%s\n\nExit codes:\n", tool_naming);
	for (const struct tool_exit_text *exit = tool_exits; exit->meaning; exit++)
		printf("  %-3d %s\n", exit->code, exit->meaning);
	puts("\n'backuptool COMMAND --help' tells more about one.");
}

static int run(struct tool *tool, const void *options)
{
	const struct tool_command *command = NULL;

	if (tool->operand_count > 0) {
		command = tool_command_find(tool->operands[0]);
		if (!command)
			return tool_command_unknown(tool, tool->operands[0]);
	}
	if (tool->json)
		tool_help_json(command);
	else if (command)
		command_help(command);
	else
		general_help();
	return TOOL_OK;
}

const struct tool_command cmd_help = {
	.name = "help",
	.summary = "shows what there is, or more about one command",
	.description = "With --json, the whole table of commands and options, from which the man pages\n"
		       "and the completions of shells are made, or one command's part of it.",
	.operands = "[COMMAND]",
	.example = "  backuptool help restore\n"
		   "  backuptool help --json | jq -r '.commands[].name'\n",
	.max_operands = 1,
	.common = TOOL_COMMON_JSON,
	.run = run,
};
