/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "output.h"
#include <stdlib.h>
#include <string.h>

static const char *source_name(const void *arg, size_t index)
{
	const struct config *config = arg;

	return index < config->count ? config->sources[index].name : NULL;
}

/* "home, photos"; allocated */
static char *all_names(const struct config *config)
{
	char *text = tool_format("%s", "");

	for (size_t i = 0; i < config->count; i++)
		tool_append(&text, "%s%s", i ? ", " : "", config->sources[i].name);
	return text;
}

static int refuse_name(const struct tool *tool, const struct config *config, const char *name)
{
	const char *nearest = tool_nearest(name, source_name, config);
	tool_auto char *shown = tool_escape(name), *names = all_names(config);

	if (nearest)
		return tool_usage_error(tool, "there is no source '%s'; did you mean '%s'?", shown, nearest);
	return tool_usage_error(tool, "there is no source '%s'; there %s: %s", shown, config->count == 1 ? "is" : "are",
				names);
}

static int choose_named(const struct tool *tool, const struct config *config, const struct config_source **sources,
			size_t *ret_count)
{
	size_t count = 0;

	for (int i = 0; i < tool->operand_count; i++) {
		const struct config_source *source = config_find(config, tool->operands[i]);
		size_t seen = 0;

		if (!source)
			return refuse_name(tool, config, tool->operands[i]);
		while (seen < count && sources[seen] != source)
			seen++;
		if (seen == count)
			sources[count++] = source;
	}
	*ret_count = count;
	return TOOL_OK;
}

int config_choose(const struct tool *tool, const struct config *config, bool all, const struct config_source **sources,
		  size_t *ret_count)
{
	if (all && tool->operand_count)
		return tool_usage_error(tool, "--all takes every source, so leave out the names");
	if (tool->operand_count)
		return choose_named(tool, config, sources, ret_count);
	if (!all && config->count > 1) {
		tool_auto char *names = all_names(config);

		return tool_usage_error(tool, "which source is meant? name some of them, or give --all: %s", names);
	}
	for (size_t i = 0; i < config->count; i++)
		sources[i] = &config->sources[i];
	*ret_count = config->count;
	return TOOL_OK;
}

static bool begins_with_any(const char *word, const char *const *beginnings)
{
	for (; *beginnings; beginnings++)
		if (strncmp(word, *beginnings, strlen(*beginnings)) == 0)
			return true;
	return false;
}

int config_check_words(const struct tool *tool, const char *config, const char *const *fine)
{
	if (!config && tool->operand_count) {
		tool_auto char *extra = tool_escape(tool->operands[0]);

		return tool_usage_error(tool, "'%s' is one argument too many", extra);
	}
	for (size_t i = 0; config && i < tool->given.count; i++) {
		const char *word = tool->given.items[i];

		if (!begins_with_any(word, fine))
			return tool_usage_error(tool, "with --config, %.*s stands in the configuration",
						(int)strcspn(word, "="), word);
	}
	return TOOL_OK;
}
