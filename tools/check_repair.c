/* SPDX-License-Identifier: MIT */
#include "check.h"
#include "failure.h"
#include "output.h"
#include "progress.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The lists of the JSON object, in the order in which the engine speaks of them. */
static const char *const lists[] = {"findings", "repairs", "lost", NULL};
enum list { FINDINGS, REPAIRS, LOST };

struct report {
	const struct tool *tool;
	bool dry_run;
	const struct bt_check_result *check; /* before the repair */
	const struct bt_repair_result *result;
	struct tool_talk talk;
	struct tool_lists lists;
	double seconds;
	struct tool_failure failure;
};

static const struct tool_column summary_columns[] = {
	{"dry_run", NULL, TOOL_MEMBER(TOOL_FLAG, struct report, dry_run)},
	{"findings", NULL, TOOL_VIA(TOOL_COUNT, struct report, check, findings)},
	{"rewritten", NULL, TOOL_VIA(TOOL_COUNT, struct report, result, rewritten)},
	{"aside", NULL, TOOL_VIA(TOOL_COUNT, struct report, result, aside)},
	{"renamed", NULL, TOOL_VIA(TOOL_COUNT, struct report, result, renamed)},
	{"snapshots_lost", NULL, TOOL_VIA(TOOL_COUNT, struct report, result, snapshots_lost)},
	{"lost", NULL, TOOL_VIA(TOOL_COUNT, struct report, result, lost)},
	{"lost_more", NULL, TOOL_VIA_IF_ANY(TOOL_COUNT, struct report, result, lost_more)},
	{"seconds", NULL, TOOL_MEMBER(TOOL_SECONDS, struct report, seconds)},
	{0},
};

static const char *action_word(enum bt_repair_action action)
{
	static const char *const words[] = {[BT_REPAIR_REWRITTEN] = "rewritten",
					    [BT_REPAIR_ASIDE] = "aside",
					    [BT_REPAIR_RENAMED] = "renamed",
					    [BT_REPAIR_MADE_VOLUME] = "made-volume"};

	return words[action];
}

TOOL_GETTER(struct bt_repair, action, TOOL_TEXT, text, action_word(self->action))

static struct tool_value get_to(const void *row)
{
	const struct bt_repair *self = row;

	return (struct tool_value){.kind = self->to ? TOOL_TEXT : TOOL_NOTHING, .text = self->to};
}

static const struct tool_column repair_columns[] = {
	{"action", NULL, TOOL_GET(get_action)},
	{"file", NULL, TOOL_MEMBER(TOOL_TEXT, struct bt_repair, file)},
	{"to", NULL, TOOL_GET(get_to)},
	{"blocks", NULL, TOOL_MEMBER(TOOL_COUNT, struct bt_repair, blocks)},
	{"pages", NULL, TOOL_MEMBER(TOOL_COUNT, struct bt_repair, pages)},
	{0},
};

static void found(void *arg, const struct bt_finding *finding)
{
	struct report *report = arg;

	tool_talk_pause(&report->talk);
	if (report->tool->json)
		tool_lists_add(&report->lists, FINDINGS, tool_finding_columns, finding);
	else
		tool_finding_print(stdout, finding);
}

static void print_kept(const struct bt_repair *repair)
{
	tool_auto char *blocks = tool_count(repair->blocks, "block", "blocks"),
		       *pages = tool_count(repair->pages, "page", "pages");

	printf("%s and %s", blocks, pages);
}

static void print_repair(const struct bt_repair *repair)
{
	const char *would = repair->to ? "" : "would be ";

	printf("%s: ", repair->file);
	if (repair->action == BT_REPAIR_ASIDE && strcmp(repair->file, "id") == 0) {
		printf("%s\n", repair->to ? "the store has a new id: make its services again with 'backuptool schedule'"
					  : "the store would get a new one");
		return;
	}
	if (repair->action == BT_REPAIR_RENAMED)
		printf("%snamed after its time%s%s", would, repair->to ? ": " : "", repair->to ? repair->to : "");
	else if (repair->action == BT_REPAIR_MADE_VOLUME)
		printf("%smade a volume, since a file that does not lie compressed has the same name%s%s", would,
		       repair->to ? ": " : "", repair->to ? repair->to : "");
	else if (repair->action == BT_REPAIR_REWRITTEN)
		printf("%srewritten without the damaged parts", would);
	else
		printf("%smoved aside%s", would, repair->snapshot ? "; the snapshot is lost" : "");
	if (repair->to && repair->action != BT_REPAIR_RENAMED && repair->action != BT_REPAIR_MADE_VOLUME) {
		printf("; ");
		print_kept(repair);
		printf(" are kept, the file is now %s", repair->to);
	}
	putchar('\n');
}

static void done(void *arg, const struct bt_repair *repair)
{
	struct report *report = arg;

	tool_talk_pause(&report->talk);
	if (report->tool->json)
		tool_lists_add(&report->lists, REPAIRS, repair_columns, repair);
	else
		print_repair(repair);
}

static void lost(void *arg, const struct bt_hurt *hurt)
{
	struct report *report = arg;

	tool_talk_pause(&report->talk);
	if (report->tool->json)
		tool_lists_add(&report->lists, LOST, tool_hurt_columns, hurt);
	else
		tool_hurt_print(stdout, report->dry_run ? "would be lost:" : "lost:", hurt);
}

static void print_summary(const struct report *report)
{
	const struct bt_repair_result *result = report->result;
	tool_auto char *findings = tool_count(report->check->findings, "finding", "findings");
	tool_auto char *paths = tool_count(result->lost, "path", "paths");
	tool_auto char *snapshots = tool_count(result->snapshots_lost, "snapshot", "snapshots");

	if (result->lost_more)
		printf("%s %" PRIu64 " more, not named here: together the paths are too long\n",
		       report->dry_run ? "would be lost:" : "lost:", result->lost_more);
	printf("%s; %s%" PRIu64 " rewritten, %" PRIu64 " moved aside, %" PRIu64 " renamed",
	       report->check->findings ? findings : "no damage found", report->dry_run ? "would be: " : "",
	       result->rewritten, result->aside, result->renamed);
	if (result->lost || result->snapshots_lost)
		printf("; lost: %s, %s%s. The next snapshot stores again what its directory still has%s", snapshots,
		       paths, report->dry_run ? " at most" : "",
		       result->lost ? "; until then 'check' names what is lost and ends with 1. To give it up, remove "
				      "the snapshots that have it"
				    : "");
	else
		printf("; nothing %s lost", report->dry_run ? "would be" : "is");
	putchar('\n');
}

static void print_report(struct report *report, bool finished)
{
	if (report->tool->json)
		tool_check_lists_end(&report->lists, summary_columns, report, &report->failure);
	else if (finished && !report->tool->quiet)
		print_summary(report);
}

int tool_repair(const struct tool *tool, struct bt_store *store, bool dry_run)
{
	struct bt_check_result check = {.size = sizeof(check)};
	struct bt_repair_result result = {.size = sizeof(result)};
	struct bt_error error = {0};
	struct report report = {.tool = tool, .dry_run = dry_run, .check = &check, .result = &result};
	const struct bt_repair_options options = {.size = sizeof(options),
						  .dry_run = dry_run,
						  .arg = &report,
						  .found = found,
						  .done = done,
						  .lost = lost};
	int code;

	tool_talk_begin(&report.talk, tool);
	if (tool->json)
		tool_lists_begin(&report.lists, lists);
	code = bt_repair(store, &options, &report.talk.observer, &check, &result, &error);
	report.seconds = tool_talk_seconds(&report.talk);
	tool_talk_end(&report.talk);
	bool finished = !code || code == BT_E_DAMAGED || code == BT_E_INCOMPLETE;
	report.failure = tool_failure_of(tool, finished ? tool_exit_code(code) : tool_fail(tool, &error));
	print_report(&report, finished);
	return report.failure.exit;
}
