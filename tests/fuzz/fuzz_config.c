/* SPDX-License-Identifier: MIT */
/* The text of a configuration. What is read of it, written anew, says the same again. */
#include "config_text.h"
#include "fuzz.h"
#include <stdio.h>
#include <string.h>

static bool is_trimmed(const char *text)
{
	size_t length = strlen(text);

	return !strchr(text, '\n') &&
	       (length == 0 || (!strchr(" \t\r", text[0]) && !strchr(" \t\r", text[length - 1])));
}

static void check_line(const struct config_line *line)
{
	switch (line->kind) {
	case CONFIG_DEFAULTS:
		FUZZ_CHECK(!line->name && !line->text);
		break;
	case CONFIG_SOURCE:
		FUZZ_CHECK(config_is_name(line->name) && !line->text);
		break;
	case CONFIG_VALUE:
		FUZZ_CHECK(*line->name && is_trimmed(line->name) && is_trimmed(line->text));
		FUZZ_CHECK(!strchr("#[", *line->name) && !strchr(line->name, '='));
		break;
	case CONFIG_WRONG:
		FUZZ_CHECK(!line->name && *line->text && !strchr(line->text, '\n'));
		break;
	}
}

static void write_line(FILE *out, const struct config_line *line)
{
	if (line->kind == CONFIG_DEFAULTS)
		fputs("[defaults]\n", out);
	if (line->kind == CONFIG_SOURCE)
		fprintf(out, "[source %s]\n", line->name);
	if (line->kind == CONFIG_VALUE)
		fprintf(out, "%s = %s\n", line->name, line->text);
}

static bool is_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static void check_again(const struct config_lines *lines, const char *text, size_t size)
{
	struct config_lines again;
	size_t at = 0;

	config_lines_read(text, size, &again);
	for (size_t i = 0; i < lines->count; i++) {
		const struct config_line *line = &lines->items[i];

		if (line->kind == CONFIG_WRONG)
			continue;
		FUZZ_CHECK(at < again.count && again.items[at].kind == line->kind);
		FUZZ_CHECK(is_same(again.items[at].name, line->name) && is_same(again.items[at].text, line->text));
		at++;
	}
	FUZZ_CHECK(at == again.count);
	config_lines_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_lines lines;
	char *text = NULL;
	size_t length = 0, last = 0;
	FILE *out = open_memstream(&text, &length);

	FUZZ_CHECK(out);
	config_lines_read((const char *)data, size, &lines);
	fputs("#\n", out); /* a mark of the byte order counts only before the first line */
	for (size_t i = 0; i < lines.count; i++) {
		FUZZ_CHECK(lines.items[i].number > last);
		last = lines.items[i].number;
		check_line(&lines.items[i]);
		write_line(out, &lines.items[i]);
	}
	fclose(out);
	check_again(&lines, text, length);
	config_lines_free(&lines);
	free(text);
	return 0;
}
