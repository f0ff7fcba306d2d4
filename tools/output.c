/* SPDX-License-Identifier: MIT */
#include "output.h"
#include "tool.h"
#include <internal/text.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>
#include <wctype.h>

static void *must(void *data)
{
	if (data)
		return data;
	fputs("backuptool: out of memory\n", stderr);
	exit(TOOL_FATAL);
}

void tool_auto_free(void *variable)
{
	free(*(void **)variable);
}

void *tool_alloc(size_t size)
{
	return must(calloc(1, size));
}

void *tool_realloc(void *data, size_t size)
{
	return must(realloc(data, size));
}

char *tool_vformat(const char *format, va_list arguments)
{
	char *text = NULL;

	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	return must(text);
}

char *tool_format(const char *format, ...)
{
	char *text;
	va_list arguments;

	va_start(arguments, format);
	text = tool_vformat(format, arguments);
	va_end(arguments);
	return text;
}

void tool_append(char **text, const char *format, ...)
{
	size_t length = *text ? strlen(*text) : 0;
	tool_auto char *more = NULL;
	va_list arguments;

	va_start(arguments, format);
	more = tool_vformat(format, arguments);
	va_end(arguments);
	*text = tool_realloc(*text, length + strlen(more) + 1);
	memcpy(*text + length, more, strlen(more) + 1);
}

/* Length of the character at text and its value; 0 for bytes that are not UTF-8. */
static size_t character(const char *text, size_t left, wchar_t *ret_value)
{
	mbstate_t state = {0};
	size_t length = mbrtowc(ret_value, text, left, &state);

	return length > left ? 0 : length;
}

static bool misleading(wchar_t value)
{
	return !iswprint((wint_t)value) || bt_is_deceptive((uint32_t)value);
}

static void escape_one(FILE *out, const char *text, size_t length, wchar_t value)
{
	if (length == 1 && value == '\\')
		fputs("\\\\", out);
	else if (length > 0 && !misleading(value))
		fwrite(text, 1, length, out);
	else
		for (size_t i = 0; i < (length ? length : 1); i++)
			fprintf(out, "\\x%02x", (unsigned char)text[i]);
}

size_t tool_plain_length(const char *text)
{
	size_t length = 0;

	while (text[length] >= ' ' && text[length] <= '~' && text[length] != '\\' && text[length] != '"')
		length++;
	return length;
}

char *tool_escape(const char *text)
{
	char *escaped = NULL;
	size_t size = 0, left = strlen(text);

	if (tool_plain_length(text) == left)
		return must(strdup(text));
	FILE *out = must(open_memstream(&escaped, &size));

	while (left > 0) {
		wchar_t value = 0;
		size_t length = tool_plain_length(text);

		if (length > 0) {
			fwrite(text, 1, length, out);
			text += length;
			left -= length;
			continue;
		}
		length = character(text, left, &value);
		escape_one(out, text, length, value);
		text += length ? length : 1;
		left -= length ? length : 1;
	}
	if (fclose(out) != 0)
		must(NULL);
	return must(escaped);
}

char *tool_escape_first(const char *text)
{
	wchar_t value = 0;
	size_t length = character(text, strlen(text), &value);
	tool_auto char *first = tool_format("%.*s", length ? (int)length : *text != 0, text);
	char *shown = tool_escape(first);

	return shown;
}

size_t tool_width(const char *text)
{
	size_t width = 0, left = strlen(text);

	while (left > 0) {
		wchar_t value = 0;
		size_t length = character(text, left, &value);
		int columns = length ? wcwidth(value) : 1;

		width += columns < 0 ? 1 : (size_t)columns;
		text += length ? length : 1;
		left -= length ? length : 1;
	}
	return width;
}

const char *tool_end_of(const char *text, size_t columns)
{
	size_t width = tool_width(text), left = strlen(text);

	if (width <= columns)
		return text;
	while (left > 0 && width + 1 > columns) {
		wchar_t value = 0;
		size_t length = character(text, left, &value), step = length ? length : 1;
		int wide = length ? wcwidth(value) : 1;

		width -= wide < 0 ? 1 : (size_t)wide;
		text += step;
		left -= step;
	}
	return text;
}

/* Bytes of the longest beginning that fits. */
static size_t beginning(const char *text, size_t columns)
{
	size_t length = 0;
	wchar_t value = 0;

	for (size_t width = 0; text[length];) {
		size_t step = character(text + length, strlen(text + length), &value);
		int wide = step ? wcwidth(value) : 1;

		width += wide < 0 ? 1 : (size_t)wide;
		if (width > columns)
			break;
		length += step ? step : 1;
	}
	return length;
}

char *tool_cut(const char *text, size_t columns)
{
	size_t head = columns / 3;

	if (tool_width(text) <= columns)
		return tool_format("%s", text);
	return tool_format("%.*s…%s", (int)beginning(text, head), text, tool_end_of(text, columns - head));
}

bool tool_is_utf8(const char *text)
{
	return bt_utf8_valid(text, strlen(text));
}

char *tool_bytes(uint64_t bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double value = (double)bytes / 1024;
	size_t unit = 0;

	if (bytes < 1024)
		return tool_format("%" PRIu64 " B", bytes);
	/* 1023.95 would be shown as 1024.0. */
	while (value >= 1023.95) {
		value /= 1024;
		unit++;
	}
	return tool_format("%.1f %s", value, units[unit]);
}

char *tool_count(uint64_t count, const char *one, const char *many)
{
	return tool_format("%" PRIu64 " %s", count, count == 1 ? one : many);
}

char *tool_local_time(struct bt_time time)
{
	time_t seconds = (time_t)time.seconds;
	struct tm parts;
	char text[80];

	if (!localtime_r(&seconds, &parts) || strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %Z", &parts) == 0)
		return tool_format("@%" PRId64, time.seconds);
	return tool_format("%s", text);
}

char *tool_short_time(struct bt_time time)
{
	char *text = tool_local_time(time), *blank = strrchr(text, ' ');

	if (blank && blank != strchr(text, ' '))
		*blank = '\0'; /* the zone is the same in all lines but for summer */
	return text;
}

char *tool_utc_time(struct bt_time time)
{
	time_t seconds = (time_t)time.seconds;
	struct tm parts;
	char text[80];

	if (!gmtime_r(&seconds, &parts) || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts) == 0)
		return tool_format("@%" PRId64, time.seconds);
	return tool_format("%s.%09" PRIu32 "Z", text, time.nanoseconds);
}

char *tool_elapsed(double seconds)
{
	uint64_t whole = (uint64_t)(seconds + 0.5);

	if (seconds < 9.95)
		return tool_format("%.2f s", seconds);
	if (whole < 60)
		return tool_format("%" PRIu64 " s", whole);
	if (whole < 3600)
		return tool_format("%" PRIu64 " min %" PRIu64 " s", whole / 60, whole % 60);
	return tool_format("%" PRIu64 " h %" PRIu64 " min", whole / 3600, whole / 60 % 60);
}

char *tool_base64(const char *text)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t length = strlen(text), at = 0;
	char *encoded = tool_alloc(length / 3 * 4 + 5);

	for (size_t i = 0; i < length; i += 3) {
		size_t given = length - i < 3 ? length - i : 3;
		uint32_t group = 0;

		for (size_t j = 0; j < 3; j++)
			group = group << 8 | (j < given ? (unsigned char)text[i + j] : 0u);
		for (size_t j = 0; j < 4; j++)
			encoded[at++] = j <= given ? alphabet[group >> (18 - 6 * j) & 63] : '=';
	}
	return encoded;
}

double tool_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}
