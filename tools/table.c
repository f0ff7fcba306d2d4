/* SPDX-License-Identifier: MIT */
#include "output.h"
#include "place.h"
#include "rows.h"
#include "terminal.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NARROW	  60 /* columns of a terminal in which a row has few */
#define READABLE  20 /* of a text that was shortened */
#define SHORTEST  8  /* likewise, where nothing else helps */
#define INDENTION 4  /* of what stands below its row */

/* What a table shows: cells of headings and rows, one row after the other. */
struct grid {
	size_t width, rows; /* in cells; the headings are a row */
	size_t limit;	    /* in characters; 0: there is none */
	char **cells;
	struct grid_column {
		size_t width; /* in characters */
		enum tool_fit fit;
		bool right, hidden, below;
	} * columns;
};

static size_t column_count(const struct tool_column *columns)
{
	size_t count = 0;

	for (; columns->key; columns++)
		count += !!columns->heading;
	return count;
}

static void add_cell(struct grid *grid, size_t at, char *text)
{
	struct grid_column *column = &grid->columns[at % grid->width];

	grid->cells[at] = text;
	if (tool_width(text) > column->width)
		column->width = tool_width(text);
}

static char *cell_text(const struct grid *grid, const struct tool_column *column, const struct tool_value *value)
{
	if (grid->limit && value->kind == TOOL_TIME)
		return tool_short_time(value->time);
	if (!grid->limit || column->fit != TOOL_FIT_NAME || value->kind != TOOL_TEXT)
		return tool_value_shown(value);
	tool_auto char *name = tool_place_name(value->text);
	char *shown = tool_escape(name);
	return shown;
}

static void add_row(struct grid *grid, const struct tool_column *columns, const void *row, size_t at)
{
	for (; columns->key; columns++) {
		struct tool_value value;

		if (!columns->heading)
			continue;
		value = tool_column_value(columns, row);
		grid->columns[at % grid->width].right |= value.kind == TOOL_COUNT || value.kind == TOOL_BYTES;
		add_cell(grid, at++, cell_text(grid, columns, &value));
		tool_value_free(&value);
	}
}

static const char *cell(const struct grid *grid, size_t row, size_t column)
{
	return grid->cells[row * grid->width + column];
}

/* Whether all rows show the same in a column. */
static bool is_uniform(const struct grid *grid, size_t column)
{
	for (size_t row = 2; row < grid->rows; row++)
		if (strcmp(cell(grid, 1, column), cell(grid, row, column)) != 0)
			return false;
	return true;
}

static void add_headings(struct grid *grid, const struct tool_column *columns)
{
	size_t at = 0;

	for (; columns->key; columns++) {
		if (!columns->heading)
			continue;
		grid->columns[at].fit = columns->fit;
		add_cell(grid, at++, tool_format("%s", columns->heading));
	}
}

static void hide_uniform(struct grid *grid, const struct tool_column *columns)
{
	size_t at = 0;

	for (; columns->key; columns++) {
		if (!columns->heading)
			continue;
		grid->columns[at].hidden = columns->when == TOOL_WHEN_DIFFERS && is_uniform(grid, at);
		at++;
	}
}

static struct grid grid_make(const struct tool_column *columns, const void *rows, size_t row_size, size_t count)
{
	struct grid grid = {
		.width = column_count(columns), .rows = count + 1, .limit = tool_terminal_columns(STDOUT_FILENO)};

	grid.cells = tool_alloc(grid.rows * grid.width * sizeof(*grid.cells));
	grid.columns = tool_alloc(grid.width * sizeof(*grid.columns));
	add_headings(&grid, columns);
	for (size_t i = 0; i < count; i++)
		add_row(&grid, columns, (const char *)rows + row_size * i, (i + 1) * grid.width);
	hide_uniform(&grid, columns);
	return grid;
}

static void grid_free(struct grid *grid)
{
	for (size_t i = 0; i < grid->width * grid->rows; i++)
		free(grid->cells[i]);
	free(grid->cells);
	free(grid->columns);
}

/* --- fitting --- */

/* Whether two texts have the same digits, up to the end of the one that has fewer. */
static bool has_same_digits(const char *name, const char *time)
{
	for (; *time; time++) {
		if (!isdigit((unsigned char)*time))
			continue;
		while (*name && !isdigit((unsigned char)*name))
			name++;
		if (*name++ != *time)
			return false;
	}
	return true;
}

/* Hides the time where the names tell it: then it is UTC here. */
static void hide_time(struct grid *grid, size_t name, size_t time)
{
	bool told = true;

	for (size_t row = 1; row < grid->rows && told; row++)
		told = has_same_digits(cell(grid, row, name), cell(grid, row, time));
	grid->columns[time].hidden |= told;
}

static void hide_told_time(struct grid *grid)
{
	size_t name = grid->width;

	for (size_t i = 0; i < grid->width; i++)
		if (grid->columns[i].fit == TOOL_FIT_NAME)
			name = i;
		else if (grid->columns[i].fit == TOOL_FIT_LAST && name < grid->width)
			hide_time(grid, name, i);
}

static bool is_inline(const struct grid_column *column)
{
	return !column->hidden && !column->below;
}

/* By how many characters the rows are too wide; 0: they fit. */
static size_t excess(const struct grid *grid)
{
	size_t width = 0;

	for (size_t i = 0; i < grid->width; i++)
		if (is_inline(&grid->columns[i]))
			width += grid->columns[i].width + 2;
	return width > grid->limit + 2 ? width - grid->limit - 2 : 0;
}

static void put_below(struct grid *grid, enum tool_fit fit)
{
	for (size_t i = grid->width; i-- > 0 && excess(grid);)
		grid->columns[i].below |= grid->columns[i].fit == fit;
}

static void hide(struct grid *grid, enum tool_fit fit)
{
	for (size_t i = grid->width; i-- > 0 && excess(grid);)
		grid->columns[i].hidden |= grid->columns[i].fit == fit;
}

/* Takes from the widest of the texts until all fit, or each has the least width. */
static void shorten(struct grid *grid, size_t least)
{
	struct grid_column *widest;

	do {
		widest = NULL;
		for (size_t i = 0; i < grid->width; i++) {
			struct grid_column *column = &grid->columns[i];

			if (column->fit == TOOL_FIT_CUTS && is_inline(column) && column->width > least &&
			    (!widest || column->width > widest->width))
				widest = column;
		}
		if (widest && excess(grid))
			widest->width--;
	} while (widest && excess(grid));
}

static void fit(struct grid *grid)
{
	for (size_t i = 0; i < grid->width; i++)
		grid->columns[i].hidden |= !grid->columns[i].width;
	hide_told_time(grid);
	put_below(grid, TOOL_FIT_BELOW);
	if (grid->limit < NARROW) {
		hide(grid, TOOL_FIT_GOES);
		hide(grid, TOOL_FIT_LAST);
	}
	shorten(grid, READABLE);
	hide(grid, TOOL_FIT_GOES);
	shorten(grid, SHORTEST);
	hide(grid, TOOL_FIT_LAST);
	put_below(grid, TOOL_FIT_CUTS);
}

/* --- printing --- */

/* Prints the blanks that are due and a cell, and returns the blanks due before the next one: so no line ends with
 * blanks. */
static size_t cell_print(const char *text, size_t due, const struct grid_column *column)
{
	tool_auto char *shown = tool_cut(text, column->width);
	size_t width = tool_width(shown), gap = column->width > width ? column->width - width : 0;

	if (!*text)
		return due + column->width + 2;
	printf("%*s%s", (int)(due + (column->right ? gap : 0)), "", shown);
	return (column->right ? 0 : gap) + 2;
}

static void print_below(const struct grid *grid, size_t row)
{
	size_t used = 0;

	for (size_t i = 0; i < grid->width; i++) {
		const struct grid_column *column = &grid->columns[i];
		const char *text = cell(grid, row, i);
		size_t due = used ? 2 : INDENTION, least = used + due + SHORTEST;

		if (!column->below || column->hidden || !*text)
			continue;
		tool_auto char *shown =
			column->fit == TOOL_FIT_CUTS
				? tool_cut(text, (grid->limit > least ? grid->limit : least) - used - due)
				: tool_format("%s", text);
		printf("%*s%s", (int)due, "", shown);
		used += due + tool_width(shown);
	}
	if (used)
		putchar('\n');
}

static void grid_print(const struct grid *grid)
{
	for (size_t row = 0; row < grid->rows; row++) {
		size_t due = 0;

		for (size_t i = 0; i < grid->width; i++)
			if (!grid->columns[i].hidden && !grid->columns[i].below)
				due = cell_print(cell(grid, row, i), due, &grid->columns[i]);
		putchar('\n');
		if (row > 0)
			print_below(grid, row);
	}
}

void tool_table_print(const struct tool_column *columns, const void *rows, size_t row_size, size_t count)
{
	struct grid grid;

	if (!count)
		return;
	grid = grid_make(columns, rows, row_size, count);
	if (grid.limit)
		fit(&grid);
	grid_print(&grid);
	grid_free(&grid);
}
