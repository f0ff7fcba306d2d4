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
	int64_t checkpoint_every;   /* seconds */
	double checkpoint;	    /* when the next one is due; 0: that is not known yet */
};

/* Also begins to watch for signals. talk must stay where it is until end. */
void tool_talk_begin(struct tool_talk *talk, const struct tool *tool);
/* For a snapshot, after begin: a first one has a checkpoint so often (seconds; 0: never), and ends with one when a
 * signal comes, also where the first signal cancels nothing. */
void tool_talk_checkpoints(struct tool_talk *talk, int64_t every);
void tool_talk_pause(struct tool_talk *talk); /* before something else is printed */
void tool_talk_end(struct tool_talk *talk);   /* removes the progress line */
double tool_talk_seconds(const struct tool_talk *talk);

#endif
