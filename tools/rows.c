/* SPDX-License-Identifier: MIT */
#include "rows.h"
#include "output.h"
#include <internal/clock.h>
#include <internal/policy.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *texts_shown(const struct tool_value *value)
{
	char *shown = tool_format("%s", "");

	for (size_t i = 0; i < value->texts.count; i++) {
		tool_auto char *item = tool_escape(value->texts.items[i]);

		tool_append(&shown, "%s%s", i ? "," : "", item);
	}
	return shown;
}

void tool_value_free(struct tool_value *value)
{
	for (size_t i = 0; value->kind == TOOL_OWNED_TEXTS && i < value->texts.count; i++)
		free((char *)value->texts.items[i]);
	if (value->kind == TOOL_OWNED_TEXTS)
		free((void *)value->texts.items);
	if (value->kind == TOOL_OWNED)
		free(value->owned);
}

char *tool_value_shown(const struct tool_value *value)
{
	switch (value->kind) {
	case TOOL_NOTHING:
	case TOOL_CHARS:
	case TOOL_ROWS:
	case TOOL_OBJECT:
		break;
	case TOOL_TEXT:
	case TOOL_OWNED:
		return tool_escape(value->text);
	case TOOL_COUNT:
		return tool_format("%" PRIu64, value->number);
	case TOOL_BYTES:
		return tool_bytes(value->number);
	case TOOL_TIME:
		return tool_local_time(value->time);
	case TOOL_TEXTS:
	case TOOL_OWNED_TEXTS:
		return texts_shown(value);
	case TOOL_FUTURE:
		return tool_format("in the future");
	case TOOL_FLAG:
		return tool_format("%s", value->flag ? "yes" : "no");
	case TOOL_SECONDS:
		return tool_elapsed(value->seconds);
	}
	return tool_format("%s", "");
}

static uint64_t number_at(const void *at, size_t width)
{
	uint32_t narrow;
	uint64_t wide;

	memcpy(width == sizeof(wide) ? (void *)&wide : &narrow, at, width);
	return width == sizeof(wide) ? wide : narrow;
}

static struct tool_value member_value(const struct tool_column *column, const char *at)
{
	struct tool_value value = {.kind = column->kind == TOOL_CHARS ? TOOL_TEXT : column->kind};
	bool number = column->kind == TOOL_COUNT || column->kind == TOOL_BYTES, any = true;

	if (number)
		value.number = number_at(at, column->width);
	else if (column->kind == TOOL_CHARS)
		value.text = at;
	else
		memcpy(&value.text, at, column->width);
	if (column->kind == TOOL_FUTURE)
		any = bt_is_future(value.time.seconds, bt_now());
	else if (column->when == TOOL_WHEN_ANY)
		any = number ? value.number : column->kind == TOOL_FLAG ? value.flag : value.text && *value.text;
	return any && (value.kind != TOOL_TEXT || value.text) ? value : (struct tool_value){.kind = TOOL_NOTHING};
}

struct tool_value tool_column_value(const struct tool_column *column, const void *row)
{
	const char *from = row;

	if (column->get)
		return column->get(row);
	if (column->via)
		memcpy(&from, from + column->via - 1, sizeof(from));
	return from ? member_value(column, from + column->offset) : (struct tool_value){.kind = TOOL_NOTHING};
}

void tool_path_print(const char *path, bool nul)
{
	if (ferror(stdout))
		return;
	if (nul) {
		fwrite(path, 1, strlen(path) + 1, stdout);
		return;
	}
	tool_auto char *shown = tool_escape(path);
	puts(shown);
}
