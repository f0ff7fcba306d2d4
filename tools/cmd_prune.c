/* SPDX-License-Identifier: MIT */
#include "commands.h"
#include "hooks.h"
#include "output.h"
#include "progress.h"
#include "record.h"
#include "retention.h"
#include "rows.h"
#include "selection.h"
#include "terminal.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options {
	struct tool_retention retention;
	struct tool_hooks hooks;
	bool dry_run;
};

static const struct tool_option table[] = {
	{"per-target", 0, NULL, false, "apply the rules to each host and directory apart", tool_set_true,
	 offsetof(struct options, retention.rules.per_target)},
	{"dry-run", 'n', NULL, false, "show what would be removed, and remove nothing", tool_set_true,
	 offsetof(struct options, dry_run)},
	{0},
};

TOOL_GETTER(struct tool_verdict, keep, TOOL_FLAG, flag, self->reasons != 0)
TOOL_GETTER(struct tool_verdict, verdict, TOOL_TEXT, text, self->reasons ? "keep" : "remove")

static struct tool_value get_reasons(const void *row)
{
	const struct tool_verdict *self = row;

	return (struct tool_value){.kind = TOOL_TEXTS, .texts = {self->words, self->word_count}};
}

static const struct tool_column columns[] = {
	{"name", "NAME", TOOL_VIA(TOOL_TEXT, struct tool_verdict, info, name), TOOL_FIT_NAME},
	{"time", "TIME", TOOL_VIA(TOOL_TIME, struct tool_verdict, info, time), TOOL_FIT_LAST},
	{"host", "HOST", TOOL_VIA_IF_DIFFERS(TOOL_TEXT, struct tool_verdict, info, host), TOOL_FIT_CUTS},
	{"target", "TARGET", TOOL_VIA(TOOL_TEXT, struct tool_verdict, info, target), TOOL_FIT_CUTS},
	{"future", NULL, TOOL_VIA(TOOL_FUTURE, struct tool_verdict, info, time)},
	{"keep", NULL, TOOL_GET(get_keep)},
	{"verdict", "VERDICT", TOOL_GET(get_verdict)},
	{"reasons", "REASONS", TOOL_GET(get_reasons), TOOL_FIT_BELOW},
	{0},
};

/* What becomes of the snapshots of one host and directory. */
struct summary {
	const char *host, *target;
	uint64_t kept, removed;
};

static const struct tool_column summary_columns[] = {
	{"host", "HOST", TOOL_IF_DIFFERS(TOOL_TEXT, struct summary, host), TOOL_FIT_CUTS},
	{"target", "TARGET", TOOL_MEMBER(TOOL_TEXT, struct summary, target), TOOL_FIT_CUTS},
	{"kept", "KEEP", TOOL_MEMBER(TOOL_COUNT, struct summary, kept)},
	{"removed", "REMOVE", TOOL_MEMBER(TOOL_COUNT, struct summary, removed)},
	{0},
};

/* The one of that host and directory, which is added if it is not there. There is room for it. */
static struct summary *summary_of(struct summary *all, size_t *count, const struct bt_snapshot_info *info)
{
	for (size_t i = *count; i-- > 0;)
		if (strcmp(all[i].target, info->target) == 0 && strcmp(all[i].host, info->host) == 0)
			return &all[i];
	all[*count] = (struct summary){.host = info->host, .target = info->target};
	return &all[(*count)++];
}

static void print_summaries(const struct tool_verdicts *verdicts)
{
	tool_auto struct summary *all = tool_alloc((verdicts->count + 1) * sizeof(*all));
	size_t count = 0;

	for (size_t i = 0; i < verdicts->count; i++) {
		struct summary *summary = summary_of(all, &count, verdicts->items[i].info);

		++*(verdicts->items[i].reasons ? &summary->kept : &summary->removed);
	}
	tool_table_print(summary_columns, all, sizeof(*all), count);
	puts("-v shows what happens to each snapshot, and why");
}

static void print_verdicts(const struct tool *tool, const struct tool_verdicts *verdicts)
{
	size_t lines = tool_terminal_lines(STDOUT_FILENO);

	if (lines && verdicts->count + 2 > lines && !tool->verbose)
		print_summaries(verdicts);
	else
		tool_table_print(columns, verdicts->items, sizeof(*verdicts->items), verdicts->count);
}

struct report {
	const struct options *options;
	const struct tool_verdicts *verdicts;
	const struct bt_prune_result *done;
	double seconds;
};

static uint64_t freed_bytes(const struct bt_prune_result *result)
{
	return result->freed_bytes > 0 ? (uint64_t)result->freed_bytes : 0;
}

static uint64_t removed(const struct tool_verdicts *verdicts, const struct bt_prune_result *result)
{
	return verdicts->removed - result->replaced;
}

static struct tool_value get_snapshots(const void *row)
{
	const struct tool_verdicts *verdicts = ((const struct report *)row)->verdicts;

	return (struct tool_value){.kind = TOOL_ROWS,
				   .rows = {columns, verdicts->items, sizeof(*verdicts->items), verdicts->count}};
}

TOOL_GETTER(struct report, removed, TOOL_COUNT, number, removed(self->verdicts, self->done))
TOOL_GETTER(struct report, kept, TOOL_COUNT, number, self->verdicts->count - removed(self->verdicts, self->done))
TOOL_GETTER(struct report, freed, TOOL_BYTES, number, freed_bytes(self->done))
TOOL_GETTER(struct report, dead, TOOL_BYTES, number, self->done->dead_bytes + self->done->stuck_bytes)

#define ROOM	      self->verdicts->room
#define IF_ROOM(kind) self->verdicts->wish.size ? (kind) : TOOL_NOTHING
TOOL_GETTER(struct report, reached, IF_ROOM(TOOL_FLAG), flag, ROOM.end == BT_ROOM_REACHED)
TOOL_GETTER(struct report, free, IF_ROOM(TOOL_BYTES), number, ROOM.free)
TOOL_GETTER(struct report, wanted_free, IF_ROOM(TOOL_BYTES), number, ROOM.wanted_free)
TOOL_GETTER(struct report, store, IF_ROOM(TOOL_BYTES), number, ROOM.store)

static const struct tool_column report_columns[] = {
	{"dry_run", NULL, TOOL_VIA(TOOL_FLAG, struct report, options, dry_run)},
	{"snapshots", NULL, TOOL_GET(get_snapshots)},
	{"removed", NULL, TOOL_GET(get_removed)},
	{"kept", NULL, TOOL_GET(get_kept)},
	{"freed_bytes", NULL, TOOL_GET(get_freed)},
	{"dead_bytes", NULL, TOOL_GET(get_dead)},
	{"verified_bytes", NULL, TOOL_VIA(TOOL_BYTES, struct report, done, proven_bytes)},
	{"room_reached", NULL, TOOL_GET(get_reached)},
	{"free_bytes", NULL, TOOL_GET(get_free)},
	{"wanted_free_bytes", NULL, TOOL_GET(get_wanted_free)},
	{"store_bytes", NULL, TOOL_GET(get_store)},
	{"seconds", NULL, TOOL_MEMBER(TOOL_SECONDS, struct report, seconds)},
	{0},
};

static void print_room(const struct tool_verdicts *verdicts)
{
	tool_auto char *store = tool_bytes(verdicts->room.store), *free = tool_bytes(verdicts->room.free);

	if (verdicts->wish.max_store)
		printf("; the store has %s", store);
	if (verdicts->room.wanted_free)
		printf("; %s of the file system are free", free);
}

static void print_result(const struct options *options, const struct tool_verdicts *verdicts,
			 const struct bt_prune_result *result)
{
	uint64_t count = removed(verdicts, result);
	tool_auto char *snapshots = tool_count(count, "snapshot", "snapshots");
	tool_auto char *freed = tool_bytes(freed_bytes(result));
	tool_auto char *dead = tool_bytes(result->dead_bytes);

	printf("%s %s, %" PRIu64 " kept; %s %s", options->dry_run ? "would remove" : "removed", snapshots,
	       verdicts->count - count, freed, options->dry_run ? "would be free" : "freed");
	if (result->dead_bytes)
		printf("; %s no longer needed stay until there is more of it", dead);
	tool_prune_print_proven(result);
	print_room(verdicts);
	putchar('\n');
}

/* A user may think that the rules count for each directory. With --all he knows that they do not. */
static void say_forgotten(const struct tool *tool, const struct options *options, const struct tool_verdicts *verdicts)
{
	const struct bt_snapshot_info *first = NULL;
	size_t count = tool_verdicts_forgotten(verdicts, &first);

	if (!count || tool->quiet || options->retention.rules.per_target || verdicts->removed == verdicts->count)
		return;
	tool_auto char *host = tool_escape(first->host);
	tool_auto char *target = tool_escape(first->target);
	tool_auto char *others =
		count > 1 ? tool_format(", nor of %zu other %s,", count - 1, count > 2 ? "directories" : "directory")
			  : tool_format("%s", "");
	tool_say(tool, "no snapshot of %s%s%s%s stays; with --per-target every directory is counted by itself", host,
		 *host ? ":" : "", target, others);
}

static void say_guarded(const struct tool *tool, const struct tool_verdicts *verdicts)
{
	tool_auto char *names = tool->quiet ? NULL : tool_verdicts_guarded(verdicts);

	if (names)
		tool_say(tool, "no rule keeps %s; what nobody needs can be removed with 'backuptool remove'", names);
}

static int say_problem(const struct tool *tool, char *problem, int result)
{
	tool_complain(tool, "%s", problem);
	free(problem);
	return result;
}

/* Before anything is removed, unless only the removing finds out what has to go. */
static void tell_verdicts(const struct tool *tool, const struct options *options, const struct tool_verdicts *verdicts)
{
	if (!tool->json && !tool->quiet)
		print_verdicts(tool, verdicts);
	say_guarded(tool, verdicts);
	say_forgotten(tool, options, verdicts);
}

static int prune(struct tool *tool, struct bt_store *store, const struct options *options)
{
	struct bt_prune_options how = {
		.size = sizeof(how), .dead_percent = options->retention.max_dead, .dry_run = options->dry_run};
	struct tool_verdicts verdicts;
	struct bt_prune_result done = {.size = sizeof(done)};
	struct bt_error error = {0};
	struct tool_talk talk;
	struct report report;
	char *problem = NULL;
	int r = tool_verdicts_make(tool, store, &options->retention, NULL, &verdicts, &problem);

	if (r != TOOL_OK)
		return say_problem(tool, problem, r);
	report = (struct report){options, &verdicts, &done, 0};
	if (!verdicts.wish.size)
		tell_verdicts(tool, options, &verdicts);
	tool_talk_begin(&talk, tool);
	r = tool_exit_code(tool_verdicts_apply(&verdicts, store, &how, &talk.observer, &done, &error));
	report.seconds = tool_talk_seconds(&talk);
	tool_talk_end(&talk);
	tool->outcome->counted = true;
	tool->outcome->removed = removed(&verdicts, &done);
	if (verdicts.wish.size)
		tell_verdicts(tool, options, &verdicts);
	if (r != TOOL_OK)
		say_problem(tool, tool_verdicts_problem(tool, &verdicts, &error, &done), r);
	if ((r == TOOL_OK || r == TOOL_INCOMPLETE) && tool->json)
		tool_object_print(report_columns, &report);
	else if ((r == TOOL_OK || r == TOOL_INCOMPLETE) && !tool->quiet)
		print_result(options, &verdicts, &done);
	tool_verdicts_free(&verdicts);
	return r;
}

static int work(struct tool *tool, const void *arg)
{
	const struct options *options = arg;
	struct bt_store *store;
	int r;

	r = tool_store_open(tool, false, &store);
	if (r != TOOL_OK)
		return r;
	r = options->dry_run ? TOOL_OK : tool_store_confirm(tool, store);
	if (r == TOOL_OK)
		r = prune(tool, store, options);
	if (r == TOOL_OK && !tool->quiet)
		tool_selects_nothing(tool, store);
	if (!options->dry_run && !tool->filter) /* else it was not of the whole store */
		tool_record_prune(tool, store, "", "", r, tool->outcome->removed);
	bt_store_close(store);
	return r;
}

static int run_prune(struct tool *tool, const void *arg)
{
	static const struct tool_hooked hooked = {work, NULL};
	const struct options *options = arg;

	if (!tool_retention_given(&options->retention))
		return tool_usage_error(
			tool, "no rule says what to keep: give --snapshot-number, --max-store or one of --keep-…");
	return tool_hooks_around(tool, options->dry_run, &hooked, options);
}

const struct tool_command cmd_prune = {
	.name = "prune",
	.summary = "removes snapshots by rules, and what only they needed",
	.description = "Every snapshot is shown with what happens to it and why; where that is more\n"
		       "than a terminal has lines, only numbers for each host and directory are, unless\n"
		       "-v is given. Hours, days, weeks,\n"
		       "months and years are those of the calendar in local time; the newest snapshot\n"
		       "of each is kept, and what any rule keeps stays. A rule that finds fewer than\n"
		       "its N keeps the oldest snapshot, too, until it has them. Each rule counts all\n"
		       "snapshots of the store, whatever they are of; with --per-target each host and\n"
		       "directory has the rules for itself. What --host, --target and --tag leave out\n"
		       "is not counted, and stays.\n"
		       "\n"
		       "Whatever the rules say, the newest complete snapshot of each host and directory\n"
		       "stays (\"newest complete\"): one in which nothing was left unread. When a\n"
		       "directory lost all of its files, or more than half of its files and of its\n"
		       "bytes, the last snapshot before that stays, too (\"before it shrank\"), until as\n"
		       "much as half is there again or you remove it by name. With --all both go by the\n"
		       "rules, too. Rules that would remove everything are refused without --all.\n"
		       "\n"
		       "With --keep-free and --max-store, snapshots go that the rules would keep, the\n"
		       "oldest first, until there is as much room, and no more than it takes: but never\n"
		       "the newest complete one of a host and directory, nor one from before it shrank,\n"
		       "nor what is pinned or has the tag of --keep-tag, nor fewer are kept than\n"
		       "--keep-last says. What is unneeded in the store's files goes before any of them.\n"
		       "How many have to go is estimated; the file system is asked after each step, and\n"
		       "no step removes more than was missing at first. Free is what ordinary users may\n"
		       "fill, without a quota. If it is not enough, what can be done is done, a sentence\n"
		       "says why, and the command ends with 3. --dry-run estimates.\n"
		       "\n"
		       "What no remaining snapshot needs is gone from the disk when the command\n"
		       "returns, but for a part of files that --max-dead leaves as they are. Killed or\n"
		       "interrupted at any moment, it leaves the store whole, and the next one goes on.\n"
		       "If any snapshot cannot be read, nothing is removed.\n"
		       "\n"
		       "What two files hold goes from one of them only when the copy in the other one\n"
		       "has been read and is right. If it is damaged, both stay, the damage is named,\n"
		       "and the command ends with 3.",
	.example = "  backuptool prune --snapshot-number 10\n"
		   "  backuptool prune --keep-daily 7 --keep-weekly 4 --keep-monthly 12 --dry-run\n"
		   "  backuptool prune --keep-free 10% --keep-last 5\n",
	.ending = "the store is left whole, and the next prune goes on",
	.common = TOOL_COMMON_STORE | TOOL_COMMON_SELECT | TOOL_COMMON_JSON | TOOL_COMMON_YES | TOOL_COMMON_TALK |
		  TOOL_COMMON_VERBOSE,
	.options = {{tool_retention_options, offsetof(struct options, retention)},
		    {tool_max_dead_option, offsetof(struct options, retention.max_dead)},
		    {table, 0},
		    {tool_hook_options, offsetof(struct options, hooks)}},
	.options_size = sizeof(struct options),
	.hooks = 1 + offsetof(struct options, hooks),
	.run = run_prune,
};
