/* SPDX-License-Identifier: MIT */
#include "rows.h"
#include "output.h"
#include <internal/policy.h>
#include <internal/text.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EXACT_IN_JSON (UINT64_C(1) << 53) /* larger numbers are written as strings */

static char *texts_shown(const struct tool_value *value)
{
	char *shown = tool_format("%s", "");

	for (size_t i = 0; i < value->texts.count; i++) {
		tool_auto char *item = tool_escape(value->texts.items[i]);

		tool_append(&shown, "%s%s", i ? "," : "", item);
	}
	return shown;
}

static void value_free(struct tool_value *value)
{
	for (size_t i = 0; value->kind == TOOL_OWNED_TEXTS && i < value->texts.count; i++)
		free((char *)value->texts.items[i]);
	if (value->kind == TOOL_OWNED_TEXTS)
		free((void *)value->texts.items);
	if (value->kind == TOOL_OWNED)
		free(value->owned);
}

static char *value_shown(const struct tool_value *value)
{
	switch (value->kind) {
	case TOOL_NOTHING:
	case TOOL_CHARS:
	case TOOL_ROWS:
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

static void put_unit(uint32_t unit)
{
	printf("\\u%04" PRIx32, unit);
}

/* One that means more than it shows stands as an escape, which means the same. */
static void put_character(const char *text, size_t length, uint32_t character)
{
	static const char marks[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	const char *mark = character < 0x80 ? strchr(marks, (int)character) : NULL;

	if (mark) {
		printf("\\%c", letters[mark - marks]);
	} else if (!bt_is_deceptive(character)) {
		fwrite(text, 1, length, stdout);
	} else if (character < 0x10000) {
		put_unit(character);
	} else {
		put_unit(0xd800 + ((character - 0x10000) >> 10));
		put_unit(0xdc00 + (character & 0x3ff));
	}
}

/* Of UTF-8. */
static void put_string(const char *text)
{
	uint32_t character = 0;

	putchar('"');
	for (size_t length; *text; text += length) {
		length = tool_plain_length(text);
		if (length > 0) {
			fwrite(text, 1, length, stdout);
			continue;
		}
		length = bt_utf8_next(text, strnlen(text, 4), &character);
		put_character(text, length, character);
	}
	putchar('"');
}

static void put_base64(const char *text)
{
	tool_auto char *encoded = tool_base64(text);

	printf("\"%s\"", encoded);
}

/* What is not UTF-8 is an object. */
static void put_texts(const struct tool_value *value)
{
	putchar('[');
	for (size_t i = 0; i < value->texts.count; i++) {
		const char *text = value->texts.items[i];

		if (i)
			putchar(',');
		if (tool_is_utf8(text)) {
			put_string(text);
			continue;
		}
		fputs("{\"b64\":", stdout);
		put_base64(text);
		putchar('}');
	}
	putchar(']');
}

static void put_row(const struct tool_column *columns, const void *row);

static void put_rows(const struct tool_value *value)
{
	putchar('[');
	for (size_t i = 0; i < value->rows.count; i++) {
		if (i)
			putchar(',');
		put_row(value->rows.columns, (const char *)value->rows.items + i * value->rows.size);
	}
	putchar(']');
}

static void put_time(struct bt_time time)
{
	tool_auto char *text = tool_utc_time(time);

	put_string(text);
}

static void put_value(const struct tool_value *value)
{
	switch (value->kind) {
	case TOOL_NOTHING:
	case TOOL_CHARS:
		break;
	case TOOL_TEXT:
	case TOOL_OWNED:
		put_string(value->text);
		break;
	case TOOL_COUNT:
	case TOOL_BYTES:
		printf(value->number < EXACT_IN_JSON ? "%" PRIu64 : "\"%" PRIu64 "\"", value->number);
		break;
	case TOOL_TIME:
		put_time(value->time);
		break;
	case TOOL_TEXTS:
	case TOOL_OWNED_TEXTS:
		put_texts(value);
		break;
	case TOOL_FUTURE:
	case TOOL_FLAG:
		fputs(value->kind == TOOL_FUTURE || value->flag ? "true" : "false", stdout);
		break;
	case TOOL_SECONDS:
		printf("%.15g", (double)(uint64_t)(value->seconds * 1000 + 0.5) / 1000);
		break;
	case TOOL_ROWS:
		put_rows(value);
		break;
	}
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
		any = bt_is_future(value.time.seconds, time(NULL));
	else if (column->when == TOOL_WHEN_ANY)
		any = number ? value.number : column->kind == TOOL_FLAG ? value.flag : value.text && *value.text;
	return any && (value.kind != TOOL_TEXT || value.text) ? value : (struct tool_value){.kind = TOOL_NOTHING};
}

static struct tool_value column_value(const struct tool_column *column, const void *row)
{
	const char *from = row;

	if (column->get)
		return column->get(row);
	if (column->via)
		memcpy(&from, from + column->via - 1, sizeof(from));
	return from ? member_value(column, from + column->offset) : (struct tool_value){.kind = TOOL_NOTHING};
}

/* As in a store file: bytes that are not UTF-8 stand under "key_b64". */
static void put_row(const struct tool_column *columns, const void *row)
{
	const char *before = "{";

	for (; columns->key; columns++) {
		struct tool_value value = column_value(columns, row);
		bool text = value.kind == TOOL_TEXT || value.kind == TOOL_OWNED,
		     bytes = text && !tool_is_utf8(value.text);

		if (value.kind == TOOL_NOTHING)
			continue;
		printf("%s\"%s%s\":", before, columns->key, bytes ? "_b64" : "");
		if (bytes)
			put_base64(value.text);
		else
			put_value(&value);
		value_free(&value);
		before = ",";
	}
	fputs(*before == '{' ? "{}" : "}", stdout);
}

static const void *row_at(const void *rows, size_t row_size, size_t index)
{
	return (const char *)rows + row_size * index;
}

/* Prints the blanks that are due and a cell, and returns the blanks due before the next one: so no line ends with
 * blanks. */
static size_t cell_print(const char *text, size_t due, size_t width, bool right)
{
	size_t gap = width > tool_width(text) ? width - tool_width(text) : 0;

	if (!*text)
		return due + width + 2;
	printf("%*s%s", (int)(due + (right ? gap : 0)), "", text);
	return (right ? 0 : gap) + 2;
}

static size_t column_count(const struct tool_column *columns)
{
	size_t count = 0;

	for (; columns->key; columns++)
		count += !!columns->heading;
	return count;
}

/* What a table shows: cells of headings and rows, one row after the other. */
struct grid {
	size_t width, rows; /* in cells; the headings are a row */
	char **cells;
	struct grid_column {
		size_t width; /* in characters */
		bool right, hidden;
	} * columns;
};

static void add_cell(struct grid *grid, size_t at, char *text)
{
	struct grid_column *column = &grid->columns[at % grid->width];

	grid->cells[at] = text;
	if (tool_width(text) > column->width)
		column->width = tool_width(text);
}

static void add_row(struct grid *grid, const struct tool_column *columns, const void *row, size_t at)
{
	for (; columns->key; columns++) {
		struct tool_value value;

		if (!columns->heading)
			continue;
		value = column_value(columns, row);
		grid->columns[at % grid->width].right |= value.kind == TOOL_COUNT || value.kind == TOOL_BYTES;
		add_cell(grid, at++, value_shown(&value));
		value_free(&value);
	}
}

/* Whether all rows show the same in a column. */
static bool is_uniform(const struct grid *grid, size_t column)
{
	for (size_t row = 2; row < grid->rows; row++)
		if (strcmp(grid->cells[grid->width + column], grid->cells[row * grid->width + column]) != 0)
			return false;
	return true;
}

static struct grid grid_make(const struct tool_column *columns, const void *rows, size_t row_size, size_t count)
{
	struct grid grid = {.width = column_count(columns), .rows = count + 1};
	size_t at = 0;

	grid.cells = tool_alloc(grid.rows * grid.width * sizeof(*grid.cells));
	grid.columns = tool_alloc(grid.width * sizeof(*grid.columns));
	for (const struct tool_column *column = columns; column->key; column++)
		if (column->heading)
			add_cell(&grid, at++, tool_format("%s", column->heading));
	for (size_t i = 0; i < count; i++)
		add_row(&grid, columns, row_at(rows, row_size, i), (i + 1) * grid.width);
	at = 0;
	for (const struct tool_column *column = columns; column->key; column++)
		if (column->heading) {
			grid.columns[at].hidden = column->when == TOOL_WHEN_DIFFERS && is_uniform(&grid, at);
			at++;
		}
	return grid;
}

static void grid_free(struct grid *grid)
{
	for (size_t i = 0; i < grid->width * grid->rows; i++)
		free(grid->cells[i]);
	free(grid->cells);
	free(grid->columns);
}

static void grid_print(const struct grid *grid)
{
	for (size_t row = 0; row < grid->rows; row++) {
		size_t due = 0;

		for (size_t i = 0; i < grid->width; i++)
			if (!grid->columns[i].hidden)
				due = cell_print(grid->cells[row * grid->width + i], due, grid->columns[i].width,
						 grid->columns[i].right);
		putchar('\n');
	}
}

void tool_table_print(const struct tool_column *columns, const void *rows, size_t row_size, size_t count)
{
	struct grid grid;

	if (!count)
		return;
	grid = grid_make(columns, rows, row_size, count);
	grid_print(&grid);
	grid_free(&grid);
}

static void object_print(const struct tool_column *columns, const void *row, const char *end)
{
	if (ferror(stdout)) /* main says it at the end */
		return;
	put_row(columns, row);
	puts(end);
}

void tool_object_print(const struct tool_column *columns, const void *row)
{
	object_print(columns, row, "");
}

void tool_array_print(const struct tool_column *columns, const void *rows, size_t row_size, size_t count)
{
	puts("[");
	for (size_t i = 0; i < count; i++)
		object_print(columns, row_at(rows, row_size, i), i + 1 < count ? "," : "");
	puts("]");
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
