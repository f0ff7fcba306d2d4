/* SPDX-License-Identifier: MIT */
#include "commands.h"
#include "feed.h"

#define FIELD(name) offsetof(struct tool, name)

static const struct tool_option store_options[] = {
	{"store", 0, "DIR", false, "the store (else $BACKUPTOOL_STORE, else ./snapshots)", tool_set_text, FIELD(store)},
	{"store-id", 0, "ID", false, "use only the store with this id (else $BACKUPTOOL_STORE_ID), and make none",
	 tool_set_store_id, FIELD(store_id)},
	{0},
};

static const struct tool_option select_options[] = {
	{"host", 0, "NAME|all", false,
	 "mean only snapshots of this host; repeatable (of all hosts, but latest is rather of this one)", tool_add_text,
	 FIELD(selection.hosts)},
	{"target", 0, "DIR", false, "mean only snapshots of this directory; repeatable", tool_add_text,
	 FIELD(selection.targets)},
	{"tag", 0, "TAG", false, "mean only snapshots with this tag; repeatable", tool_add_tag, FIELD(selection.tags)},
	{0},
};

static const struct tool_option lock_options[] = {
	{"lock-wait", 0, "TIME", false, "how long to wait for others at work on the store (1m)", tool_set_duration,
	 FIELD(lock_wait)},
	{0},
};

static const struct tool_option json_options[] = {
	{"json", 0, NULL, false, "print JSON", tool_set_true, FIELD(json)},
	{0},
};

static const struct tool_option talk_options[] = {
	{"quiet", 'q', NULL, false, "print only what went wrong", tool_set_true, FIELD(quiet)},
	{"no-progress", 0, NULL, false, "draw no progress line", tool_set_true, FIELD(no_progress)},
	{"progress-fd", 0, "N", false, "write progress to this descriptor, as lines of JSON for other programs",
	 tool_feed_set, FIELD(feed)},
	{0},
};

static const struct tool_option verbose_options[] = {
	{"verbose", 'v', NULL, false,
	 "print a line for each change: A new, M changed, D removed, X left out, B not entered, V vanished, K kept "
	 "under this name; "
	 "twice: = as it was, too",
	 tool_count_up, FIELD(verbose)},
	{0},
};

static const struct tool_option details_options[] = {
	{"verbose", 'v', NULL, false, "say more about each snapshot", tool_count_up, FIELD(verbose)},
	{0},
};

static const struct tool_option yes_options[] = {
	{"yes", 'y', NULL, false, "go on where the command would ask, because something may be lost", tool_set_true,
	 FIELD(yes)},
	{0},
};

static const struct tool_option version_options[] = {
	{"version", 'V', NULL, false, "show the version", tool_set_true, FIELD(version)},
	{0},
};

static const struct tool_option help_options[] = {
	{"help", 'h', NULL, false, "show this help", tool_set_true, FIELD(help)},
	{0},
};

static const struct tool_option human_options[] = {
	{"human-readable", 'h', NULL, false, "sizes with units, such as 1.5 KiB", tool_set_true, FIELD(human)},
	{0},
};

static const struct tool_option long_help_options[] = {
	{"help", 0, NULL, false, "show this help", tool_set_true, FIELD(help)},
	{0},
};

unsigned tool_common_bits(const struct tool_command *command)
{
	return command->common & TOOL_COMMON_HUMAN ? command->common : command->common | TOOL_COMMON_HELP;
}

const struct tool_common_options tool_common_options[TOOL_COMMON_GROUPS + 1] = {
	{TOOL_COMMON_STORE | TOOL_COMMON_FIRST, store_options},
	{TOOL_COMMON_SELECT, select_options},
	{TOOL_COMMON_STORE, lock_options},
	{TOOL_COMMON_JSON, json_options},
	{TOOL_COMMON_TALK, talk_options},
	{TOOL_COMMON_VERBOSE, verbose_options},
	{TOOL_COMMON_DETAILS, details_options},
	{TOOL_COMMON_YES, yes_options},
	{TOOL_COMMON_FIRST, version_options},
	{TOOL_COMMON_HUMAN, human_options},
	{TOOL_COMMON_HELP | TOOL_COMMON_FIRST, help_options},
	{TOOL_COMMON_HUMAN, long_help_options},
	{0, NULL},
};
