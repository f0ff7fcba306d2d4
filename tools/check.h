/* SPDX-License-Identifier: MIT */
/* What a check and a repair print alike. */
#ifndef TOOLS_CHECK_H
#define TOOLS_CHECK_H

#include "rows.h"
#include "tool.h"
#include <backuptool/check.h>
#include <stdio.h>

/* How much is read. */
struct tool_check_part {
	bool quick;		     /* no contents */
	unsigned part, parts, share; /* as bt_check_options; all 0: everything */
};
/* Table of options for it. */
extern const struct tool_option tool_check_part_options[];
/* As --subset has it; NULL: all. Allocated. */
char *tool_check_part_text(const struct bt_check_options *options);

/* Of struct bt_finding and struct bt_hurt. */
extern const struct tool_column tool_finding_columns[], tool_hurt_columns[];
void tool_finding_print(FILE *out, const struct bt_finding *finding);
/* A line: what, the snapshot, the path, the bytes. */
void tool_hurt_print(FILE *out, const char *what, const struct bt_hurt *hurt);

/* Ends the JSON of both with their summary, a row of these columns, and with why they ended early, if they did. */
struct tool_failure;
void tool_check_lists_end(struct tool_lists *lists, const struct tool_column *columns, const void *summary,
			  const struct tool_failure *failure);

/* What all findings together hurt. */
struct tool_harm {
	struct tool_texts snapshots; /* their names, each once; owned */
	void *known;		     /* the same, for tsearch: all snapshots of a store can be hurt */
	uint64_t paths;		     /* in these */
	uint64_t last;		     /* the entry that was counted last */
	bool in_files;		     /* a file of the store is damaged, which a repair can mend */
};
void tool_harm_add(struct tool_harm *harm, const struct bt_hurt *hurt);
/* "damage hurts 462 files in 3 snapshots: …", or that it hurts none. */
void tool_harm_print(const struct tool_harm *harm);
/* What to do next, in commands. */
void tool_harm_advise(struct bt_store *store, const struct tool_harm *harm);
void tool_harm_free(struct tool_harm *harm);

/* check --repair. Gives the exit code. */
int tool_repair(const struct tool *tool, struct bt_store *store, bool dry_run);

#endif
