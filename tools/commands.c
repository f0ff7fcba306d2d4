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

static const struct tool_words elsewhere[] = {
	{" backup create save ", "use 'backuptool snapshot'"},
	{" init repo-create ", "'backuptool snapshot' makes the store"},
	{" snapshots archives repo-list ", "use 'backuptool list'"},
	{" log history ",
	 "'backuptool list' has the snapshots of a directory, 'backuptool versions FILE' those of a file"},
	{" show info inspect ",
	 "'backuptool list -v' says more about each snapshot, 'backuptool stats' how much there is"},
	{" size ncdu ", "'backuptool stats' shows what snapshots take, 'backuptool du' what their directories do"},
	{" search locate ", "use 'backuptool find'"},
	{" print ", "use 'backuptool cat'"},
	{" compare ", "use 'backuptool diff'"},
	{" extract recover get ", "use 'backuptool restore'"},
	{" export-tar tar ", "use 'backuptool dump'"},
	{" browse web ui ", "'backuptool mount' shows all snapshots as directories"},
	{" umount unmount ", "'umount MOUNTPOINT' or 'fusermount3 -u MOUNTPOINT' ends a mount"},
	{" forget compact purge gc expire maintenance ", "use 'backuptool prune'"},
	{" policy ", "'backuptool prune --help' has the rules that say what to keep"},
	{" delete rm del ", "use 'backuptool remove', which removes whole snapshots"},
	{" verify test ", "use 'backuptool check'"},
	{" repair rebuild-index ", "use 'backuptool check --repair'"},
	{" recreate amend edit filter ", "use 'backuptool rewrite', which takes paths out of snapshots"},
	{" cp sync transfer replicate clone ",
	 "'backuptool copy' brings snapshots to another store, 'backuptool mirror' the whole store to another disk"},
	{" key passwd password repo-key ",
	 "a store has no password and is not encrypted; an encrypted disk protects it"},
	{" unlock break-lock ", "a lock ends with the program that holds it, so nothing has to be unlocked"},
	{" tags ", "'backuptool list' shows the tags, and 'backuptool tag' changes them"},
	{" rename ", "a snapshot is named by its time; give it a tag with 'backuptool tag'"},
	{" cron timer daemon service ",
	 "'backuptool schedule' makes a service of systemd, 'backuptool job' runs at an interval"},
	{" cache ", "the store's cache/ is used by itself, and may be deleted at any time"},
	{" version ", "'backuptool --version' shows it"},
	{0},
};

int tool_command_unknown(const struct tool *tool, const char *name)
{
	const char *here = tool_words_find(elsewhere, name), *nearest = tool_nearest(name, command_name, tool);
	tool_auto char *shown = tool_escape(name);
	int r;

	if (here)
		r = tool_usage_error(tool, "unknown command '%s': %s", shown, here);
	else if (nearest)
		r = tool_usage_error(tool, "unknown command '%s'; did you mean '%s'?", shown, nearest);
	else
		r = tool_usage_error(tool, "unknown command '%s'", shown);
	return r;
}
