/* SPDX-License-Identifier: MIT */
#include "commands.h"
#include "output.h"
#include <stdio.h>
#include <stdlib.h>

static void option_print(const struct tool_option *option)
{
	char letter[] = {'-', option->letter, ',', '\0'};
	char *left = tool_format("%s --%s%s%s", option->letter ? letter : "   ", option->name,
				 option->argument ? " " : "", option->argument ? option->argument : "");

	printf("  %-34s %s\n", left, option->help);
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
	if (command->options)
		puts("\nOptions:");
	options_print(command->options);
	common_print("Common options", command->common | TOOL_COMMON_HELP);
	if (command->example)
		printf("\nExample:\n%s", command->example);
}

static void general_help(void)
{
	puts("Usage: backuptool [--store DIR] COMMAND [OPTION…]\n\n"
	     "Keeps snapshots of directories as JSON files in a store.\n\n"
	     "Commands:");
	for (size_t i = 0; tool_commands[i]; i++)
		printf("  %-12s %s\n", tool_commands[i]->name, tool_commands[i]->summary);
	common_print("Options", TOOL_COMMON_FIRST);
	puts("\nA SNAPSHOT is a name in the store or its beginning, the path of a file, latest, latest~N,\n"
	     "or @TIME: the newest at or before a time, such as @2026-11-20, @yesterday, @2h.\n\n"
	     "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done but not everything, 10 no store,\n"
	     "11 locked by another, 130 interrupted.\n\n"
	     "'backuptool COMMAND --help' tells more about one.");
}

static int run(struct tool *tool, const void *options)
{
	const struct tool_command *command;

	if (tool->operand_count == 0) {
		general_help();
		return TOOL_OK;
	}
	command = tool_command_find(tool->operands[0]);
	if (!command)
		return tool_usage_error(tool, "there is no command '%s'", tool->operands[0]);
	command_help(command);
	return TOOL_OK;
}

const struct tool_command cmd_help = {
	.name = "help",
	.summary = "shows what there is, or more about one command",
	.operands = "[COMMAND]",
	.example = "  backuptool help restore\n",
	.max_operands = 1,
	.run = run,
};
