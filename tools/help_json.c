/* SPDX-License-Identifier: MIT */
#include "help.h"
#include "output.h"
#include "rows.h"
#include <backuptool/version.h>
#include <stdlib.h>

/* An option and where it comes from. */
struct option_row {
	const struct tool_option *option;
	bool common;
};

/* The options of a command, or with none of those before the command. */
struct option_rows {
	struct option_row *items;
	size_t count;
};

struct command_row {
	const struct tool_command *command;
	struct option_rows options;
};

struct program_row {
	struct command_row *commands;
	size_t count;
	struct option_rows options;
};

static void rows_add(struct option_rows *rows, const struct tool_option *options, bool common)
{
	for (; options->name; options++) {
		rows->items = tool_realloc(rows->items, (rows->count + 1) * sizeof(*rows->items));
		rows->items[rows->count++] = (struct option_row){options, common};
	}
}

static struct option_rows rows_make(const struct tool_option_table *own, unsigned bits)
{
	struct option_rows rows = {0};

	for (; own && own->rows; own++)
		rows_add(&rows, own->rows, false);
	for (const struct tool_common_options *common = tool_common_options; common->options; common++)
		if (common->bits & bits)
			rows_add(&rows, common->options, true);
	return rows;
}

static struct tool_value text_or_nothing(const char *text)
{
	return (struct tool_value){.kind = text ? TOOL_TEXT : TOOL_NOTHING, .text = text};
}

static struct tool_value get_letter(const void *row)
{
	const struct option_row *self = row;
	static char text[2];

	text[0] = self->option->letter;
	return text_or_nothing(*text ? text : NULL);
}

static const struct tool_column option_columns[] = {
	{"name", NULL, TOOL_VIA(TOOL_TEXT, struct option_row, option, name)},
	{"letter", NULL, TOOL_GET(get_letter)},
	{"argument", NULL, TOOL_VIA(TOOL_TEXT, struct option_row, option, argument)},
	{"required", NULL, TOOL_VIA(TOOL_FLAG, struct option_row, option, required)},
	{"common", NULL, TOOL_MEMBER(TOOL_FLAG, struct option_row, common)},
	{"help", NULL, TOOL_VIA(TOOL_TEXT, struct option_row, option, help)},
	{0},
};

static struct tool_value option_list(const struct option_rows *rows)
{
	return (struct tool_value){.kind = TOOL_ROWS,
				   .rows = {option_columns, rows->items, sizeof(*rows->items), rows->count}};
}

static struct tool_value get_max_operands(const void *row)
{
	int most = ((const struct command_row *)row)->command->max_operands;

	return most < 0 ? text_or_nothing(NULL) : (struct tool_value){.kind = TOOL_COUNT, .number = (uint64_t)most};
}

static struct tool_value get_options(const void *row)
{
	return option_list(&((const struct command_row *)row)->options);
}

static const struct tool_column command_columns[] = {
	{"name", NULL, TOOL_VIA(TOOL_TEXT, struct command_row, command, name)},
	{"summary", NULL, TOOL_VIA(TOOL_TEXT, struct command_row, command, summary)},
	{"description", NULL, TOOL_VIA(TOOL_TEXT, struct command_row, command, description)},
	{"operands", NULL, TOOL_VIA(TOOL_TEXT, struct command_row, command, operands)},
	{"max_operands", NULL, TOOL_GET(get_max_operands)},
	{"example", NULL, TOOL_VIA(TOOL_TEXT, struct command_row, command, example)},
	{"options", NULL, TOOL_GET(get_options)},
	{0},
};

static const struct tool_column exit_columns[] = {
	{"code", NULL, TOOL_MEMBER(TOOL_COUNT, struct tool_exit_text, code)},
	{"meaning", NULL, TOOL_MEMBER(TOOL_TEXT, struct tool_exit_text, meaning)},
	{0},
};

static struct tool_value get_commands(const void *row)
{
	const struct program_row *self = row;

	return (struct tool_value){.kind = TOOL_ROWS,
				   .rows = {command_columns, self->commands, sizeof(*self->commands), self->count}};
}

static struct tool_value get_first_options(const void *row)
{
	return option_list(&((const struct program_row *)row)->options);
}

static struct tool_value get_exits(const void *row)
{
	size_t count = 0;

	while (tool_exits[count].meaning)
		count++;
	return (struct tool_value){.kind = TOOL_ROWS, .rows = {exit_columns, tool_exits, sizeof(*tool_exits), count}};
}

static struct tool_value get_version(const void *row)
{
	return text_or_nothing(bt_version());
}

static struct tool_value get_program_summary(const void *row)
{
	return text_or_nothing(tool_summary);
}

static struct tool_value get_naming(const void *row)
{
	return text_or_nothing(tool_naming);
}

static struct tool_value get_hooking(const void *row)
{
	return text_or_nothing(tool_hooking);
}

static const struct tool_column time_columns[] = {
	{"written", NULL, TOOL_MEMBER(TOOL_TEXT, struct tool_time_text, written)},
	{"meaning", NULL, TOOL_MEMBER(TOOL_TEXT, struct tool_time_text, meaning)},
	{0},
};

static struct tool_value get_times(const void *row)
{
	size_t count = 0;

	while (tool_times[count].meaning)
		count++;
	return (struct tool_value){.kind = TOOL_ROWS, .rows = {time_columns, tool_times, sizeof(*tool_times), count}};
}

static const struct tool_column program_columns[] = {
	{"version", NULL, TOOL_GET(get_version)},
	{"summary", NULL, TOOL_GET(get_program_summary)},
	{"commands", NULL, TOOL_GET(get_commands)},
	{"options", NULL, TOOL_GET(get_first_options)},
	{"snapshot_naming", NULL, TOOL_GET(get_naming)},
	{"times", NULL, TOOL_GET(get_times)},
	{"hooks", NULL, TOOL_GET(get_hooking)},
	{"exit_codes", NULL, TOOL_GET(get_exits)},
	{0},
};

void tool_help_json(const struct tool *tool, const struct tool_command *only)
{
	struct program_row program = {.options = rows_make(NULL, TOOL_COMMON_FIRST)};

	for (size_t i = 0; tool->commands[i]; i++) {
		const struct tool_command *command = tool->commands[i];

		program.commands = tool_realloc(program.commands, (i + 1) * sizeof(*program.commands));
		program.commands[i] =
			(struct command_row){command, rows_make(command->options, tool_common_bits(command))};
		if (command == only)
			tool_object_print(command_columns, &program.commands[i]);
		program.count++;
	}
	if (!only)
		tool_object_print(program_columns, &program);
	for (size_t i = 0; i < program.count; i++)
		free(program.commands[i].options.items);
	free(program.commands);
	free(program.options.items);
}
