/* SPDX-License-Identifier: MIT */
#include "output.h"
#include "rows.h"
#include <internal/text.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define EXACT_IN_JSON (UINT64_C(1) << 53) /* larger numbers are written as strings */

/* There is one standard output. */
static bool begun;

static void put_unit(FILE *out, uint32_t unit)
{
	fprintf(out, "\\u%04" PRIx32, unit);
}

/* One that means more than it shows stands as an escape, which means the same. */
static void put_character(FILE *out, const char *text, size_t length, uint32_t character)
{
	static const char marks[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	const char *mark = character < 0x80 ? strchr(marks, (int)character) : NULL;

	if (mark) {
		fprintf(out, "\\%c", letters[mark - marks]);
	} else if (!bt_is_deceptive(character)) {
		fwrite(text, 1, length, out);
	} else if (character < 0x10000) {
		put_unit(out, character);
	} else {
		put_unit(out, 0xd800 + ((character - 0x10000) >> 10));
		put_unit(out, 0xdc00 + (character & 0x3ff));
	}
}

/* Of UTF-8. */
static void put_string(FILE *out, const char *text)
{
	uint32_t character = 0;

	putc('"', out);
	for (size_t length; *text; text += length) {
		length = tool_plain_length(text);
		if (length > 0) {
			fwrite(text, 1, length, out);
			continue;
		}
		length = bt_utf8_next(text, strnlen(text, 4), &character);
		put_character(out, text, length, character);
	}
	putc('"', out);
}

static void put_base64(FILE *out, const char *text)
{
	tool_auto char *encoded = tool_base64(text);

	fprintf(out, "\"%s\"", encoded);
}

/* What is not UTF-8 is an object. */
static void put_texts(FILE *out, const struct tool_value *value)
{
	putc('[', out);
	for (size_t i = 0; i < value->texts.count; i++) {
		const char *text = value->texts.items[i];

		if (i)
			putc(',', out);
		if (tool_is_utf8(text)) {
			put_string(out, text);
			continue;
		}
		fputs("{\"b64\":", out);
		put_base64(out, text);
		putc('}', out);
	}
	putc(']', out);
}

static void put_row(FILE *out, const struct tool_column *columns, const void *row);

static void put_rows(FILE *out, const struct tool_value *value)
{
	putc('[', out);
	for (size_t i = 0; i < value->rows.count; i++) {
		if (i)
			putc(',', out);
		put_row(out, value->rows.columns, (const char *)value->rows.items + i * value->rows.size);
	}
	putc(']', out);
}

static void put_time(FILE *out, struct bt_time time)
{
	tool_auto char *text = tool_utc_time(time);

	put_string(out, text);
}

static void put_value(FILE *out, const struct tool_value *value)
{
	switch (value->kind) {
	case TOOL_NOTHING:
	case TOOL_CHARS:
		break;
	case TOOL_TEXT:
	case TOOL_OWNED:
		put_string(out, value->text);
		break;
	case TOOL_COUNT:
	case TOOL_BYTES:
		fprintf(out, value->number < EXACT_IN_JSON ? "%" PRIu64 : "\"%" PRIu64 "\"", value->number);
		break;
	case TOOL_TIME:
		put_time(out, value->time);
		break;
	case TOOL_TEXTS:
	case TOOL_OWNED_TEXTS:
		put_texts(out, value);
		break;
	case TOOL_FUTURE:
	case TOOL_FLAG:
		fputs(value->kind == TOOL_FUTURE || value->flag ? "true" : "false", out);
		break;
	case TOOL_SECONDS:
		fprintf(out, "%.15g", (double)(uint64_t)(value->seconds * 1000 + 0.5) / 1000);
		break;
	case TOOL_ROWS:
		put_rows(out, value);
		break;
	case TOOL_OBJECT:
		put_row(out, value->rows.columns, value->rows.items);
		break;
	}
}

/* As in a store file: bytes that are not UTF-8 stand under "key_b64". before: what goes before the first member. Gives
 * what would go before the next. */
static const char *put_members(FILE *out, const struct tool_column *columns, const void *row, const char *before)
{
	for (; columns->key; columns++) {
		struct tool_value value = tool_column_value(columns, row);
		bool text = value.kind == TOOL_TEXT || value.kind == TOOL_OWNED,
		     bytes = text && !tool_is_utf8(value.text);

		if (value.kind == TOOL_NOTHING)
			continue;
		fprintf(out, "%s\"%s%s\":", before, columns->key, bytes ? "_b64" : "");
		if (bytes)
			put_base64(out, value.text);
		else
			put_value(out, &value);
		tool_value_free(&value);
		before = ",";
	}
	return before;
}

static void put_row(FILE *out, const struct tool_column *columns, const void *row)
{
	fputs(*put_members(out, columns, row, "{") == '{' ? "{}" : "}", out);
}

void tool_object_write(FILE *out, const struct tool_column *columns, const void *row)
{
	put_row(out, columns, row);
	putc('\n', out);
}

static void object_print(const struct tool_column *columns, const void *row, const char *end)
{
	if (ferror(stdout)) /* main says it at the end */
		return;
	begun = true;
	put_row(stdout, columns, row);
	puts(end);
}

void tool_object_print(const struct tool_column *columns, const void *row)
{
	object_print(columns, row, "");
}

void tool_array_print(const struct tool_column *columns, const void *rows, size_t row_size, size_t count)
{
	begun = true;
	puts("[");
	for (size_t i = 0; i < count; i++)
		object_print(columns, (const char *)rows + i * row_size, i + 1 < count ? "," : "");
	puts("]");
}

bool tool_json_begun(void)
{
	return begun;
}

void tool_lists_begin(struct tool_lists *lists, const char *const *names)
{
	*lists = (struct tool_lists){.names = names};
	begun = true;
	printf("{\"%s\":[\n", *names);
}

/* All lists before this one. */
static void end_lists(struct tool_lists *lists, size_t list)
{
	for (; lists->at < list; lists->at++) {
		printf("],\n\"%s\":[\n", lists->names[lists->at + 1]);
		lists->any = false;
	}
}

void tool_lists_add(struct tool_lists *lists, size_t list, const struct tool_column *columns, const void *row)
{
	end_lists(lists, list);
	if (lists->any)
		puts(",");
	lists->any = true;
	tool_object_print(columns, row);
}

void tool_lists_end(struct tool_lists *lists, const struct tool_column *columns, const void *row)
{
	size_t last = 0;

	while (lists->names[last + 1])
		last++;
	end_lists(lists, last);
	puts("]");
	put_members(stdout, columns, row, ",");
	puts("}");
}
