/* SPDX-License-Identifier: MIT */
#include "help.h"
#include <signal.h>

const char tool_summary[] = "Keeps snapshots of directories as JSON files in a store.";
const char tool_naming[] = "A SNAPSHOT is a name in the store or its beginning, the path of a file, latest, latest~N,\n"
			   "or @TIME: the newest at or before a time, such as @2026-11-20, @10:30, @monday or @2h.\n"
			   "These are of one host and directory: that of an absolute PATH, of --output-directory, or,\n"
			   "on this host, around the working directory; else of the newest, and a line says so.\n"
			   "--host, --target and --tag leave fewer snapshots to choose from: all commands know only\n"
			   "those that are of one of the hosts, of one of the directories, and have one of the tags.\n"
			   "SNAPSHOT:PATH is a path in it, relative to its directory or absolute below it.";

const struct tool_time_text tool_times[] = {
	{"2026-11-20, 2026-11, 2026", "a day, a month or a year"},
	{"2026-11-20T10:30, '2026-11-20 10:30:15'",
	 "the time of a day; Z or +01:00 may follow if it is of another zone"},
	{"10:30, 10:30:15", "the last time that clocks showed it"},
	{"today, yesterday, monday, 'monday 10:30'", "a day, or the time of one; monday is the last one before today"},
	{"2h, 3d, '3 days ago', 1month, 1y", "that long ago, in s, min, h, d, w, month, y, or in whole words"},
	{"1732271400, @60", "seconds since 1970; a number of fewer than nine digits needs an @ of its own"},
	{"6m", "minutes for --interval, --duration, --lock-wait and --hook-timeout, months for --keep-within and "
	       "--expires; refused elsewhere: write min or month"},
	{NULL, NULL},
};

const char tool_hooking[] = "Each CMD is run by /bin/sh -c, with all rights that the command was started with, in a\n"
			    "session of its own and with nothing to read. What it prints goes to standard error.\n"
			    "Several of a kind run in the order in which they are given.\n"
			    "\n"
			    "If one of --before fails, the others of --before and the work itself are left out, and\n"
			    "the code is 1. If it ends with 75, now is not the time: nothing is done, the code is 0,\n"
			    "and \"put off\" is said. Then --on-success or --on-failure run, and at last, whatever\n"
			    "happened, --after. If one of these fails, that is said, and the code is 3 instead of 0.\n"
			    "A job runs --before and --after in each run, --on-failure in each run that fails or is\n"
			    "incomplete, and --on-success only in the first good run after such ones. A dry run runs\n"
			    "no hooks. A hook that takes too long is ended with all of its process group; so is the\n"
			    "one that runs at the first Ctrl-C or SIGTERM.\n"
			    "\n"
			    "The environment has BACKUPTOOL_COMMAND, BACKUPTOOL_STORE, and as far as there is one:\n"
			    "BACKUPTOOL_SOURCE (its name in a configuration), BACKUPTOOL_STORE_ID,\n"
			    "BACKUPTOOL_TARGET, BACKUPTOOL_SNAPSHOT (the new file's name),\n"
			    "BACKUPTOOL_EXIT (the code; 75 if it was put off), BACKUPTOOL_ERROR (a sentence),\n"
			    "BACKUPTOOL_NEW, BACKUPTOOL_CHANGED, BACKUPTOOL_REMOVED and BACKUPTOOL_NEW_BYTES (new and\n"
			    "changed files, entries that are gone, new data; of prune: snapshots that it removed),\n"
			    "BACKUPTOOL_RUN (of a job), and BACKUPTOOL_FAILURES: how many runs in a row did not end\n"
			    "with 0, up to this one.";

const struct tool_exit_text tool_exits[] = {
	{TOOL_OK, "done; what was written is on the disk to stay. Also if a hook put the work off by ending with 75"},
	{TOOL_FATAL,
	 "failed; one sentence says why. From check: there is damage; from status: a directory has no recent "
	 "or whole snapshot"},
	{TOOL_USAGE, "the command line has a mistake; nothing was done"},
	{TOOL_INCOMPLETE, "done, but not everything: what is missing was named"},
	{TOOL_DIFFERENT, "there are differences (diff --exit-code)"},
	{TOOL_NO_STORE, "there is no store at that place, or it is another one than --store-id names"},
	{TOOL_LOCKED, "somebody else holds the lock, or the lock or a temporary file was lost: run the command again"},
	{TOOL_INTERRUPTED, "interrupted by Ctrl-C or SIGTERM"},
	{128 + SIGPIPE, "what a shell says when the reader of the output went away before its end"},
	{0, NULL},
};
