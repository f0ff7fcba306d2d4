/* SPDX-License-Identifier: MIT */
/*
 * --host, --target and --tag: which snapshots a command means at all. It is one description for all commands and the
 * mount: one of the hosts, one of the directories, and one of the tags, of each that is given. Everything that looks
 * for a snapshot, or goes through them, knows only these.
 */
#ifndef TOOLS_SELECTION_H
#define TOOLS_SELECTION_H

#include "tool.h"

/* Makes tool->filter of the options, and frees both. DIR is meant as it is written, and as it is called here. */
void tool_selection_begin(struct tool *tool);
void tool_selection_end(struct tool *tool);
/* The host whose snapshots latest rather means: the one that is given, or own; NULL if all or several are. */
const char *tool_selection_host(const struct tool *tool, const char *own);

/* "--host server --tag weekly": the options as they were given, shown; allocated. */
char *tool_selection_text(const struct tool *tool);
/* Puts the names of the selected snapshots, oldest first, into names, which has room for all. A snapshot that cannot be
 * read may be meant, so it is among them. Gives their number. */
size_t tool_selected(const struct tool *tool, struct bt_store *store, const char **names);
/* Whether there is a selection, and no snapshot in it. Then it is said, with what there is in its place. */
bool tool_selects_nothing(const struct tool *tool, struct bt_store *store);

#endif
