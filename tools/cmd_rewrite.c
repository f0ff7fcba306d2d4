/* SPDX-License-Identifier: MIT */
#include "commands.h"
#include "confirm.h"
#include "named.h"
#include "output.h"
#include "patterns.h"
#include "place.h"
#include "progress.h"
#include "retention.h"
#include "rewrite.h"
#include "selection.h"
#include <internal/clock.h>
#include <internal/policy.h>
#include <stdlib.h>
#include <string.h>

struct options {
	struct tool_texts exclude;
	const char *host, *target;
	struct {
		bool given;
		int64_t seconds;
	} time;
	bool all_snapshots, dry_run, keep_original, pinned, allow_empty;
};

static const char *set_time(void *field, const char *text)
{
	__typeof__(((struct options *)0)->time) *time = field;

	if (bt_time_parse(text, bt_now(), &time->seconds))
		return bt_time_expected(text);
	time->given = true;
	return NULL;
}

#define FIELD(name) offsetof(struct options, name)
static const struct tool_option table[] = {
	{"all-snapshots", 0, NULL, false, "mean every snapshot of the store", tool_set_true, FIELD(all_snapshots)},
	{"exclude", 'e', "PATTERN", false, "take out what matches, as in .gitignore; repeatable", tool_add_text,
	 FIELD(exclude)},
	{"exclude-from", 0, "FILE", false, "the same for each line of a file, - for standard input", tool_add_patterns,
	 FIELD(exclude)},
	{"set-host", 0, "NAME", false, "say that they are of this host", tool_set_text, FIELD(host)},
	{"set-target", 0, "DIR", false, "say that they are of this directory, an absolute path", tool_set_text,
	 FIELD(target)},
	{"set-time", 0, "TIME", false, "say that it was taken then; of one snapshot", set_time, FIELD(time)},
	{"keep-original", 0, NULL, false, "leave the old snapshots beside the new ones", tool_set_true,
	 FIELD(keep_original)},
	{"pinned", 0, NULL, false, "change what is pinned, too; it stays pinned", tool_set_true, FIELD(pinned)},
	{"allow-empty", 0, NULL, false, "allow that nothing is left of a snapshot", tool_set_true, FIELD(allow_empty)},
	{"dry-run", 'n', NULL, false, "say what would be done, and change nothing", tool_set_true, FIELD(dry_run)},
	{0},
};

struct work {
	const struct tool *tool;
	struct bt_store *store;
	const struct options *options;
	struct bt_rewrite_options how;
	struct bt_time time;
	struct tool_rewrite_report report;
};

static void add_row(struct work *work, const char *name)
{
	struct tool_rewrite_row *row = &work->report.rows[work->report.count++];
	struct bt_snapshot *snapshot = NULL;
	struct bt_error unused = {0};

	memccpy(row->name, name, 0, sizeof(row->name) - 1);
	if (bt_snapshot_open(work->store, name, &snapshot, &unused))
		return;
	row->host = tool_format("%s", bt_snapshot_info(snapshot)->host);
	row->target = tool_format("%s", bt_snapshot_info(snapshot)->target);
	row->pinned = bt_snapshot_info(snapshot)->pinned;
	bt_snapshot_close(snapshot);
}

static int choose(struct work *work)
{
	const struct tool *tool = work->tool;
	size_t count = bt_store_snapshot_count(work->store) + 1;
	tool_auto const char **names = tool_alloc(count * sizeof(*names));
	int r = tool_meant(tool, work->store, !work->options->dry_run, names, &count);

	if (r == TOOL_OK && !count && tool_selects_nothing(tool, work->store))
		r = TOOL_FATAL;
	if (r == TOOL_OK && work->options->time.given && count > 1)
		r = tool_usage_error(tool, "--set-time is for one snapshot, and %zu are meant", count);
	work->report.rows = tool_alloc((count + 1) * sizeof(*work->report.rows));
	for (size_t i = 0; i < count && r == TOOL_OK; i++)
		add_row(work, names[i]);
	return r;
}

/* What one snapshot fails at keeps the others from nothing. */
static bool is_of_this_one(int code)
{
	return code == BT_E_DAMAGED || code == BT_E_UNSUPPORTED || code == BT_E_NOT_FOUND;
}

static int fail_row(struct work *work, struct tool_rewrite_row *row, int code, const struct bt_error *error)
{
	if (code == BT_E_INVALID && row->result.empties) {
		tool_complain(
			work->tool,
			"nothing would be left of %s, so nothing was changed; 'backuptool remove' removes it, and "
			"--allow-empty leaves it empty",
			row->name);
		return TOOL_FATAL;
	}
	if (!is_of_this_one(code))
		return tool_fail(work->tool, error);
	tool_auto char *text = tool_error_text(work->tool, error);
	tool_complain(work->tool, "%s stays as it is: %s", row->name, text);
	row->result = (struct bt_rewrite_result){0};
	row->failed = true;
	return TOOL_OK;
}

/* Of a second run those that change nothing are left out. */
static int rewrite_rows(struct work *work, struct bt_rewrite_run *run, bool only_changed)
{
	int r = TOOL_OK;

	for (size_t i = 0; i < work->report.count && r == TOOL_OK; i++) {
		struct tool_rewrite_row *row = &work->report.rows[i];
		struct bt_error error = {0};

		if (only_changed && !row->result.changes)
			continue;
		row->result.size = sizeof(row->result);
		int code = bt_rewrite_snapshot(run, row->name, &row->result, &error);
		if (code)
			r = fail_row(work, row, code, &error);
	}
	return r;
}

static void keep_loss(struct tool_rewrite_report *report, const struct bt_rewrite_loss *loss)
{
	report->contents = loss->contents;
	report->content_bytes = loss->bytes;
	report->kept_bytes = loss->kept_bytes;
	for (size_t i = 0; i < loss->name_count; i++)
		tool_texts_add(&report->others, tool_format("%s", loss->names[i]));
	report->purge = tool_alloc((loss->digest_count + 1) * sizeof(*report->purge));
	report->purge_count = loss->digest_count;
	if (loss->digest_count)
		memcpy(report->purge, loss->digests, loss->digest_count * sizeof(*report->purge));
}

static void sum_up(struct tool_rewrite_report *report)
{
	report->rewritten = report->unchanged = report->failed = report->entries = report->bytes = 0;
	for (size_t i = 0; i < report->count; i++) {
		const struct tool_rewrite_row *row = &report->rows[i];

		report->failed += row->failed;
		report->rewritten += row->result.changes;
		report->unchanged += !row->failed && !row->result.changes;
		report->entries += row->result.entries;
		report->bytes += row->result.bytes;
	}
}

static void say_unused(const struct work *work, const struct bt_rewrite_run *run)
{
	const struct tool_texts *patterns = &work->options->exclude;
	const char *target = work->report.count ? work->report.rows[0].target : NULL;
	struct tool_texts unused = {0};

	for (size_t i = 0; i < patterns->count; i++)
		if (!bt_rewrite_used(run, i))
			tool_texts_add(&unused, patterns->items[i]);
	if (target && !work->tool->quiet) {
		tool_patterns_check(work->tool, target, NULL, patterns);
		tool_patterns_say_unused(work->tool, target, NULL, patterns, &unused);
	}
	free(unused.items);
}

/* What would be done, and what others need of what goes. */
static int look(struct work *work, const struct bt_observer *observer)
{
	struct bt_rewrite_loss loss = {.size = sizeof(loss)};
	struct bt_rewrite_options how = work->how;
	struct bt_rewrite_run *run;
	struct bt_error error = {0};

	how.dry_run = true;
	if (bt_rewrite_begin(work->store, &how, observer, &run, &error))
		return tool_fail(work->tool, &error);
	int r = rewrite_rows(work, run, false);
	sum_up(&work->report);
	if (r == TOOL_OK)
		say_unused(work, run);
	if (r == TOOL_OK && work->report.entries && !work->options->keep_original) {
		if (bt_rewrite_loss(run, &loss, &error))
			r = tool_fail(work->tool, &error);
		else
			keep_loss(&work->report, &loss);
	}
	bt_rewrite_end(run);
	return r;
}

static bool any_pinned(const struct work *work)
{
	for (size_t i = 0; i < work->report.count; i++) {
		const struct tool_rewrite_row *row = &work->report.rows[i];

		if (!row->pinned || !row->result.changes || work->options->pinned || work->options->keep_original)
			continue;
		tool_complain(work->tool,
			      "%s is pinned, so nothing was changed; --pinned changes it, too, and it stays pinned",
			      row->name);
		return true;
	}
	return false;
}

static int ask(const struct work *work)
{
	const struct tool_rewrite_report *report = &work->report;
	tool_auto char *entries = tool_count(report->entries, "entry", "entries"), *bytes = tool_bytes(report->bytes);
	tool_auto char *snapshots = tool_count(report->rewritten, "snapshot", "snapshots");

	if (report->keeps)
		return TOOL_OK;
	tool_store_doubt(work->tool, work->store);
	if (report->entries)
		tool_doubt(work->tool, "this takes %s (%s) out of %s for good", entries, bytes, snapshots);
	if (work->options->time.given && bt_is_future(work->options->time.seconds, bt_now()))
		tool_doubt(work->tool, "the new time is in the future");
	return tool_confirm(work->tool);
}

static int write_anew(struct work *work, const struct bt_observer *observer)
{
	struct bt_rewrite_run *run;
	struct bt_error error = {0};

	if (bt_rewrite_begin(work->store, &work->how, observer, &run, &error))
		return tool_fail(work->tool, &error);
	int r = rewrite_rows(work, run, true);
	bt_rewrite_end(run);
	sum_up(&work->report);
	return r;
}

static bool was_rewritten(const struct work *work)
{
	for (size_t i = 0; i < work->report.count; i++)
		if (work->report.rows[i].result.was_rewritten)
			return true;
	return false;
}

/* Where an earlier run has rewritten something, it may have been killed before what it took out was gone from the
 * files, and nothing tells what that is: every file with something that nobody needs is made again. */
static int prune(struct work *work, const struct bt_observer *observer)
{
	struct tool_rewrite_report *report = &work->report;
	const struct bt_prune_options how = {.size = sizeof(how),
					     .thorough = was_rewritten(work),
					     .purge = report->purge,
					     .purge_count = report->purge_count};
	tool_auto const char **names = tool_alloc((report->count + 1) * sizeof(*names));
	struct bt_error error = {0};
	size_t count = 0;

	for (size_t i = 0; i < report->count; i++)
		if (report->rows[i].result.changes)
			names[count++] = report->rows[i].name;
	report->done.size = sizeof(report->done);
	int code = bt_prune(work->store, names, count, &how, observer, &report->done, &error);
	if (!code)
		return TOOL_OK;
	tool_auto char *problem = tool_prune_problem(work->tool, &error, &report->done);
	tool_complain(work->tool, "%s", problem);
	return tool_exit_code(code);
}

static void say_left(const struct work *work)
{
	tool_auto char *left = tool_count(work->report.done.purge_left, "piece", "pieces");

	if (work->report.done.purge_left)
		tool_complain(work->tool,
			      "%s of what was taken out can still be found in files of the store, although no snapshot "
			      "needs them; run it again when there is room, or remove the snapshots beside",
			      left);
}

/* Nothing is removed, but what a killed run has left. */
static int finish_earlier(struct work *work, const struct bt_observer *observer)
{
	int r = TOOL_OK;

	if (!work->tool->quiet)
		tool_say(work->tool, "nothing is to be changed");
	if (!was_rewritten(work) || work->options->dry_run || work->options->keep_original)
		return r;
	r = tool_store_confirm(work->tool, work->store);
	return r == TOOL_OK ? prune(work, observer) : r;
}

static int change(struct work *work, const struct bt_observer *observer)
{
	int r = any_pinned(work) ? TOOL_FATAL : ask(work);

	if (r == TOOL_OK)
		r = write_anew(work, observer);
	if (r == TOOL_OK && !work->report.keeps && work->report.rewritten)
		r = prune(work, observer);
	say_left(work);
	return r;
}

static int run_all(struct work *work, struct tool_talk *talk)
{
	int r = look(work, &talk->observer);

	tool_talk_pause(talk);
	if (r != TOOL_OK)
		return r;
	tool_rewrite_print_rows(work->tool, &work->report);
	if (!work->report.rewritten)
		r = work->report.failed ? r : finish_earlier(work, &talk->observer);
	else if (!work->options->dry_run)
		r = change(work, &talk->observer);
	work->report.seconds = tool_talk_seconds(talk);
	return r;
}

static int run_opened(struct work *work)
{
	struct tool_talk talk;
	int r = choose(work);

	if (r != TOOL_OK)
		return r;
	tool_talk_begin(&talk, work->tool);
	r = run_all(work, &talk);
	tool_talk_end(&talk);
	if (r == TOOL_OK || r == TOOL_INCOMPLETE)
		tool_rewrite_print(work->tool, &work->report);
	if (r == TOOL_OK && (work->report.failed || work->report.done.purge_left))
		r = TOOL_INCOMPLETE;
	return r;
}

static int check_usage(const struct tool *tool, const struct options *options)
{
	bool named = tool->operand_count > 0;

	if (!options->exclude.count && !options->host && !options->target && !options->time.given)
		return tool_usage_error(tool, "nothing to change: give --exclude PATTERN, --set-host, --set-target or "
					      "--set-time");
	if (!named && !tool->filter && !options->all_snapshots)
		return tool_usage_error(tool,
					"say which snapshots: name them, select them with --host, --target or --tag, "
					"or give --all-snapshots");
	if (options->all_snapshots && (named || tool->filter))
		return tool_usage_error(tool, "--all-snapshots leaves nothing to be selected");
	if (options->target && *options->target != '/')
		return tool_usage_error(tool, "--set-target takes an absolute path, as snapshots have it");
	return TOOL_OK;
}

static int run_rewrite(struct tool *tool, const void *arg)
{
	const struct options *options = arg;
	tool_auto char *tidied = options->target ? tool_place_tidy(options->target) : NULL;
	tool_auto char *target = tidied ? tool_format("/%s", tidied) : NULL;
	struct work work = {.tool = tool,
			    .options = options,
			    .time = {.seconds = options->time.seconds},
			    .report = {.dry_run = options->dry_run, .keeps = options->keep_original}};
	int r = check_usage(tool, options);

	work.how = (struct bt_rewrite_options){.size = sizeof(work.how),
					       .exclude = options->exclude.items,
					       .exclude_count = options->exclude.count,
					       .host = options->host,
					       .target = target,
					       .time = options->time.given ? &work.time : NULL,
					       .empty = options->allow_empty};
	if (r == TOOL_OK)
		r = tool_store_open(tool, false, &work.store);
	if (r != TOOL_OK)
		return r;
	r = run_opened(&work);
	tool_rewrite_free(&work.report);
	bt_store_close(work.store);
	return r;
}

const struct tool_command cmd_rewrite = {
	.name = "rewrite",
	.summary = "takes paths out of snapshots, or gives them another host, directory or time",
	.description = "Each snapshot in which something matches is made again without it, under the next\n"
		       "free name of its second, with its time, host, tags, pin and expiry; then the old\n"
		       "one is removed, and what nothing needs any more is gone from the disk when the\n"
		       "command returns, however little it is. What other snapshots or other paths still\n"
		       "have stays, and the command says which. A snapshot in which nothing matches stays\n"
		       "as it is. The patterns are added to the rules of the new snapshots, so that\n"
		       "'restore --delete' leaves what matches alone.\n"
		       "\n"
		       "It asks before something goes for good; without a terminal it needs --yes. What\n"
		       "is pinned is refused without --pinned. Copies and mirrors of the store have the\n"
		       "old snapshots until they are rewritten, too, and so do files in damaged/. A\n"
		       "snapshot in the original layout cannot be rewritten: it is named, and the command\n"
		       "ends with 3.\n"
		       "\n"
		       "Killed or interrupted at any moment, it leaves the store whole, with the old\n"
		       "snapshot, the new one, or both; run it again, with --all-snapshots or the new names,\n"
		       "until nothing is to be changed.",
	.operands = "[SNAPSHOT…]",
	.example = "  backuptool rewrite --all-snapshots --exclude /secret --dry-run\n"
		   "  backuptool rewrite --host laptop -e '*.iso' -e /Downloads/\n"
		   "  backuptool rewrite --host old-name --set-host new-name\n"
		   "  backuptool rewrite --target /home/me --set-target /data/me\n",
	.max_operands = -1,
	.ending = "the store is left whole; run it again to go on",
	.common = TOOL_COMMON_STORE | TOOL_COMMON_SELECT | TOOL_COMMON_JSON | TOOL_COMMON_TALK | TOOL_COMMON_YES,
	.options = {{table, 0}},
	.options_size = sizeof(struct options),
	.run = run_rewrite,
};
