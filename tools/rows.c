/* SPDX-License-Identifier: MIT */
#include "rows.h"
#include "output.h"
#include <internal/policy.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

static char *value_shown(const struct tool_value *value)
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
		any = bt_is_future(value.time.seconds, time(NULL));
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
		value = tool_column_value(columns, row);
		grid->columns[at % grid->width].right |= value.kind == TOOL_COUNT || value.kind == TOOL_BYTES;
		add_cell(grid, at++, value_shown(&value));
		tool_value_free(&value);
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
		add_row(&grid, columns, (const char *)rows + i * row_size, (i + 1) * grid.width);
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
