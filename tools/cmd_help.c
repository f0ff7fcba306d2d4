/* SPDX-License-Identifier: MIT */
#include "help.h"
#include "output.h"
#include <stdio.h>
#include <stdlib.h>

#define LEFT 34 /* columns for an option */

static void option_print(const struct tool_option *option)
{
	char letter[] = {'-', option->letter, ',', '\0'};
	tool_auto char *left = tool_format("%s --%s%s%s", option->letter ? letter : "   ", option->name,
					   option->argument && *option->argument != '[' ? " " : "",
					   option->argument ? option->argument : "");

	if (tool_width(left) > LEFT)
		printf("  %s\n  %*s %s\n", left, LEFT, "", option->help);
	else
		printf("  %s%*s %s\n", left, LEFT - (int)tool_width(left), "", option->help);
}

static void options_print(const struct tool_option *options)
{
	for (; options->name; options++)
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
	for (const struct tool_option_table *table = command->options; table->rows; table++)
		for (const struct tool_option *option = table->rows; option->name; option++)
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
	if (command->options->rows)
		puts("\nOptions:");
	for (const struct tool_option_table *table = command->options; table->rows; table++)
		options_print(table->rows);
	common_print("Common options", tool_common_bits(command));
	if (command->hooks)
		printf("\nHooks:\n%s\n", tool_hooking);
	if (command->example)
		printf("\nExample:\n%s", command->example);
}

static void times_print(void)
{
	puts("A TIME, in the zone of this machine:");
	for (const struct tool_time_text *time = tool_times; time->meaning; time++)
		printf("  %-42s %s\n", time->written, time->meaning);
}

static void general_help(const struct tool *tool)
{
	printf("Usage: backuptool [--store DIR] COMMAND [OPTION…]\n\n%s\n\nCommands:\n", tool_summary);
	for (size_t i = 0; tool->commands[i]; i++)
		printf("  %-12s %s\n", tool->commands[i]->name, tool->commands[i]->summary);
	common_print("Options", TOOL_COMMON_FIRST);
	printf("\n%s\n\n", tool_naming);
	times_print();
	puts("\nExit codes:");
	for (const struct tool_exit_text *exit = tool_exits; exit->meaning; exit++)
		printf("  %-3d %s\n", exit->code, exit->meaning);
	puts("\n'backuptool COMMAND --help' tells more about one.");
}

static int run_help(struct tool *tool, const void *options)
{
	const struct tool_command *command = NULL;

	if (tool->operand_count > 0) {
		command = tool_command_find(tool, tool->operands[0]);
		if (!command)
			return tool_command_unknown(tool, tool->operands[0]);
	}
	if (tool->json)
		tool_help_json(tool, command);
	else if (command)
		command_help(command);
	else
		general_help(tool);
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
	.run = run_help,
};
