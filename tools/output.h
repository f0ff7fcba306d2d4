/* SPDX-License-Identifier: MIT */
/* How values look to a person. Results are allocated; out of memory ends the program with a sentence. */
#ifndef TOOLS_OUTPUT_H
#define TOOLS_OUTPUT_H

#include <backuptool/types.h>
#include <stdarg.h>
#include <stdbool.h>

/* Declares pointers to what was allocated, which is freed where they go out of scope: tool_auto char *shown = …; */
#define tool_auto __attribute__((cleanup(tool_auto_free)))
void tool_auto_free(void *variable);

void *tool_alloc(size_t size); /* zeroed */
void *tool_realloc(void *data, size_t size);
char *tool_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Adds to a text that was allocated; NULL is an empty one. */
void tool_append(char **text, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *tool_vformat(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));

/* Control characters, characters that reorder or hide text, and bytes that are not UTF-8 as \xNN; a backslash as
 * two. bt_error_text does the same. */
char *tool_escape(const char *text);
char *tool_escape_first(const char *text); /* the same for its first character alone */
/* Columns that an escaped text takes on a terminal. */
size_t tool_width(const char *text);
/* The longest end of an escaped text that fits into this number of columns; if that is not all of the text, one column
 * is left for a mark. */
const char *tool_end_of(const char *text, size_t columns);
/* An escaped text, shortened in the middle to this number of columns; allocated. */
char *tool_cut(const char *text, size_t columns);
bool tool_is_utf8(const char *text);
/* How many characters follow that need no escape anywhere: nearly all of nearly all names. */
size_t tool_plain_length(const char *text);

char *tool_bytes(uint64_t bytes);				     /* "0 B", "1023 B", "1.0 KiB", "12.3 GiB" */
char *tool_count(uint64_t count, const char *one, const char *many); /* "1 file", "2 files" */
char *tool_local_time(struct bt_time time);			     /* "2026-11-22 11:30:00 CET" */
char *tool_short_time(struct bt_time time);			     /* "2026-11-22 11:30:00", local */
char *tool_utc_time(struct bt_time time);			     /* "2026-11-22T10:30:00.123456789Z" */
char *tool_elapsed(double seconds);				     /* "0.04 s", "12 s", "3 min 20 s", "2 h 5 min" */
char *tool_base64(const char *text);

double tool_clock(void); /* monotonic seconds */

#endif
