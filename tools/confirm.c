/* SPDX-License-Identifier: MIT */
#include "confirm.h"
#include "output.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool ask(const struct tool *tool, const char *text)
{
	char *line = NULL;
	size_t room = 0;
	bool yes;

	fprintf(stderr, "backuptool %s: %s. Go on? [y/N] ", tool->command->name, text);
	fflush(stderr);
	yes = getline(&line, &room, stdin) > 0 && (*line == 'y' || *line == 'Y');
	free(line);
	return yes;
}

void tool_doubt(const struct tool *tool, const char *format, ...)
{
	va_list arguments;
	char *text;

	if (tool->yes)
		return;
	va_start(arguments, format);
	text = tool_vformat(format, arguments);
	va_end(arguments);
	tool_texts_add(tool->doubts, text);
}

int tool_confirm(const struct tool *tool)
{
	const struct tool_texts *doubts = tool->doubts;
	const char *last = doubts->count ? doubts->items[doubts->count - 1] : NULL;
	bool yes = false;

	if (!last)
		return TOOL_OK;
	for (size_t i = 0; i + 1 < doubts->count; i++)
		tool_say(tool, "%s", doubts->items[i]);
	if (isatty(STDIN_FILENO) && isatty(STDERR_FILENO)) {
		yes = ask(tool, last);
		if (!yes)
			tool_say(tool, "nothing was changed");
	} else {
		tool_say(tool, "%s: nothing was changed; give --yes to go on", last);
	}
	return yes ? TOOL_OK : TOOL_FATAL;
}
