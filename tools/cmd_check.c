/* SPDX-License-Identifier: MIT */
#include "check.h"
#include "commands.h"
#include "failure.h"
#include "hooks.h"
#include "output.h"
#include "progress.h"
#include "record.h"
#include "rows.h"
#include "selection.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
	struct tool_check_part part;
	bool repair, dry_run;
	struct tool_hooks hooks;
};

#define FIELD(name) offsetof(struct options, name)
static const struct tool_option table[] = {
	{"repair", 0, NULL, false, "make the store sound: move aside what cannot be used, say what is lost",
	 tool_set_true, FIELD(repair)},
	{"dry-run", 'n', NULL, false, "with --repair: show what would be done", tool_set_true, FIELD(dry_run)},
	{0},
};

struct report {
	const struct tool *tool;
	const struct bt_check_options *options;
	const struct bt_check_result *result;
	struct tool_talk *talk;
	struct tool_lists lists;
	FILE *text; /* what the findings are, before what they hurt in all is known */
	struct tool_harm harm;
	double seconds;
	struct tool_failure failure;
};

static struct tool_value get_subset(const void *row)
{
	char *text = tool_check_part_text(((const struct report *)row)->options);

	return (struct tool_value){.kind = text ? TOOL_OWNED : TOOL_NOTHING, .owned = text};
}

static const struct tool_column summary_columns[] = {
	{"snapshots", NULL, TOOL_VIA(TOOL_COUNT, struct report, result, snapshots)},
	{"files", NULL, TOOL_VIA(TOOL_COUNT, struct report, result, files)},
	{"pages", NULL, TOOL_VIA(TOOL_COUNT, struct report, result, pages)},
	{"contents", NULL, TOOL_VIA(TOOL_COUNT, struct report, result, contents)},
	{"bytes", NULL, TOOL_VIA(TOOL_BYTES, struct report, result, bytes)},
	{"findings", NULL, TOOL_VIA(TOOL_COUNT, struct report, result, findings)},
	{"hurt_paths", NULL, TOOL_MEMBER(TOOL_COUNT, struct report, harm.paths)},
	{"hurt_snapshots", NULL, TOOL_MEMBER(TOOL_COUNT, struct report, harm.snapshots.count)},
	{"denied", NULL, TOOL_VIA_IF_ANY(TOOL_COUNT, struct report, result, denied)},
	{"newer", NULL, TOOL_VIA_IF_ANY(TOOL_COUNT, struct report, result, newer)},
	{"in_pieces", NULL, TOOL_VIA(TOOL_COUNT, struct report, result, in_pieces)},
	{"drafts", NULL, TOOL_VIA_IF_ANY(TOOL_COUNT, struct report, result, drafts)},
	{"complete", NULL, TOOL_VIA(TOOL_FLAG, struct report, result, complete)},
	{"quick", NULL, TOOL_VIA(TOOL_FLAG, struct report, options, quick)},
	{"subset", NULL, TOOL_GET(get_subset)},
	{"seconds", NULL, TOOL_MEMBER(TOOL_SECONDS, struct report, seconds)},
	{0},
};

static const char *const lists[] = {"findings", NULL};

static void found(void *arg, const struct bt_finding *finding)
{
	struct report *report = arg;

	tool_talk_pause(report->talk);
	report->harm.in_files |= finding->file && !bt_error_is_newer(finding->error);
	if (report->tool->json)
		tool_lists_add(&report->lists, 0, tool_finding_columns, finding);
	else
		tool_finding_print(report->text, finding);
}

static void hurt(void *arg, const struct bt_hurt *hurt)
{
	tool_harm_add(&((struct report *)arg)->harm, hurt);
}

static void print_looked_at(const struct report *report)
{
	const struct bt_check_result *result = report->result;
	tool_auto char *snapshots = tool_count(result->snapshots, "snapshot", "snapshots");
	tool_auto char *files = tool_count(result->files, "file", "files");
	tool_auto char *pages = tool_count(result->pages, "page", "pages");
	tool_auto char *contents = tool_count(result->contents, "content", "contents");

	printf("%s in %s: %s, %s", snapshots, files, pages, contents);
}

static void print_drafts(uint64_t drafts)
{
	tool_auto char *files = tool_count(drafts, "file is a draft", "files are drafts");

	if (drafts)
		printf("%s from before the format was final: what they hold was read like that of all others\n", files);
}

static void print_summary(const struct report *report)
{
	const struct bt_check_options *options = report->options;
	const struct bt_check_result *result = report->result;
	tool_auto char *bytes = tool_bytes(result->bytes), *elapsed = tool_elapsed(report->seconds);
	tool_auto char *speed =
		tool_bytes((uint64_t)((double)result->bytes / (report->seconds > 0 ? report->seconds : 1)));
	tool_auto char *findings = tool_count(result->findings, "finding", "findings");
	tool_auto char *versions = tool_count(result->in_pieces, "version", "versions");

	print_looked_at(report);
	if (options->quick)
		printf("; --quick: what the contents hold was not read");
	else if (options->parts)
		printf("; part %u of %u of the contents was read", options->part, options->parts);
	else if (options->share)
		printf("; %g%% of the contents, taken at random, were read", options->share / 100.0);
	if (!options->quick)
		printf("; %s in %s (%s/s)", bytes, elapsed, speed);
	if (result->in_pieces)
		printf("; %s of large files only piece by piece", versions);
	printf("; %s\n", result->findings ? findings : "no damage found");
	print_drafts(result->drafts);
}

/* done: not ended early */
static void print_report(struct report *report, bool done)
{
	if (report->tool->json) {
		tool_check_lists_end(&report->lists, summary_columns, report, &report->failure);
	} else if (done && !report->tool->quiet) {
		print_summary(report);
	}
}

static void say_denied(const struct tool *tool, const struct bt_check_result *result)
{
	tool_auto char *files = tool_count(result->denied, "file", "files");

	tool_say(tool, "you may not read %s of the store: run the command as root, or make the files yours with chown",
		 files);
}

static void say_newer(const struct tool *tool, const struct bt_check_result *result)
{
	tool_auto char *files = tool_count(result->newer, "file", "files");

	tool_say(tool, "%s made by a newer version of this program could not be checked", files);
}

/* What is hurt in all goes before the findings. */
static void print_findings(struct report *report, const char *text)
{
	if (report->tool->json || !*text)
		return;
	if (report->harm.snapshots.count || (!report->result->denied && !report->result->newer))
		tool_harm_print(&report->harm);
	fputs(text, stdout);
}

/* What looked at little counts only if it found something. */
static void record(const struct tool *tool, struct bt_store *store, const struct bt_check_options *options,
		   const struct bt_check_result *result, int exit)
{
	tool_auto char *part = tool_check_part_text(options);

	if (result->findings || (!options->quick && !options->name_count && !tool->filter))
		tool_record_check(tool, store, exit, result->findings, part);
}

static int check(const struct tool *tool, struct bt_store *store, const struct bt_check_options *options)
{
	struct bt_check_result result = {.size = sizeof(result)};
	struct bt_error error = {0};
	struct tool_talk talk;
	struct report report = {.tool = tool, .options = options, .result = &result, .talk = &talk};
	char *text = NULL;
	size_t size;
	int code;

	report.text = open_memstream(&text, &size);
	if (!report.text)
		return tool_fail(tool, &(struct bt_error){.code = BT_E_NOMEM});
	tool_talk_begin(&talk, tool);
	if (tool->json)
		tool_lists_begin(&report.lists, lists);
	code = bt_check(store, options, found, &report, &talk.observer, &result, &error);
	report.seconds = tool_talk_seconds(&talk);
	tool_talk_end(&talk);
	fclose(report.text);
	print_findings(&report, text ? text : "");
	bool finished = !code || code == BT_E_DAMAGED || code == BT_E_INCOMPLETE;
	if (result.findings)
		tool_outcome_lacks(tool, tool_count(result.findings, "finding", "findings"));
	report.failure = tool_failure_of(tool, finished ? tool_exit_code(code) : tool_fail(tool, &error));
	print_report(&report, finished);
	if (result.denied)
		say_denied(tool, &result);
	if (result.newer)
		say_newer(tool, &result);
	if (code == BT_E_DAMAGED && !tool->json && !tool->quiet)
		tool_harm_advise(store, &report.harm);
	tool_harm_free(&report.harm);
	free(text);
	record(tool, store, options, &result, report.failure.exit);
	return report.failure.exit;
}

/* Those that are named, or that the selection leaves; none: the whole store. A check that finds nothing to look at must
 * not look like one that found no damage. */
static int find_names(const struct tool *tool, struct bt_store *store, const char **names, size_t *ret_count)
{
	const struct tool_texts texts = {(const char **)tool->operands, (size_t)tool->operand_count};

	if (texts.count)
		return tool_names_resolve(tool, store, &texts, false, names, ret_count);
	if (tool_selects_nothing(tool, store))
		return TOOL_FATAL;
	*ret_count = tool->filter ? tool_selected(tool, store, names) : 0;
	return TOOL_OK;
}

static int check_named(struct tool *tool, struct bt_store *store, struct bt_check_options *how)
{
	size_t room = (size_t)tool->operand_count + bt_store_snapshot_count(store) + 1;
	const char **names = tool_alloc(room * sizeof(*names));
	int r;

	how->names = names;
	r = find_names(tool, store, names, &how->name_count);
	if (r == TOOL_OK)
		r = check(tool, store, how);
	free(names);
	return r;
}

static int work(struct tool *tool, const void *arg)
{
	const struct options *options = arg;
	struct bt_check_options how = {.size = sizeof(how),
				       .quick = options->part.quick,
				       .part = options->part.part,
				       .parts = options->part.parts,
				       .share = options->part.share,
				       .hurt = hurt};
	struct bt_store *store;
	int r = tool_store_open(tool, false, &store);

	if (r != TOOL_OK)
		return r;
	if (options->repair && !options->dry_run)
		r = tool_store_confirm(tool, store);
	if (r == TOOL_OK)
		r = options->repair ? tool_repair(tool, store, options->dry_run) : check_named(tool, store, &how);
	bt_store_close(store);
	return r;
}

static int run_check(struct tool *tool, const void *arg)
{
	const struct options *options = arg;
	const struct tool_check_part *how = &options->part;
	static const struct tool_hooked hooked = {work, NULL};
	bool part = how->parts || how->share;

	if (how->quick && part)
		return tool_usage_error(tool, "--quick reads no contents, so there is no --subset of them");
	if (options->repair && (how->quick || part || tool->operand_count || tool->filter))
		return tool_usage_error(tool, "--repair looks at the whole store");
	if (options->dry_run && !options->repair)
		return tool_usage_error(tool, "--dry-run goes with --repair: a check changes nothing");
	return tool_hooks_around(tool, options->dry_run, &hooked, options);
}

const struct tool_command cmd_check = {
	.name = "check",
	.summary = "proves that everything can be restored, or says what cannot",
	.description = "Reads what a restore would read, verifies all of it, and beyond that every\n"
		       "byte of every file of the store: no finding means that all of it restores.\n"
		       "Damage is named with the file, the snapshots and the paths that it hurts, and\n"
		       "the command ends with 1, or with 3 if all of it may lie in files that you may\n"
		       "not read. With SNAPSHOT only what these need is read. --subset\n"
		       "reads a part of the contents, so that a large store is read in turns; --quick\n"
		       "reads none of them.\n"
		       "\n"
		       "--repair makes a damaged store sound: files with damage go to damaged/ in the\n"
		       "store, what is whole in them stays in use, and what is lost is listed. Then it\n"
		       "ends with 3; the next snapshot stores again what its directory still has.\n"
		       "What is lost in snapshots that are kept is named by each check, which ends\n"
		       "with 1, until it is stored again or these snapshots are removed.",
	.operands = "[SNAPSHOT…]",
	.example = "  backuptool check\n"
		   "  backuptool check --subset 10%\n"
		   "  backuptool check latest --quick\n"
		   "  backuptool check --repair --dry-run\n",
	.max_operands = -1,
	.ending = "the store is left whole",
	.common = TOOL_COMMON_STORE | TOOL_COMMON_SELECT | TOOL_COMMON_JSON | TOOL_COMMON_YES | TOOL_COMMON_TALK,
	.options = {{tool_check_part_options, FIELD(part)}, {table, 0}, {tool_hook_options, FIELD(hooks)}},
	.options_size = sizeof(struct options),
	.hooks = 1 + FIELD(hooks),
	.run = run_check,
};
