/* SPDX-License-Identifier: MIT */
#include "shell_word.h"
#include "output.h"
#include "place.h"
#include <stdlib.h>
#include <string.h>

static bool is_plain(const char *text)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";

	return *text && *text != '-' && text[strspn(text, safe)] == '\0';
}

/* In $'…' a backslash begins what tool_escape shows, too, and what it leaves alone means itself there. */
static char *quote_escaped(const char *text)
{
	tool_auto char *escaped = tool_escape(text);
	char *word = tool_format("%s", "$'");

	for (const char *at = escaped; *at; at++)
		tool_append(&word, "%s%c", *at == '\'' ? "\\" : "", *at);
	tool_append(&word, "'");
	return word;
}

char *tool_shell_quoted(const char *text)
{
	char *word = tool_format("%s", "'");

	for (const char *at = text; *at; at++)
		if (*at == '\'')
			tool_append(&word, "%s", "'\\''");
		else
			tool_append(&word, "%c", *at);
	tool_append(&word, "'");
	return word;
}

char *tool_shell_word(const char *text)
{
	tool_auto char *escaped = tool_escape(text);

	if (is_plain(text))
		return tool_format("%s", text);
	return strcmp(escaped, text) != 0 ? quote_escaped(text) : tool_shell_quoted(text);
}

/* The store that is used if none is given. */
static bool is_usual(const char *store)
{
	const char *given = getenv("BACKUPTOOL_STORE");

	return strcmp(store, given && *given ? given : "./snapshots") == 0;
}

char *tool_restore_line(const struct tool *tool, const char *snapshot, const char *path, const char *output)
{
	tool_auto char *name = tool_place_name(snapshot), *place = tool_format("%s:%s", name, path);
	tool_auto char *word = tool_shell_word(place), *store = tool_shell_word(tool->store);
	tool_auto char *where = output ? tool_shell_word(output) : tool_format("--in-place");
	bool usual = is_usual(tool->store);

	return tool_format("backuptool restore%s%s %s %s", usual ? "" : " --store ", usual ? "" : store, word, where);
}
