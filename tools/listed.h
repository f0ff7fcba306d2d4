/* SPDX-License-Identifier: MIT */
/* Lists of what is taken, from files. */
#ifndef TOOLS_LISTED_H
#define TOOLS_LISTED_H

#include "options.h"

struct tool_listed {
	struct tool_texts paths; /* first, as of all options that add */
	bool given;		 /* a list may be empty */
};
tool_option_set tool_add_listed;     /* struct tool_listed, a line for each path */
tool_option_set tool_add_listed_raw; /* the same with a NUL after each path */

/* Makes all paths relative to the directory. NULL, or what is wrong with one of them, and in which line; allocated. */
char *tool_listed_settle(const struct tool_listed *listed, const char *directory);

#endif
