/* SPDX-License-Identifier: MIT */
/* What a check and a repair print alike. */
#ifndef TOOLS_CHECK_H
#define TOOLS_CHECK_H

#include "rows.h"
#include "tool.h"
#include <backuptool/check.h>

/* Of struct bt_finding and struct bt_hurt. */
extern const struct tool_column tool_finding_columns[], tool_hurt_columns[];
void tool_finding_print(const struct bt_finding *finding);
/* A line: what, the snapshot, the path, the bytes. */
void tool_hurt_print(const char *what, const struct bt_hurt *hurt);

/* check --repair. Gives the exit code. */
int tool_repair(const struct tool *tool, struct bt_store *store, bool dry_run);

#endif
