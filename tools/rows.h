/* SPDX-License-Identifier: MIT */
/* One specification of a row for both a table that people read and JSON. */
#ifndef TOOLS_ROWS_H
#define TOOLS_ROWS_H

#include <backuptool/types.h>
#include <stdbool.h>

enum tool_kind {
	TOOL_NOTHING, /* left out of JSON, empty in a table */
	TOOL_TEXT,    /* any bytes */
	TOOL_COUNT,
	TOOL_BYTES, /* a number in JSON, with a unit in a table */
	TOOL_TIME,  /* UTC in JSON, local in a table */
	TOOL_TEXTS, /* a list in JSON, with commas in a table */
	TOOL_FLAG,
	TOOL_SECONDS,
	TOOL_OWNED,	  /* text that the value owns: freed when it was shown */
	TOOL_OWNED_TEXTS, /* the same of a list and its texts */
	TOOL_ROWS,	  /* a list of objects in JSON, nothing in a table */
};

struct tool_column;
struct tool_value {
	enum tool_kind kind;
	union {
		const char *text;
		char *owned;
		uint64_t number;
		struct bt_time time;
		bool flag;
		double seconds;
		struct {
			const char *const *items;
			size_t count;
		} texts;
		struct {
			const struct tool_column *columns;
			const void *items;
			size_t size, count;
		} rows;
	};
};

struct tool_column {
	const char *key;     /* in JSON; NULL ends the list */
	const char *heading; /* in the table; NULL: only in JSON */
	bool right;	     /* aligned to the right */
	struct tool_value (*get)(const void *row);
};

/* Defines the getter get_NAME of rows of a type: value is an expression over `self`. */
#define TOOL_GETTER(type, name, wanted, member, value)                                                                 \
	static struct tool_value get_##name(const void *row)                                                           \
	{                                                                                                              \
		const type *self = row;                                                                                \
                                                                                                                       \
		return (struct tool_value){.kind = (wanted), .member = (value)};                                       \
	}

/* Of a snapshot's time: true in JSON and "in the future" in a table if it is; else nothing. */
struct tool_value tool_future(struct bt_time time);
struct tool_value tool_future_mark(struct bt_time time);

/* rows holds count structs of row_size bytes. Only a table that has rows has headings. */
void tool_table_print(const struct tool_column *columns, const void *rows, size_t row_size, size_t count);
/* JSON, one row a line. */
void tool_array_print(const struct tool_column *columns, const void *rows, size_t row_size, size_t count);
void tool_object_print(const struct tool_column *columns, const void *row);
/* A path in a list: a line for people, or with nul the bytes and a NUL for programs. */
void tool_path_print(const char *path, bool nul);

#endif
