/* SPDX-License-Identifier: MIT */
/*
 * What `backuptool status` shows and no snapshot holds: each writes down in the store how it ended (internal/state.h).
 * Where that is not possible, because the store is read-only, another user's or not there, nothing is said: it is not
 * known then.
 */
#ifndef TOOLS_RECORD_H
#define TOOLS_RECORD_H

#include "tool.h"

/* A run of that host and directory ended with this code. Gives how many in a row did not end with 0, with this one.
 * store NULL: it is opened for this. next: when the job's next one is due; 0: not known. */
uint64_t tool_record_run(const struct tool *tool, struct bt_store *store, const char *host, const char *target,
			 int exit, int64_t next);
/* Whether a run of that host and directory was ever written down in tool->store. */
bool tool_recorded_run(const struct tool *tool, const char *host, const char *target);
/* Of how many this is the last that did not end with 0, as was written down. */
uint64_t tool_recorded_failures(struct bt_store *store, const char *host, const char *target);
/* host and target "": of the whole store */
void tool_record_prune(const struct tool *tool, struct bt_store *store, const char *host, const char *target, int exit,
		       uint64_t removed);
/* part: as --subset has it; "" all */
void tool_record_check(const struct tool *tool, struct bt_store *store, int exit, uint64_t findings, const char *part);

#endif
