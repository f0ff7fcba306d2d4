/* SPDX-License-Identifier: MIT */
#include "commands.h"
#include "confirm.h"
#include "foreign.h"
#include "output.h"
#include "progress.h"
#include "rows.h"
#include <backuptool/mirror.h>
#include <stdio.h>
#include <stdlib.h>

struct options {
	bool delete, dry_run;
};

static const struct tool_option table[] = {
	{"delete", 0, NULL, false, "remove from the mirror what the store does not have any more", tool_set_true,
	 offsetof(struct options, delete)},
	{"dry-run", 'n', NULL, false, "say what would be done, and write nothing", tool_set_true,
	 offsetof(struct options, dry_run)},
	{0},
};

struct report {
	const char *mirror;
	bool dry_run;
	struct bt_mirror_result done;
	double seconds;
};

static const struct tool_column columns[] = {
	{"mirror", NULL, TOOL_MEMBER(TOOL_TEXT, struct report, mirror)},
	{"dry_run", NULL, TOOL_MEMBER(TOOL_FLAG, struct report, dry_run)},
	{"snapshots", NULL, TOOL_MEMBER(TOOL_COUNT, struct report, done.snapshots)},
	{"added", NULL, TOOL_MEMBER(TOOL_COUNT, struct report, done.added)},
	{"replaced", NULL, TOOL_MEMBER(TOOL_COUNT, struct report, done.replaced)},
	{"removed", NULL, TOOL_MEMBER(TOOL_COUNT, struct report, done.removed)},
	{"extra", NULL, TOOL_MEMBER(TOOL_COUNT, struct report, done.extra)},
	{"newer", NULL, TOOL_MEMBER(TOOL_COUNT, struct report, done.newer)},
	{"files", NULL, TOOL_MEMBER(TOOL_COUNT, struct report, done.files)},
	{"bytes", NULL, TOOL_MEMBER(TOOL_BYTES, struct report, done.bytes)},
	{"unread", NULL, TOOL_MEMBER(TOOL_COUNT, struct report, done.unread)},
	{"seconds", NULL, TOOL_MEMBER(TOOL_SECONDS, struct report, seconds)},
	{0},
};

static void print_report(const struct tool *tool, const struct report *report)
{
	const struct bt_mirror_result *done = &report->done;
	uint64_t extra = done->extra - done->removed;
	bool dry = report->dry_run;

	if (tool->json)
		tool_object_print(columns, report);
	if (tool->json || tool->quiet)
		return;
	tool_auto char *added = tool_count(done->added, "snapshot", "snapshots");
	tool_auto char *bytes = tool_bytes(done->bytes), *elapsed = tool_elapsed(report->seconds);
	printf("%s %s", dry ? "would add" : "added", added);
	if (done->replaced)
		printf(", %s %llu", dry ? "replace" : "replaced", (unsigned long long)done->replaced);
	if (done->removed)
		printf(", %s %llu", dry ? "remove" : "removed", (unsigned long long)done->removed);
	if (dry)
		printf("; %s to copy\n", bytes);
	else
		printf("; %s copied in %s\n", bytes, elapsed);
	if (extra)
		printf("%llu %s in the mirror that the store does not have any more; --delete removes %s\n",
		       (unsigned long long)extra, extra == 1 ? "snapshot is" : "snapshots are",
		       extra == 1 ? "it" : "them");
}

static int mirror(const struct tool *tool, struct bt_store *store, const char *place, const struct options *options,
		  bool dry_run, struct report *report)
{
	const struct bt_mirror_options how = {.size = sizeof(how), .delete_extra = options->delete, .dry_run = dry_run};
	struct bt_error error = {0};
	struct tool_talk talk;

	report->done = (struct bt_mirror_result){.size = sizeof(report->done)};
	tool_talk_begin(&talk, tool);
	int code = bt_mirror(store, place, &how, &talk.observer, &report->done, &error);
	report->seconds = tool_talk_seconds(&talk);
	tool_talk_end(&talk);
	return code ? tool_fail(tool, &error) : TOOL_OK;
}

static void doubt_locks(const struct tool *tool, const char *place)
{
	const struct bt_store_options how = {.size = sizeof(how), .read_only = true};
	struct bt_error unused = {0};
	struct bt_store *store;

	if (bt_store_open(place, &how, &store, &unused))
		return;
	tool_store_doubt(tool, store);
	bt_store_close(store);
}

/* A store that lost much, or a disk that is not the one that is meant, must not take the mirror with it. */
static int ask(const struct tool *tool, struct bt_store *store, const char *place, const struct options *options)
{
	struct report report = {0};

	if (!options->delete || tool->yes)
		return TOOL_OK;
	int r = mirror(tool, store, place, options, true, &report);
	if (r != TOOL_OK && r != TOOL_INCOMPLETE)
		return r;
	if (report.done.extra > report.done.snapshots) {
		tool_auto char *extra = tool_count(report.done.extra, "snapshot", "snapshots");

		tool_doubt(tool, "this removes %s from the mirror, more than the store has", extra);
	}
	if (report.done.newer) {
		tool_auto char *newer = tool_count(report.done.newer, "snapshot", "snapshots");

		tool_doubt(tool, "this removes %s from the mirror, newer than all that the store has", newer);
	}
	doubt_locks(tool, place);
	return tool_confirm(tool);
}

static int mirror_to(const struct tool *tool, struct bt_store *store, const struct options *options)
{
	struct report report = {.mirror = tool->operands[0], .dry_run = options->dry_run};
	tool_auto char *place = tool_foreign_doubt(tool, tool->operands[0], options->dry_run);
	int r = options->dry_run ? TOOL_OK : ask(tool, store, place, options);

	if (r == TOOL_OK)
		r = mirror(tool, store, place, options, options->dry_run, &report);
	if (r == TOOL_OK || r == TOOL_INCOMPLETE)
		print_report(tool, &report);
	return r;
}

static int run_mirror(struct tool *tool, const void *options)
{
	struct bt_store *store;
	int r = tool_store_open(tool, false, &store);

	if (r != TOOL_OK)
		return r;
	r = mirror_to(tool, store, options);
	bt_store_close(store);
	return r;
}

const struct tool_command cmd_mirror = {
	.name = "mirror",
	.summary = "makes a directory have the same files as the store",
	.description = "DIR gets all snapshots and volumes, byte for byte, and the id of the store. It is\n"
		       "a store like any other: list it, mount it, check it, restore from it. Only what is\n"
		       "new is copied, in an order that keeps it a whole store at every moment, so\n"
		       "a disk may be pulled out. Jobs of the store go on meanwhile. Snapshots that the\n"
		       "store does not have any more stay in the mirror, until --delete removes them; if\n"
		       "they are more than the store has, or newer, it asks. Another store is never overwritten.\n"
		       "'copy' brings single snapshots into a store that has others.",
	.operands = "DIR",
	.example = "  backuptool mirror /mnt/usb/backup\n"
		   "  backuptool mirror --delete --store /srv/backup /mnt/second/backup\n",
	.min_operands = 1,
	.max_operands = 1,
	.ending = "what is copied so far stays; run it again to go on",
	.common = TOOL_COMMON_STORE | TOOL_COMMON_JSON | TOOL_COMMON_TALK | TOOL_COMMON_YES,
	.options = {{table, 0}},
	.options_size = sizeof(struct options),
	.run = run_mirror,
};
