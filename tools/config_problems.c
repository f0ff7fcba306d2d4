/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "output.h"
#include <stdlib.h>
#include <string.h>

void config_problem(struct config *config, const char *file, size_t line, const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	tool_auto char *sentence = tool_vformat(format, arguments);
	va_end(arguments);
	tool_auto char *shown = tool_escape(file);
	config->mistakes++;
	text = line ? tool_format("%s:%zu: %s", shown, line, sentence) : tool_format("%s: %s", shown, sentence);
	for (size_t i = 0; i < config->problems.count; i++)
		if (strcmp(config->problems.items[i], text) == 0) {
			free(text);
			return;
		}
	tool_texts_add(&config->problems, text);
}

int config_refuse(const struct tool *tool, const struct config *config)
{
	for (size_t i = 0; i < config->problems.count; i++)
		tool_complain(tool, "%s", config->problems.items[i]);
	return config->problems.count ? TOOL_USAGE : TOOL_OK;
}
