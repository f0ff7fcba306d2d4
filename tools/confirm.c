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

int tool_confirm(const struct tool *tool, const char *format, ...)
{
	va_list arguments;
	char *text;
	bool yes = false;

	if (tool->yes)
		return TOOL_OK;
	va_start(arguments, format);
	text = tool_vformat(format, arguments);
	va_end(arguments);
	if (isatty(STDIN_FILENO) && isatty(STDERR_FILENO)) {
		yes = ask(tool, text);
		if (!yes)
			tool_say(tool, "nothing was changed");
	} else {
		tool_say(tool, "%s: nothing was changed; give --yes to go on", text);
	}
	free(text);
	return yes ? TOOL_OK : TOOL_FATAL;
}
