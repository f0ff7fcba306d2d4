/* SPDX-License-Identifier: MIT */
#include "config_text.h"
#include "output.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MARKS "._-@+"

struct span {
	const char *at;
	size_t size;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct span trim(struct span span)
{
	while (span.size > 0 && is_blank(*span.at)) {
		span.at++;
		span.size--;
	}
	while (span.size > 0 && is_blank(span.at[span.size - 1]))
		span.size--;
	return span;
}

static char *copy(struct span span)
{
	return tool_format("%.*s", (int)span.size, span.at);
}

static void add_line(struct config_lines *lines, enum config_kind kind, size_t number, char *name, char *text)
{
	lines->items = tool_realloc(lines->items, (lines->count + 1) * sizeof(*lines->items));
	lines->items[lines->count++] = (struct config_line){kind, number, name, text};
}

static void add_wrong(struct config_lines *lines, size_t number, char *text)
{
	add_line(lines, CONFIG_WRONG, number, NULL, text);
}

bool config_is_name(const char *name)
{
	tool_auto char *shown = tool_escape(name);

	for (const char *c = name; *c; c++)
		if ((unsigned char)*c < 0x80 && !isalnum((unsigned char)*c) && !strchr(NAME_MARKS, *c))
			return false;
	return *name && *name != '-' && *name != '.' && strlen(name) <= CONFIG_NAME_MAX && strcmp(name, shown) == 0;
}

/* The name after the word "source"; the span is empty if it is another word. */
static struct span after_source(struct span inner)
{
	static const char word[] = "source";
	size_t length = sizeof(word) - 1;

	if (inner.size <= length || strncmp(inner.at, word, length) != 0 || !is_blank(inner.at[length]))
		return (struct span){inner.at, 0};
	return trim((struct span){inner.at + length, inner.size - length});
}

/* "[home]" means "[source home]", and "[default]" "[defaults]". */
static char *unknown_section(struct span inner)
{
	tool_auto char *name = copy(inner);
	tool_auto char *shown = tool_escape(name);

	if (strcmp(name, "default") == 0 || strcmp(name, "Defaults") == 0)
		return tool_format("there is no section [%s]; did you mean [defaults]?", shown);
	if (config_is_name(name) && strcmp(name, "source") != 0)
		return tool_format("there is no section [%s]; did you mean [source %s]?", shown, shown);
	return tool_format("there is no section [%s]: it is [defaults] or [source NAME]", shown);
}

static void read_section(struct config_lines *lines, size_t number, struct span line)
{
	struct span inner = {line.at + 1, line.size - 1}, name;
	char *text;

	if (line.at[line.size - 1] != ']') {
		add_wrong(lines, number, tool_format("a line that begins with [ ends with ]"));
		return;
	}
	inner.size--;
	inner = trim(inner);
	name = after_source(inner);
	if (inner.size == strlen("defaults") && strncmp(inner.at, "defaults", inner.size) == 0) {
		add_line(lines, CONFIG_DEFAULTS, number, NULL, NULL);
	} else if (!name.size) {
		add_wrong(lines, number, unknown_section(inner));
	} else {
		text = copy(name);
		if (config_is_name(text)) {
			add_line(lines, CONFIG_SOURCE, number, text, NULL);
			return;
		}
		tool_auto char *shown = tool_escape(text);
		add_wrong(lines, number,
			  tool_format("'%s' cannot be the name of a source: that has letters, digits, and . _ - @ + "
				      "inside",
				      shown));
		free(text);
	}
}

static void read_value(struct config_lines *lines, size_t number, struct span line)
{
	const char *equals = memchr(line.at, '=', line.size);
	struct span key, value;

	if (!equals) {
		tool_auto char *word = copy(line);
		tool_auto char *shown = tool_escape(word);

		add_wrong(lines, number,
			  tool_format("'%s' has no =: write 'key = value', or # before a remark", shown));
		return;
	}
	key = trim((struct span){line.at, (size_t)(equals - line.at)});
	value = trim((struct span){equals + 1, (size_t)(line.at + line.size - equals - 1)});
	if (key.size)
		add_line(lines, CONFIG_VALUE, number, copy(key), copy(value));
	else
		add_wrong(lines, number, tool_format("a key is missing before the ="));
}

static void read_line(struct config_lines *lines, size_t number, struct span line)
{
	line = trim(line);
	if (line.size == 0 || *line.at == '#')
		return;
	if (memchr(line.at, '\0', line.size))
		add_wrong(lines, number, tool_format("it has a NUL character, so the file is no text"));
	else if (*line.at == '[')
		read_section(lines, number, line);
	else
		read_value(lines, number, line);
}

void config_lines_read(const char *text, size_t size, struct config_lines *ret_lines)
{
	static const char mark[] = "\xef\xbb\xbf"; /* of the byte order, which some editors write */
	const char *end = text + size, *at = text;
	struct config_lines lines = {0};

	if (size >= sizeof(mark) - 1 && memcmp(text, mark, sizeof(mark) - 1) == 0)
		at += sizeof(mark) - 1;
	for (size_t number = 1; at < end; number++) {
		const char *feed = memchr(at, '\n', (size_t)(end - at)), *stop = feed ? feed : end;

		read_line(&lines, number, (struct span){at, (size_t)(stop - at)});
		at = feed ? feed + 1 : end;
	}
	*ret_lines = lines;
}

void config_lines_free(struct config_lines *lines)
{
	for (size_t i = 0; i < lines->count; i++) {
		free(lines->items[i].name);
		free(lines->items[i].text);
	}
	free(lines->items);
	*lines = (struct config_lines){0};
}
