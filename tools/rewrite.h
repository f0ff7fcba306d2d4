/* SPDX-License-Identifier: MIT */
/* What 'rewrite' did, or would do. */
#ifndef TOOLS_REWRITE_H
#define TOOLS_REWRITE_H

#include "tool.h"
#include <backuptool/prune.h>
#include <backuptool/rewrite.h>

/* A snapshot that is meant. */
struct tool_rewrite_row {
	char name[64];
	char *host, *target;
	bool pinned, failed;
	struct bt_rewrite_result result;
};

struct tool_rewrite_report {
	bool dry_run, keeps; /* the originals */
	struct tool_rewrite_row *rows;
	size_t count;
	uint64_t rewritten, unchanged, failed;
	uint64_t entries, bytes; /* that go from all of them */
	uint64_t contents, content_bytes, kept_bytes;
	struct tool_texts others; /* snapshots that have some of it and stay as they are */
	struct bt_digest *purge;  /* for the prune */
	size_t purge_count;
	struct bt_prune_result done;
	double seconds;
};

/* Before something is changed, and of a dry run: the snapshots that are changed. */
void tool_rewrite_print_rows(const struct tool *tool, const struct tool_rewrite_report *report);
void tool_rewrite_print(const struct tool *tool, const struct tool_rewrite_report *report);
void tool_rewrite_free(struct tool_rewrite_report *report);

#endif
