/* SPDX-License-Identifier: MIT */
#include "commands.h"
#include "output.h"
#include <stdlib.h>
#include <string.h>

static const char *command_name(const void *arg, size_t index)
{
	const struct tool *tool = arg;

	return tool->commands[index] ? tool->commands[index]->name : NULL;
}

const struct tool_command *tool_command_find(const struct tool *tool, const char *name)
{
	for (size_t i = 0; tool->commands[i]; i++)
		if (strcmp(tool->commands[i]->name, name) == 0)
			return tool->commands[i];
	return NULL;
}

/* What other programs call it. */
static const struct {
	const char *theirs, *ours;
} elsewhere[] = {
	{"backup", "snapshot"}, {"create", "snapshot"},	 {"save", "snapshot"},	 {"snapshots", "list"},
	{"extract", "restore"}, {"forget", "prune"},	 {"compact", "prune"},	 {"delete", "remove"},
	{"verify", "check"},	{"history", "versions"}, {"export-tar", "dump"},
};

static const char *known_elsewhere(const char *name)
{
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(*elsewhere); i++)
		if (strcmp(elsewhere[i].theirs, name) == 0)
			return elsewhere[i].ours;
	return NULL;
}

/* What no command is needed for. */
static const char *instead(const char *name)
{
	if (strcmp(name, "init") == 0)
		return "'backuptool snapshot' makes the store";
	if (strcmp(name, "umount") == 0 || strcmp(name, "unmount") == 0)
		return "'umount MOUNTPOINT' or 'fusermount3 -u MOUNTPOINT' ends a mount";
	return strcmp(name, "version") == 0 ? "'backuptool --version' shows it" : NULL;
}

int tool_command_unknown(const struct tool *tool, const char *name)
{
	const char *ours = known_elsewhere(name), *nearest = tool_nearest(name, command_name, tool);
	tool_auto char *shown = tool_escape(name);
	int r;

	if (ours)
		r = tool_usage_error(tool, "unknown command '%s': use 'backuptool %s'", shown, ours);
	else if (instead(name))
		r = tool_usage_error(tool, "unknown command '%s': %s", shown, instead(name));
	else if (nearest)
		r = tool_usage_error(tool, "unknown command '%s'; did you mean '%s'?", shown, nearest);
	else
		r = tool_usage_error(tool, "unknown command '%s'", shown);
	return r;
}
