/* SPDX-License-Identifier: MIT */
/* The snapshot that a user's words mean, for all commands, and what is said of it. */
#ifndef TOOLS_CHOICE_H
#define TOOLS_CHOICE_H

#include "tool.h"
#include <backuptool/select.h>

/* What a command is about (bt_scope): its selection, this host or the selected one, the working directory, and what of
 * the wish is absolute. */
struct tool_scope {
	struct bt_scope scope;
	char host[BT_HOST_SIZE];
};
void tool_scope_begin(struct tool_scope *scope, const struct tool *tool, const struct tool_wish *wish);
void tool_scope_end(struct tool_scope *scope);

/*
 * The name, which is the store's, of the snapshot that wish->text means. Says what is not as it seems: that it is in
 * the future, that others were passed over, and of which directory it is when nothing tells that this is meant. Where
 * the command would delete something, it asks about the others, and refuses to guess the directory. Gives an exit code,
 * or TOOL_OK.
 */
int tool_choose(const struct tool *tool, struct bt_store *store, const struct tool_wish *wish, const char **ret_name);

/* That it is a partial snapshot, once. */
void tool_say_partial(const struct tool *tool, const char *name);

/* path as it is called from here: below the real path of the nearest directory that is there, since it may be gone with
 * some around it. Absolute, without needless slashes; allocated. */
char *tool_path_here(const char *path);

#endif
