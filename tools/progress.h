/* SPDX-License-Identifier: MIT */
/* How a long command speaks while it works: problems, a line a file with -v, a progress line on a terminal. */
#ifndef TOOLS_PROGRESS_H
#define TOOLS_PROGRESS_H

#include "causes.h"
#include "tool.h"
#include <backuptool/observer.h>

struct tool_talk {
	const struct tool *tool;
	struct bt_observer observer; /* give it to the engine */
	bool line;		     /* draw a progress line */
	bool drawn;		     /* there is one on the screen */
	double started, last;
	struct tool_causes *causes; /* groups problems; NULL: each has its line */
};

/* Also begins to watch for signals. talk must stay where it is until end. */
void tool_talk_begin(struct tool_talk *talk, const struct tool *tool);
void tool_talk_pause(struct tool_talk *talk); /* before something else is printed */
void tool_talk_end(struct tool_talk *talk);   /* removes the progress line */
double tool_talk_seconds(const struct tool_talk *talk);

#endif
