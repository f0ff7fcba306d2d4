/* SPDX-License-Identifier: MIT */
#include "patterns.h"
#include "output.h"
#include <internal/policy.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SHOWN 5 /* patterns in a message */

/* The part of the pattern after the directory's path, from the slash on; NULL if it does not begin with that path. */
static const char *after_path(const char *pattern, const char *directory)
{
	size_t length = strlen(directory);

	while (length > 0 && directory[length - 1] == '/')
		length--;
	return length > 0 && strncmp(pattern, directory, length) == 0 && pattern[length] == '/' ? pattern + length
												: NULL;
}

/* The directory /home may have a home of its own: then /home/me may be meant as it stands. */
static bool begins_below(const char *pattern, const char *directory)
{
	const char *first = pattern + (*pattern == '/');
	struct stat status;
	tool_auto char *path = tool_format("%s/%.*s", directory, (int)strcspn(first, "/"), first);

	return lstat(path, &status) == 0;
}

char *tool_pattern_meant(const char *pattern, const char *directory)
{
	const char *home = getenv("HOME"), *meant = NULL;
	tool_auto char *at_home = tool_format("%s%s", home ? home : "", *pattern ? pattern + 1 : "");

	if (strncmp(pattern, "./", 2) == 0)
		meant = pattern + 1;
	else if (*pattern == '/')
		meant = after_path(pattern, directory);
	else if (home && strncmp(pattern, "~/", 2) == 0)
		meant = after_path(at_home, directory);
	return meant && meant[1] ? tool_format("%s", meant) : NULL;
}

static char *meant_text(const char *pattern, const char *meant)
{
	tool_auto char *shown = tool_escape(pattern), *wanted = tool_escape(meant);

	return tool_format("the pattern '%s' matches nothing: patterns begin at the directory, write '%s%s'", shown,
			   *pattern == '!' ? "!" : "", wanted);
}

void tool_pattern_say(const struct tool *tool, const char *pattern, const char *meant)
{
	tool_auto char *text = meant_text(pattern, meant);

	tool_say(tool, "%s", text);
}

/* "/Documents", of the pattern "!Documents/letters", to be freed. */
static char *parent_text(const char *pattern, size_t length)
{
	tool_auto char *path = tool_format("%s%.*s", pattern[1] == '/' ? "" : "/", (int)length - 1, pattern + 1);

	return tool_escape(path);
}

/* What takes back in nothing but the way to what the pattern means. */
static char *barrier_text(const char *pattern, struct bt_barrier barrier)
{
	tool_auto char *shown = tool_escape(pattern), *left_out = parent_text(pattern, barrier.directory);
	tool_auto char *rules = tool_format("%s", "");

	for (size_t at = barrier.directory; at <= barrier.parents; at += 1 + strcspn(pattern + at + 1, "/")) {
		tool_auto char *parent = parent_text(pattern, at);

		tool_append(&rules, "%s'!%s/'%s '%s/*'", *rules ? ", " : "", parent,
			    at == barrier.parents ? " and" : ",", parent);
	}
	return tool_format("the pattern '%s' can match nothing: %s is left out; add %s before it", shown, left_out,
			   rules);
}

/* Why the pattern can match nothing, to be freed; NULL if it can. directories: the one that is walked, and what else it
 * is called; NULL: nothing. */
static char *wrong_text(const char *text, const char *const directories[3], struct bt_barrier barrier)
{
	const char *pattern = text + (*text == '!'), *directory = directories[0];
	char *meant = NULL, *wrong = NULL;

	for (size_t i = 0; i < 3 && !meant; i++)
		meant = directories[i] ? tool_pattern_meant(pattern, directories[i]) : NULL;
	if (meant && (*pattern == '.' || !begins_below(pattern, directory)))
		wrong = meant_text(text, meant);
	else if (barrier.directory)
		wrong = barrier_text(text, barrier);
	free(meant);
	return wrong;
}

char **tool_patterns_wrong(const char *directory, const char *as, const struct tool_texts *patterns)
{
	char **wrong = tool_alloc((patterns->count + 1) * sizeof(*wrong));
	tool_auto struct bt_barrier *barriers = tool_alloc((patterns->count + 1) * sizeof(*barriers));
	tool_auto char *real = directory ? realpath(directory, NULL) : NULL;
	const char *const directories[3] = {directory, real, as};

	bt_barriers_find(patterns->items, patterns->count, barriers);
	for (size_t i = 0; i < patterns->count; i++)
		wrong[i] = wrong_text(patterns->items[i], directories, barriers[i]);
	return wrong;
}

static void free_texts(char **texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(texts[i]);
	free(texts);
}

void tool_patterns_check(const struct tool *tool, const char *directory, const char *as,
			 const struct tool_texts *patterns)
{
	char **wrong = tool_patterns_wrong(directory, as, patterns);

	for (size_t i = 0; i < patterns->count; i++)
		if (wrong[i])
			tool_say(tool, "%s", wrong[i]);
	free_texts(wrong, patterns->count);
}

void tool_patterns_say_unused(const struct tool *tool, const char *directory, const char *as,
			      const struct tool_texts *patterns, const struct tool_texts *unused)
{
	char **wrong = tool_patterns_wrong(directory, as, patterns);
	tool_auto char *names = tool_format("%s", "");
	size_t count = 0, next = 0;

	for (size_t i = 0; i < patterns->count && next < unused->count; i++) {
		tool_auto char *shown = tool_escape(patterns->items[i]);
		bool is_next = unused->items[next] == patterns->items[i];

		next += is_next;
		if (is_next && !wrong[i] && count++ < SHOWN)
			tool_append(&names, "%s'%s'", count > 1 ? ", " : "", shown);
	}
	free_texts(wrong, patterns->count);
	if (count > SHOWN)
		tool_append(&names, " and %zu more", count - SHOWN);
	if (count)
		tool_say(tool, "nothing here matches the pattern%s %s", count > 1 ? "s" : "", names);
}
