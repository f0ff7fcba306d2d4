/* SPDX-License-Identifier: MIT */
#include "help.h"

const char tool_summary[] = "Keeps snapshots of directories as JSON files in a store.";
const char tool_naming[] = "A SNAPSHOT is a name in the store or its beginning, the path of a file, latest, latest~N,\n"
			   "or @TIME: the newest at or before a time, such as @2026-11-20, @yesterday, @2h.\n"
			   "These are of one host and directory: that of an absolute PATH, of --output-directory, or,\n"
			   "on this host, around the working directory; else of the newest, and a line says so.\n"
			   "SNAPSHOT:PATH is a path in it, relative to its directory or absolute below it.";

const struct tool_exit_text tool_exits[] = {
	{TOOL_OK, "done; what was written is on the disk to stay"},
	{TOOL_FATAL, "failed; one sentence says why"},
	{TOOL_USAGE, "usage error"},
	{TOOL_INCOMPLETE, "done, but not everything: what is missing was named"},
	{TOOL_DIFFERENT, "there are differences (diff --exit-code)"},
	{TOOL_NO_STORE, "there is no store at that place, or it is another one than --store-id names"},
	{TOOL_LOCKED, "somebody else holds the lock, or the lock or a temporary file was lost: run the command again"},
	{TOOL_INTERRUPTED, "interrupted"},
	{0, NULL},
};
