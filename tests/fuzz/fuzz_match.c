/* SPDX-License-Identifier: MIT */
/*
 * A pattern, a line feed, a path that ends with a slash if it is a directory's. The compiled rules agree with a reading
 * of the pattern byte by byte that tries everything; a folded pattern matches a path in either case or in none; and the
 * input is a text of patterns.
 */
#include "fuzz.h"
#include "policy/match.h"
#include <ctype.h>
#include <internal/policy.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 160 };

struct matcher {
	const char *pattern, *pattern_end, *path, *path_end;
	signed char seen[LONGEST + 1][LONGEST + 1]; /* 0: not yet, 1: matches, -1: does not */
};

static bool in_named_class(const char *name, size_t length, unsigned char byte)
{
	static const struct {
		const char *name;
		int (*test)(int);
	} classes[] = {{"alnum", isalnum}, {"alpha", isalpha}, {"blank", isblank},  {"cntrl", iscntrl},
		       {"digit", isdigit}, {"graph", isgraph}, {"lower", islower},  {"print", isprint},
		       {"punct", ispunct}, {"upper", isupper}, {"xdigit", isxdigit}};

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (strlen(classes[i].name) == length && memcmp(classes[i].name, name, length) == 0)
			return byte < 128 && classes[i].test(byte);
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static bool known_class(const char *name, size_t length)
{
	static const char names[] = " alnum alpha blank cntrl digit graph lower print punct space upper xdigit ";
	char padded[16] = " ";

	if (length < 5 || length > 6 || memchr(name, ' ', length))
		return false;
	memcpy(padded + 1, name, length);
	padded[length + 1] = ' ';
	return strstr(names, padded);
}

/* p is at the "[". The length of the class, or 0 if it is none. */
static size_t match_class(const char *p, const char *end, unsigned char byte, bool *ret_match)
{
	const char *start = p++, *close;
	bool negated = p < end && (*p == '!' || *p == '^'), match = false;
	unsigned char previous = 0, last;

	p += negated;
	for (bool first = true; first || p == end || *p != ']'; first = false, p++) {
		if (p == end)
			return 0;
		if (*p == '[' && p + 1 < end && p[1] == ':') {
			close = memchr(p + 2, ']', (size_t)(end - p - 2));
			if (!close)
				return 0;
			if (close > p + 2 && close[-1] == ':') {
				if (!known_class(p + 2, (size_t)(close - p - 3)))
					return 0;
				match |= in_named_class(p + 2, (size_t)(close - p - 3), byte);
				previous = 0;
				p = close;
				continue;
			}
		} else if (*p == '-' && previous != 0 && p + 1 < end && p[1] != ']') {
			if (*++p == '\\' && ++p == end)
				return 0;
			last = (unsigned char)*p;
			match |= previous <= byte && byte <= last;
			previous = 0;
			continue;
		} else if (*p == '\\' && ++p == end) {
			return 0;
		}
		previous = (unsigned char)*p;
		match |= previous == byte;
	}
	*ret_match = match != negated;
	return (size_t)(p + 1 - start);
}

static bool matches(struct matcher *m, const char *p, const char *t);

static bool match_stars(struct matcher *m, const char *p, const char *t)
{
	const char *after = p;
	bool across;

	while (after < m->pattern_end && *after == '*')
		after++;
	across = after - p > 1 && (p == m->pattern || p[-1] == '/') &&
		 (after == m->pattern_end || *after == '/' ||
		  (*after == '\\' && after + 1 < m->pattern_end && after[1] == '/'));
	if (across && after < m->pattern_end && *after == '/' && matches(m, after + 1, t))
		return true;
	for (;; t++) {
		if (matches(m, after, t))
			return true;
		if (t == m->path_end || (*t == '/' && !across))
			return false;
	}
}

static bool match_one(struct matcher *m, const char *p, const char *t)
{
	bool match;
	size_t length;

	if (*p == '*')
		return match_stars(m, p, t);
	if (t == m->path_end)
		return false;
	switch (*p) {
	case '?':
		return *t != '/' && matches(m, p + 1, t + 1);
	case '[':
		length = match_class(p, m->pattern_end, (unsigned char)*t, &match);
		return length > 0 && match && *t != '/' && matches(m, p + length, t + 1);
	case '\\':
		return p + 1 < m->pattern_end && p[1] == *t && matches(m, p + 2, t + 1);
	default:
		return *p == *t && matches(m, p + 1, t + 1);
	}
}

static bool matches(struct matcher *m, const char *p, const char *t)
{
	signed char *seen = &m->seen[p - m->pattern][t - m->path];

	if (*seen == 0)
		*seen = (p == m->pattern_end ? t == m->path_end : match_one(m, p, t)) ? 1 : -1;
	return *seen > 0;
}

static bool expected(const char *pattern, const char *path, const char *name, bool directory)
{
	static struct matcher m;
	size_t length = strlen(pattern), trailing = 0;
	bool anywhere;

	if (*pattern == '#' || *pattern == '!')
		return false; /* one rule alone cannot bring back */
	if (length > 0 && pattern[length - 1] == '\r')
		length--;
	for (size_t i = 0; i < length; i++) {
		trailing = pattern[i] == ' ' ? trailing + 1 : 0;
		if (pattern[i] == '\\')
			i++;
	}
	length -= trailing;
	if (length > 0 && pattern[length - 1] == '/') {
		if (!directory)
			return false;
		length--;
	}
	anywhere = !memchr(pattern, '/', length);
	m.pattern = pattern + (length > 0 && *pattern == '/');
	m.pattern_end = pattern + length;
	m.path = anywhere ? name : path;
	m.path_end = path + strlen(path);
	memset(m.seen, 0, sizeof(m.seen));
	return length > 0 && matches(&m, m.pattern, m.path);
}

/* Without NUL, and without slashes at the beginning, at the end, and beside one another. */
static size_t clean_path(char *path, const uint8_t *data, size_t size)
{
	size_t length = 0;

	for (size_t i = 0; i < size; i++)
		if (data[i] != 0 && (data[i] != '/' || (length > 0 && path[length - 1] != '/')))
			path[length++] = (char)data[i];
	if (length > 0 && path[length - 1] == '/')
		length--;
	path[length] = '\0';
	return length;
}

static bool matches_in_case(const struct bt_rules *rules, const char *path, bool directory, int (*to_case)(int))
{
	char changed[LONGEST + 1];
	size_t i;

	for (i = 0; path[i]; i++)
		changed[i] = (char)((unsigned char)path[i] < 128 ? to_case((unsigned char)path[i]) : path[i]);
	changed[i] = '\0';
	const char *slash = strrchr(changed, '/');
	return bt_rules_decide(rules, changed, slash ? slash + 1 : changed, directory) != BT_RULING_NONE;
}

static void check_folded(const char *pattern, const char *path, bool directory)
{
	char folded[(LONGEST + 1) * BT_CASELESS_GROWTH];
	const char *patterns[1] = {folded}, *slash = strrchr(path, '/');
	struct bt_rules *plain, *rules;

	bt_pattern_caseless(pattern, folded);
	FUZZ_CHECK(bt_rules_new(&pattern, 1, &plain, NULL) == 0);
	FUZZ_CHECK(bt_rules_new(patterns, 1, &rules, NULL) == 0);
	bool lower = matches_in_case(rules, path, directory, tolower);
	FUZZ_CHECK(lower == matches_in_case(rules, path, directory, toupper));
	/* Without a class that is negated, nothing is lost. */
	if (!strstr(pattern, "[!") && !strstr(pattern, "[^") &&
	    bt_rules_decide(plain, path, slash ? slash + 1 : path, directory) != BT_RULING_NONE)
		FUZZ_CHECK(lower);
	bt_rules_free(plain);
	bt_rules_free(rules);
}

/* Every line is in the text, in its order, and none is empty. */
static void check_lines(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct bt_lines lines;
	size_t before = 0;

	FUZZ_CHECK(text);
	memcpy(text, data, size);
	text[size] = '\0';
	bool is_text = bt_lines_begin(text, size, &lines) == 0;
	FUZZ_CHECK(!is_text || !memchr(data, 0, size));
	for (const char *line = is_text ? bt_lines_next(&lines) : NULL; line; line = bt_lines_next(&lines)) {
		FUZZ_CHECK(*line && lines.number > before && line + strlen(line) <= text + size);
		before = lines.number;
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line = size > 0 ? memchr(data, '\n', size) : NULL;
	char pattern[LONGEST + 1], path[LONGEST + 1];
	const char *patterns[1] = {pattern}, *slash;
	struct bt_rules *rules;
	size_t length, path_size;
	bool directory;

	check_lines(data, size);
	if (!line)
		return 0;
	length = (size_t)(line - data);
	path_size = size - length - 1;
	if (length > LONGEST || path_size > LONGEST || memchr(data, 0, length))
		return 0;
	memcpy(pattern, data, length);
	pattern[length] = '\0';
	if (clean_path(path, line + 1, path_size) == 0)
		return 0;
	directory = data[size - 1] == '/';
	slash = strrchr(path, '/');
	FUZZ_CHECK(bt_rules_new(patterns, 1, &rules, NULL) == 0);
	FUZZ_CHECK(bt_rules_excluded(rules, path, slash ? slash + 1 : path, directory) ==
		   expected(pattern, path, slash ? slash + 1 : path, directory));
	bt_rules_free(rules);
	check_folded(pattern, path, directory);
	return 0;
}
