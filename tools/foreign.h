/* SPDX-License-Identifier: MIT */
/* Symbolic links that belong to somebody else, on the way to what the user named. */
#ifndef TOOLS_FOREIGN_H
#define TOOLS_FOREIGN_H

#include "tool.h"

/* The user's name, or "user 1001"; allocated. */
char *tool_user(unsigned uid);
/* The user who asked root to run this command; 0: nobody. */
unsigned tool_asker(void);

/* Where to write, or, if dry, where it would be written, when the user names that directory; allocated. Where somebody
 * else's link leads there that is a doubt (confirm.h), and this the directory that the doubt names, since the link may
 * be another when it has been answered; if dry, it is said. With --yes, path itself. */
char *tool_foreign_doubt(const struct tool *tool, const char *path, bool dry);
/* Says, once, that somebody else's link leads to the store, or to a file of it. */
void tool_foreign_warn(const struct tool *tool, const char *path);

#endif
