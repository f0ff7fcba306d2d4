/* SPDX-License-Identifier: MIT */
#include "config_report.h"
#include "output.h"
#include "rows.h"
#include <stdlib.h>
#include <string.h>

static const struct tool_column setting_columns[] = {
	{"key", NULL, TOOL_MEMBER(TOOL_TEXT, struct config_setting, key)},
	{"value", NULL, TOOL_MEMBER(TOOL_TEXT, struct config_setting, value)},
	{"file", NULL, TOOL_MEMBER(TOOL_TEXT, struct config_setting, file)},
	{"line", NULL, TOOL_MEMBER(TOOL_COUNT, struct config_setting, line)},
	{0},
};

static struct tool_value get_from(const void *row)
{
	const struct config_setting *self = row;

	return (struct tool_value){.kind = TOOL_OWNED, .owned = tool_format("%s:%zu", self->file, (size_t)self->line)};
}

static const struct tool_column table_columns[] = {
	{"source", "SOURCE", TOOL_MEMBER(TOOL_TEXT, struct config_setting, source)},
	{"key", "KEY", TOOL_MEMBER(TOOL_TEXT, struct config_setting, key)},
	{"value", "VALUE", TOOL_MEMBER(TOOL_TEXT, struct config_setting, value)},
	{"from", "FROM", TOOL_GET(get_from)},
	{0},
};

static struct tool_value get_settings(const void *row)
{
	const struct config_shown *self = row;

	return (struct tool_value){.kind = TOOL_ROWS,
				   .rows = {setting_columns, self->settings, sizeof(*self->settings), self->count}};
}

static const struct tool_column shown_columns[] = {
	{"name", NULL, TOOL_VIA(TOOL_TEXT, struct config_shown, source, name)},
	{"file", NULL, TOOL_VIA(TOOL_TEXT, struct config_shown, source, file)},
	{"line", NULL, TOOL_VIA(TOOL_COUNT, struct config_shown, source, line)},
	{"settings", NULL, TOOL_GET(get_settings)},
	{0},
};

static struct tool_value get_files(const void *row)
{
	const struct config_report *self = row;
	const struct tool_texts *files = &self->config->files;

	return (struct tool_value){.kind = TOOL_TEXTS, .texts = {files->items, files->count}};
}

static struct tool_value get_problems(const void *row)
{
	const struct config_report *self = row;
	const struct tool_texts *problems = &self->config->problems;

	return (struct tool_value){.kind = TOOL_TEXTS, .texts = {problems->items, problems->count}};
}

static struct tool_value get_sources(const void *row)
{
	const struct config_report *self = row;

	return (struct tool_value){.kind = TOOL_ROWS,
				   .rows = {shown_columns, self->sources, sizeof(*self->sources), self->count}};
}

TOOL_GETTER(struct config_shown, state, TOOL_TEXT, text, self->fine ? "fine" : "wrong")

static const struct tool_column check_table[] = {
	{"name", "SOURCE", TOOL_VIA(TOOL_TEXT, struct config_shown, source, name)},
	{"target", "TARGET", TOOL_MEMBER(TOOL_TEXT, struct config_shown, target)},
	{"store", "STORE", TOOL_MEMBER(TOOL_TEXT, struct config_shown, store)},
	{"state", "STATE", TOOL_GET(get_state)},
	{0},
};
static const struct tool_column checked_columns[] = {
	{"name", NULL, TOOL_VIA(TOOL_TEXT, struct config_shown, source, name)},
	{"target", NULL, TOOL_MEMBER(TOOL_TEXT, struct config_shown, target)},
	{"store", NULL, TOOL_MEMBER(TOOL_TEXT, struct config_shown, store)},
	{"fine", NULL, TOOL_MEMBER(TOOL_FLAG, struct config_shown, fine)},
	{0},
};

static struct tool_value get_checked(const void *row)
{
	const struct config_report *self = row;

	return (struct tool_value){.kind = TOOL_ROWS,
				   .rows = {checked_columns, self->sources, sizeof(*self->sources), self->count}};
}

static const struct tool_column check_columns[] = {
	{"files", NULL, TOOL_GET(get_files)},
	{"sources", NULL, TOOL_GET(get_checked)},
	{"problems", NULL, TOOL_GET(get_problems)},
	{0},
};

static const struct tool_column show_columns[] = {
	{"files", NULL, TOOL_GET(get_files)},
	{"sources", NULL, TOOL_GET(get_sources)},
	{0},
};

static void show_table(const struct config_report *report)
{
	struct config_setting *rows = NULL;
	size_t count = 0;

	for (size_t i = 0; i < report->count; i++) {
		const struct config_shown *shown = &report->sources[i];

		rows = tool_realloc(rows, (count + shown->count + 1) * sizeof(*rows));
		memcpy(rows + count, shown->settings, shown->count * sizeof(*rows));
		count += shown->count;
	}
	tool_table_print(table_columns, rows, sizeof(*rows), count);
	free(rows);
}

void config_show_print(const struct tool *tool, const struct config_report *report)
{
	if (tool->json)
		tool_object_print(show_columns, report);
	else
		show_table(report);
}

void config_check_print(const struct tool *tool, const struct config_report *report)
{
	if (tool->json)
		tool_object_print(check_columns, report);
	else
		tool_table_print(check_table, report->sources, sizeof(*report->sources), report->count);
}
