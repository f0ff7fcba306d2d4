/* SPDX-License-Identifier: MIT */
/* Progress for other programs, see OUTPUT.md: lines of JSON on the descriptor of --progress-fd. No reader slows the
 * work down or ends it: a line that finds no room is left out, but for the last one, which waits a second. */
#ifndef TOOLS_FEED_H
#define TOOLS_FEED_H

#include "options.h"
#include "tool.h"
#include <backuptool/observer.h>

struct tool_feed {
	int fd; /* -1: nobody reads */
	double started, last;
	struct bt_progress so_far; /* as it was told last; without the path */
};

tool_option_set tool_feed_set; /* struct tool_feed, whose fd it sets */
void tool_feed_progress(const struct tool *tool, const struct bt_progress *progress);
/* Waiting for that process, which has a lock of the store. */
void tool_feed_waiting(const struct tool *tool, const char *holder);
/* The command ends with that code. */
void tool_feed_end(const struct tool *tool, int exit);

#endif
