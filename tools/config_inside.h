/* SPDX-License-Identifier: MIT */
/* What the files of the configuration share among themselves. */
#ifndef TOOLS_CONFIG_INSIDE_H
#define TOOLS_CONFIG_INSIDE_H

#include "config.h"

/* Where the configuration of this user is; NULL: nobody knows. Allocated. */
char *config_own_path(void);
/* "~/" at the beginning of a path as the home directory; NULL: it is not known. Allocated. */
char *config_expand(const char *path);
/* The names of the files NAME.conf beside that file, sorted; allocated. */
struct tool_texts config_beside(const char *path);
/* What is in a file that only this user and root may change. NULL: there is a problem more, unless the file may be
 * missing and is. */
char *config_read(struct config *config, const char *path, bool may_be_missing, size_t *ret_size);

/* Adds a line to a source; what is wrong with it is a problem more. Takes over both texts. */
void config_add(struct config *config, struct config_source *source, struct config_entry entry);

/* Of a file for the template of systemd: whether the line is one of its variables; then it is added as what it means.
 */
bool config_add_variable(struct config *config, struct config_source *source, const char *file, size_t line,
			 const char *name, const char *value);

/* The groups of all keys, for settings. There is room for CONFIG_GROUPS. */
#define CONFIG_GROUPS 16
void config_groups(struct config_settings *settings, struct tool_option_group *groups);

#endif
