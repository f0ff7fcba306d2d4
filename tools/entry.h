/* SPDX-License-Identifier: MIT */
/* An entry of a snapshot as people and programs see it. */
#ifndef TOOLS_ENTRY_H
#define TOOLS_ENTRY_H

#include "rows.h"
#include "tool.h"
#include <backuptool/owners.h>
#include <backuptool/view.h>

struct tool_entry {
	const char *snapshot; /* NULL: goes without saying */
	const char *path;
	const struct bt_entry *entry;
	const struct bt_extra *extra;  /* of the entry, or NULL */
	const struct bt_owners *names; /* of its snapshot, or NULL */
};
extern const struct tool_column tool_entry_columns[]; /* of struct tool_entry, for JSON */

const char *tool_type_name(uint8_t type);			  /* "file", "dir", … as in a store */
void tool_mode_text(const struct bt_entry *entry, char text[11]); /* "drwxr-xr-x" */
char *tool_digest_text(const struct bt_digest *digest);

/* On standard error, of a file that changed while it was read: its bytes were perhaps never together in it. */
void tool_entry_say_torn(const struct tool *tool, const char *path, const struct bt_entry *entry);

/* The names of a snapshot's users and groups; NULL where they cannot be read, which is said once. */
struct bt_owners *tool_owners_open(const struct tool *tool, struct bt_store *store, const struct bt_snapshot *snapshot);

/* "-rw-r--r--  me:users  1234  2026-11-22 11:30:00  NAME", with what a link points to. names NULL: numbers.
 * human: the size has a unit. */
void tool_entry_print(const struct bt_entry *entry, const char *name, const struct bt_owners *names, bool human);

#endif
