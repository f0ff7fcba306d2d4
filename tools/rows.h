/* SPDX-License-Identifier: MIT */
/* One specification of a row for both a table that people read and JSON. */
#ifndef TOOLS_ROWS_H
#define TOOLS_ROWS_H

#include <backuptool/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum tool_kind {
	TOOL_NOTHING, /* left out of JSON, empty in a table */
	TOOL_TEXT,    /* any bytes; NULL: nothing */
	TOOL_CHARS,   /* the same in an array, as a member only */
	TOOL_COUNT,
	TOOL_BYTES,  /* a number in JSON, with a unit in a table */
	TOOL_TIME,   /* UTC in JSON, local in a table */
	TOOL_FUTURE, /* a time that is not yet come: true in JSON, "in the future" in a table; else nothing. A member
			only */
	TOOL_TEXTS,  /* a list in JSON, with commas in a table */
	TOOL_FLAG,
	TOOL_SECONDS,
	TOOL_OWNED,	  /* text that the value owns: freed when it was shown */
	TOOL_OWNED_TEXTS, /* the same of a list and its texts */
	TOOL_ROWS,	  /* a list of objects in JSON, nothing in a table */
	TOOL_OBJECT,	  /* the first of rows as an object, nothing in a table */
};

enum tool_when {
	TOOL_ALWAYS,
	TOOL_WHEN_ANY,	   /* nothing if it is zero or empty */
	TOOL_WHEN_DIFFERS, /* a table has the column only if rows differ in it; JSON has it always */
};

/* What a table does with a column on a terminal that is too narrow; without a terminal all have their whole width. */
enum tool_fit {
	TOOL_FIT_STAYS,
	TOOL_FIT_NAME,	/* of a snapshot: on a terminal always short, 2026-11-28T16-13-54Z */
	TOOL_FIT_LAST,	/* left out as a last resort; of a time also where the names say the same */
	TOOL_FIT_BELOW, /* put below its row */
	TOOL_FIT_CUTS,	/* shortened in the middle */
	TOOL_FIT_GOES,	/* left out, the last one first */
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

/* What a row has under a key: what get gives, or without it a member of the row. Numbers are aligned to the right. */
struct tool_column {
	const char *key;     /* in JSON; NULL ends the list */
	const char *heading; /* in the table; NULL: only in JSON */
	struct tool_value (*get)(const void *row);
	enum tool_kind kind;
	enum tool_when when;
	uint8_t width; /* of the member */
	size_t via;    /* offset of the pointer to the struct that has the member, plus 1; 0: the row has it */
	size_t offset; /* of the member */
	enum tool_fit fit;
};

/* The end of a column, as in {"files", "FILES", TOOL_MEMBER(TOOL_COUNT, struct row, files)}; what becomes of it in a
 * narrow table may follow. VIA: the row has a pointer to the struct with the member; if that is NULL, there is nothing.
 */
#define TOOL_GET(getter)			  (getter), TOOL_NOTHING, TOOL_ALWAYS, 0, 0, .offset = 0
#define TOOL_COLUMN_END(kind, when, type, member) NULL, (kind), (when), sizeof(((type *)0)->member)
#define TOOL_MEMBER_WHEN(when, kind, type, member)                                                                     \
	TOOL_COLUMN_END(kind, when, type, member), 0, .offset = offsetof(type, member)
#define TOOL_MEMBER(kind, type, member)	    TOOL_MEMBER_WHEN(TOOL_ALWAYS, kind, type, member)
#define TOOL_IF_ANY(kind, type, member)	    TOOL_MEMBER_WHEN(TOOL_WHEN_ANY, kind, type, member)
#define TOOL_IF_DIFFERS(kind, type, member) TOOL_MEMBER_WHEN(TOOL_WHEN_DIFFERS, kind, type, member)
#define TOOL_VIA_END(type, pointer, member)                                                                            \
	1 + offsetof(type, pointer), .offset = offsetof(__typeof__(*((type *)0)->pointer), member)
#define TOOL_VIA_WHEN(when, kind, type, pointer, member)                                                               \
	TOOL_COLUMN_END(kind, when, type, pointer->member), TOOL_VIA_END(type, pointer, member)
#define TOOL_VIA(kind, type, pointer, member)		 TOOL_VIA_WHEN(TOOL_ALWAYS, kind, type, pointer, member)
#define TOOL_VIA_IF_ANY(kind, type, pointer, member)	 TOOL_VIA_WHEN(TOOL_WHEN_ANY, kind, type, pointer, member)
#define TOOL_VIA_IF_DIFFERS(kind, type, pointer, member) TOOL_VIA_WHEN(TOOL_WHEN_DIFFERS, kind, type, pointer, member)

/* Defines the getter get_NAME of rows of a type: value is an expression over `self`. */
#define TOOL_GETTER(type, name, wanted, member, value)                                                                 \
	static struct tool_value get_##name(const void *row)                                                           \
	{                                                                                                              \
		const type *self = row;                                                                                \
                                                                                                                       \
		return (struct tool_value){.kind = (wanted), .member = (value)};                                       \
	}

/* For those that print: what a row has in a column, to be freed. */
struct tool_value tool_column_value(const struct tool_column *column, const void *row);
void tool_value_free(struct tool_value *value);
char *tool_value_shown(const struct tool_value *value); /* to a person; allocated */

/* rows holds count structs of row_size bytes. Only a table that has rows has headings. */
void tool_table_print(const struct tool_column *columns, const void *rows, size_t row_size, size_t count);
/* JSON, one row a line. */
void tool_array_print(const struct tool_column *columns, const void *rows, size_t row_size, size_t count);
void tool_object_print(const struct tool_column *columns, const void *row);
void tool_object_write(FILE *out, const struct tool_column *columns, const void *row); /* to another stream */
/* Whether any JSON was printed. */
bool tool_json_begun(void);

/* JSON: one object with lists that are printed while they grow, one after the other. */
struct tool_lists {
	const char *const *names; /* ends with NULL */
	size_t at;		  /* the list that is being printed */
	bool any;		  /* of it */
};
void tool_lists_begin(struct tool_lists *lists, const char *const *names);
/* Lists before this one get no more elements. */
void tool_lists_add(struct tool_lists *lists, size_t list, const struct tool_column *columns, const void *row);
/* Ends the object with the members of a row. */
void tool_lists_end(struct tool_lists *lists, const struct tool_column *columns, const void *row);

/* A path in a list: a line for people, or with nul the bytes and a NUL for programs. */
void tool_path_print(const char *path, bool nul);

#endif
