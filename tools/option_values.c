/* SPDX-License-Identifier: MIT */
/* What options are set to, and lists of texts. */
#include "options.h"
#include "output.h"
#include <errno.h>
#include <internal/policy.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void tool_texts_add(struct tool_texts *texts, const char *text)
{
	texts->items = tool_realloc(texts->items, (texts->count + 1) * sizeof(*texts->items));
	texts->items[texts->count++] = text;
}

void tool_texts_free(struct tool_texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		free((char *)(uintptr_t)texts->items[i]);
	free(texts->items);
	*texts = (struct tool_texts){0};
}

bool tool_option_repeats(const struct tool_option *option)
{
	return option->set == tool_add_text || option->set == tool_add_tag || option->set == tool_add_patterns;
}

void tool_options_free(const struct tool_option *options, void *target)
{
	for (; options->name; options++) {
		struct tool_texts *texts = (void *)((char *)target + options->field);

		if (!tool_option_repeats(options))
			continue;
		free(texts->items);
		*texts = (struct tool_texts){0};
	}
}

const char *tool_set_true(void *field, const char *text)
{
	*(bool *)field = true;
	return NULL;
}

const char *tool_count_up(void *field, const char *text)
{
	++*(unsigned *)field;
	return NULL;
}

const char *tool_set_count(void *field, const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '1' || *text > '9' || *end || value > UINT_MAX)
		return "a whole number above 0";
	*(unsigned *)field = (unsigned)value;
	return NULL;
}

const char *tool_set_text(void *field, const char *text)
{
	if (!*text)
		return "a name";
	*(const char **)field = text;
	return NULL;
}

const char *tool_set_store_id(void *field, const char *text)
{
	if (strlen(text) != 32 || strspn(text, "0123456789abcdef") != 32)
		return "32 digits and letters, as in the file 'id' of a store";
	return tool_set_text(field, text);
}

const char *tool_set_only(void *field, const char *text)
{
	return *(const char **)field ? "the first one; run the command once for each" : tool_set_text(field, text);
}

const char *tool_set_alone(void *field, const char *text)
{
	return tool_set_true(field, text);
}

const char *tool_set_name_alone(void *field, const char *text)
{
	return tool_set_only(field, text);
}

const char *tool_add_text(void *field, const char *text)
{
	if (!*text)
		return "a name";
	tool_texts_add(field, text);
	return NULL;
}

const char *tool_add_tag(void *field, const char *text)
{
	return strchr(text, ',') ? "one tag; repeat the option for each" : tool_add_text(field, text);
}

static const char *set_duration(int64_t *field, const char *text, enum bt_m m)
{
	if (strcmp(text, "forever") == 0)
		*field = -1;
	else if (bt_duration_parse(text, m, field))
		return m == BT_M_REFUSED && bt_span_is_unclear(text)
			       ? BT_M_UNCLEAR
			       : "a duration such as 90, 90s, 5min, 2h, 1d or forever";
	return NULL;
}

const char *tool_set_duration(void *field, const char *text)
{
	return set_duration(field, text, BT_M_MINUTES);
}

const char *tool_set_age(void *field, const char *text)
{
	return set_duration(field, text, BT_M_REFUSED);
}

/* Units are powers of 1024, as sizes are shown. */
static bool read_unit(const char *unit, uint64_t *ret_factor)
{
	static const char letters[] = "kMGTP";
	const char *found;

	*ret_factor = 1;
	if (!*unit || strcmp(unit, "B") == 0)
		return true;
	found = strchr(letters, *unit == 'K' ? 'k' : *unit);
	if (!found || (unit[1] && strcmp(unit + 1, "iB") != 0 && strcmp(unit + 1, "B") != 0))
		return false;
	*ret_factor = UINT64_C(1) << 10 * (found - letters + 1);
	return true;
}

const char *tool_set_bytes(void *field, const char *text)
{
	static const char expected[] = "a size such as 500, 10k, 200M or 20G";
	uint64_t factor, value;
	char *unit;

	errno = 0;
	value = strtoull(text, &unit, 10);
	if (*text < '0' || *text > '9' || errno || !read_unit(unit, &factor) ||
	    __builtin_mul_overflow(value, factor, &value) || value > INT64_MAX)
		return expected;
	*(uint64_t *)field = value;
	return NULL;
}

/* Adds the pattern of a line; false if it is not text. A mark of the byte order stands before the first one. */
static bool add_pattern(void *field, char *line, size_t length, bool first)
{
	static const char utf8[] = "\xef\xbb\xbf", utf16[] = "\xff\xfe", utf16_big[] = "\xfe\xff";
	char *pattern = line;

	if (memchr(line, '\0', length) || (first && (strncmp(line, utf16, 2) == 0 || strncmp(line, utf16_big, 2) == 0)))
		return false;
	if (length > 0 && line[length - 1] == '\n')
		line[length - 1] = '\0';
	if (first && strncmp(line, utf8, 3) == 0)
		pattern += 3;
	if (*pattern)
		tool_texts_add(field, tool_format("%s", pattern));
	return true;
}

const char *tool_add_patterns(void *field, const char *text)
{
	bool standard = strcmp(text, "-") == 0;
	FILE *file = standard ? stdin : fopen(text, "re");
	char *line = NULL;
	size_t size = 0;
	ssize_t length;
	bool is_text = true;
	int failed;

	if (!file)
		return tool_format("a file that can be read (%s)", strerror(errno));
	for (bool first = true; is_text && (length = getline(&line, &size, file)) >= 0; first = false)
		is_text = add_pattern(field, line, (size_t)length, first);
	failed = ferror(file) ? errno : 0;
	free(line);
	if (!standard)
		fclose(file);
	if (failed)
		return tool_format("a file that can be read (%s)", strerror(failed));
	return is_text ? NULL : "text in UTF-8";
}
