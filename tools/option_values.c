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
	size_t count = texts->count;

	if ((count & (count - 1)) == 0) /* there is room up to the next power of two */
		texts->items = tool_realloc(texts->items, (count ? 2 * count : 1) * sizeof(*texts->items));
	texts->items[texts->count++] = text;
}

void tool_texts_free(struct tool_texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		free((char *)(uintptr_t)texts->items[i]);
	free(texts->items);
	*texts = (struct tool_texts){0};
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

const char *tool_add_name(void *field, const char *text)
{
	return strchr(text, '/') ? "the name of a file, without a path" : tool_add_text(field, text);
}

const char *tool_add_include(void *field, const char *text)
{
	return *text && strchr("!#", *text)
		       ? "a pattern of what to take, which begins neither with ! nor with # (write "
			 "\\! and \\# for these letters)"
		       : tool_add_text(field, text);
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

const char *tool_read_text(const char *name, char **ret_text, size_t *ret_size)
{
	bool standard = strcmp(name, "-") == 0;
	FILE *file = standard ? stdin : fopen(name, "re");
	size_t size = 0, room = 4096, got = 1;
	char *text;

	if (!file)
		return tool_format("a file that can be read (%s)", strerror(errno));
	text = tool_alloc(room);
	while (got) {
		got = fread(text + size, 1, room - size - 1, file);
		size += got;
		if (room - size < 2)
			text = tool_realloc(text, room *= 2);
	}
	int failed = ferror(file) ? errno : 0;
	if (!standard)
		fclose(file);
	text[size] = '\0';
	*ret_text = text;
	*ret_size = size;
	if (!failed)
		return NULL;
	free(text);
	return tool_format("a file that can be read (%s)", strerror(failed));
}

static const char *add_lines(void *field, const char *name, char *(*form)(const char *line))
{
	struct bt_lines lines;
	size_t size;
	char *text;
	const char *wrong = tool_read_text(name, &text, &size);

	if (wrong)
		return wrong;
	if (bt_lines_begin(text, size, &lines))
		wrong = "text in UTF-8";
	for (const char *line = wrong ? NULL : bt_lines_next(&lines); line; line = bt_lines_next(&lines))
		tool_texts_add(field, form(line));
	free(text);
	return wrong;
}

static char *as_it_is(const char *line)
{
	return tool_format("%s", line);
}

static char *folded(const char *line)
{
	char *pattern = tool_alloc((strlen(line) + 1) * BT_CASELESS_GROWTH);

	bt_pattern_caseless(line, pattern);
	return pattern;
}

const char *tool_add_patterns(void *field, const char *text)
{
	return add_lines(field, text, as_it_is);
}

const char *tool_add_folded_patterns(void *field, const char *text)
{
	return add_lines(field, text, folded);
}

const char *tool_add_folded(void *field, const char *text)
{
	return tool_add_text(field, *text ? folded(text) : text);
}
