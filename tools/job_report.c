/* SPDX-License-Identifier: MIT */
#include "job.h"
#include "output.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RUN(name, wanted, member, value)   TOOL_GETTER(struct job_run, run_##name, wanted, member, value)
#define TALLY(name, wanted, member, value) TOOL_GETTER(struct job_tally, tally_##name, wanted, member, value)
#define FREED(bytes)			   ((bytes) > 0 ? (uint64_t)(bytes) : 0)

RUN(event, TOOL_TEXT, text, self ? "run" : "")
RUN(freed, TOOL_BYTES, number, FREED(self->pruned.freed_bytes))
RUN(walk, TOOL_TEXT, text, self->taken.result.followed ? "changes" : "full")
RUN(doubt, self->taken.result.doubt ? TOOL_TEXT : TOOL_NOTHING, text, bt_doubt_name(self->taken.result.doubt))
RUN(next, self->next.seconds ? TOOL_TIME : TOOL_NOTHING, time, self->next)
RUN(failures, self->failed ? TOOL_COUNT : TOOL_NOTHING, number, self->failed_in_a_row)

/* Whether a snapshot was taken, or skipped because nothing changed. */
static bool has_result(const struct job_run *run)
{
	return !run->failed && !run->put_off;
}

/* Why there is no snapshot. What is wrong with a store that could not be opened was said in full. */
static const char *failure(const struct job_run *run)
{
	static _Thread_local char text[1024];

	if (run->put_off)
		return run->why;
	if (run->taken.result.partial) {
		tool_auto char *kept = tool_taken_interrupted(&run->taken.result);

		snprintf(text, sizeof(text), "%s", kept);
		return text;
	}
	if (run->error.code) {
		bt_error_text(&run->error, text, sizeof(text));
		return text;
	}
	if (run->exit == TOOL_NO_STORE)
		return "its store is not there, is the disk mounted?";
	if (run->exit == TOOL_LOCKED)
		return "another job protects the directory";
	return run->why ? run->why : "its store cannot be opened";
}

static struct tool_value get_run_error(const void *row)
{
	const struct job_run *self = row;
	const char *text = self->failed || self->put_off ? failure(self) : self->not_pruned;

	return (struct tool_value){.kind = text ? TOOL_TEXT : TOOL_NOTHING, .text = text};
}

/* Around those of the snapshot, which a run that failed does not have. */
static const struct tool_column before[] = {
	{"event", NULL, TOOL_GET(get_run_event)},
	{"run", NULL, TOOL_IF_ANY(TOOL_COUNT, struct job_run, number)},
	{"time", NULL, TOOL_MEMBER(TOOL_TIME, struct job_run, time)},
	{"put_off", NULL, TOOL_IF_ANY(TOOL_FLAG, struct job_run, put_off)},
};
static const struct tool_column after[] = {
	{"removed", NULL, TOOL_MEMBER(TOOL_COUNT, struct job_run, pruned.removed)},
	{"freed_bytes", NULL, TOOL_GET(get_run_freed)},
	{"kept_good", NULL, TOOL_MEMBER(TOOL_COUNT, struct job_run, kept)},
	{"walk", NULL, TOOL_GET(get_run_walk)},
	{"doubt", NULL, TOOL_GET(get_run_doubt)},
	{"missed", NULL, TOOL_MEMBER(TOOL_COUNT, struct job_run, missed)},
	{"failed_in_a_row", NULL, TOOL_GET(get_run_failures)},
	{"next_run", NULL, TOOL_GET(get_run_next)},
	{"exit", NULL, TOOL_MEMBER(TOOL_COUNT, struct job_run, exit)},
	{"error", NULL, TOOL_GET(get_run_error)},
	{0},
};

TALLY(event, TOOL_TEXT, text, self ? "summary" : "")
TALLY(freed, TOOL_BYTES, number, FREED(self->freed_bytes))

static const struct tool_column tally_columns[] = {
	{"event", NULL, TOOL_GET(get_tally_event)},
	{"runs", NULL, TOOL_MEMBER(TOOL_COUNT, struct job_tally, runs)},
	{"snapshots", NULL, TOOL_MEMBER(TOOL_COUNT, struct job_tally, snapshots)},
	{"skipped", NULL, TOOL_MEMBER(TOOL_COUNT, struct job_tally, unchanged)},
	{"incomplete", NULL, TOOL_MEMBER(TOOL_COUNT, struct job_tally, incomplete)},
	{"failed", NULL, TOOL_MEMBER(TOOL_COUNT, struct job_tally, failed)},
	{"not_pruned", NULL, TOOL_MEMBER(TOOL_COUNT, struct job_tally, not_pruned)},
	{"missed", NULL, TOOL_MEMBER(TOOL_COUNT, struct job_tally, missed)},
	{"put_off", NULL, TOOL_IF_ANY(TOOL_COUNT, struct job_tally, put_off)},
	{"new_bytes", NULL, TOOL_MEMBER(TOOL_BYTES, struct job_tally, new_bytes)},
	{"written_bytes", NULL, TOOL_MEMBER(TOOL_BYTES, struct job_tally, written_bytes)},
	{"removed", NULL, TOOL_MEMBER(TOOL_COUNT, struct job_tally, removed)},
	{"freed_bytes", NULL, TOOL_GET(get_tally_freed)},
	{"seconds", NULL, TOOL_MEMBER(TOOL_SECONDS, struct job_tally, seconds)},
	{"exit", NULL, TOOL_MEMBER(TOOL_COUNT, struct job_tally, exit)},
	{0},
};

void job_tally_add(struct job_tally *tally, const struct job_run *run)
{
	const struct bt_snapshot_result *result = &run->taken.result;

	tally->runs++;
	tally->failed += run->failed;
	tally->put_off += run->put_off;
	tally->snapshots += has_result(run) && !result->skipped && *result->name;
	tally->unchanged += has_result(run) && result->skipped;
	tally->incomplete += has_result(run) && result->errors;
	tally->not_pruned += !!run->not_pruned;
	tally->missed += run->missed;
	tally->new_bytes += result->new_bytes;
	tally->written_bytes += result->written_bytes;
	tally->removed += run->pruned.removed;
	tally->freed_bytes += run->pruned.freed_bytes;
}

static void print_taken(char **text, const struct tool_taken *taken)
{
	const struct bt_snapshot_result *result = &taken->result;
	tool_auto char *added = tool_bytes(result->new_bytes), *elapsed = tool_elapsed(taken->seconds);
	tool_auto char *losses = tool_taken_losses(result), *lacks = tool_taken_lacks(result);

	if (result->skipped)
		tool_append(text, "nothing changed since %s", *result->name ? result->name : result->parent);
	else
		tool_append(text, "%s: %" PRIu64 " new, %" PRIu64 " changed, %" PRIu64 " unchanged",
			    *result->name ? result->name : "a dry run", result->created, result->changed,
			    result->unchanged);
	if (result->vanished)
		tool_append(text, ", %" PRIu64 " vanished while read", result->vanished);
	if (!result->skipped)
		tool_append(text, "; %s added", added);
	tool_append(text, "%s", losses);
	if (result->emptied)
		tool_append(text, "; nothing is left of what the snapshot before had");
	if (lacks)
		tool_append(text, "; incomplete: %s", lacks);
	tool_append(text, "; %s", elapsed);
}

static void print_walk(char **text, const struct bt_snapshot_result *result)
{
	if (result->followed)
		tool_append(text, "; only what changed was looked at");
	else
		tool_append(text, "; everything was looked at: %s", bt_doubt_text(result->doubt));
}

static void print_pruned(char **text, const struct bt_prune_result *pruned)
{
	tool_auto char *removed = tool_count(pruned->removed, "snapshot", "snapshots");
	tool_auto char *freed = tool_bytes(FREED(pruned->freed_bytes));

	tool_append(text, "; %s removed, %s freed", removed, freed);
}

static void print_failed(char **text, const struct job_run *run)
{
	tool_append(text, "no snapshot: %s", failure(run));
	if (run->failed_in_a_row > 1)
		tool_append(text, "; %" PRIu64 " failed in a row", run->failed_in_a_row);
}

char *job_run_text(const struct job_run *run)
{
	char *text = tool_format("run %" PRIu64 ": ", run->number);

	if (run->failed)
		print_failed(&text, run);
	else if (run->put_off)
		tool_append(&text, "put off: %s", run->why);
	else
		print_taken(&text, &run->taken);
	if (has_result(run) && run->watched)
		print_walk(&text, &run->taken.result);
	if (run->pruned.removed)
		print_pruned(&text, &run->pruned);
	if (run->kept_names)
		tool_append(&text, "; no rule keeps %s, which stays", run->kept_names);
	if (run->not_pruned)
		tool_append(&text, "; %s%s", run->taken.result.emptied ? "" : "not pruned: ", run->not_pruned);
	if (run->missed) {
		tool_auto char *missed = tool_count(run->missed, "run", "runs");

		tool_append(&text, "; missed: %s due before it ended", missed);
	}
	return text;
}

char *job_next_text(const struct job_run *run)
{
	tool_auto char *time = tool_local_time(run->next);

	return tool_format("%s%s", run->next.seconds ? "; next at " : "", run->next.seconds ? time : "");
}

size_t job_run_columns(const struct job_run *run, struct tool_column *columns)
{
	size_t count = sizeof(before) / sizeof(*before);

	memcpy(columns, before, sizeof(before));
	for (size_t i = 0; (has_result(run) || run->taken.result.partial) && i < TOOL_TAKEN_COLUMNS; i++)
		columns[count++] = tool_taken_columns[i];
	memcpy(columns + count, after, sizeof(after));
	return count + sizeof(after) / sizeof(*after) - 1;
}

void job_run_print(const struct tool *tool, const struct job_run *run)
{
	struct tool_column columns[JOB_RUN_COLUMNS];
	tool_auto char *text = job_run_text(run), *next = job_next_text(run);

	if (tool->json) {
		job_run_columns(run, columns);
		tool_object_print(columns, run);
	} else if (!tool->quiet) {
		printf("%s%s\n", text, isatty(STDOUT_FILENO) ? next : "");
	}
	fflush(stdout);
}

void job_tally_print(const struct tool *tool, const struct job_tally *tally)
{
	if (tool->json)
		tool_object_print(tally_columns, tally);
	if (tool->json || tool->quiet)
		return;
	tool_auto char *runs = tool_count(tally->runs, "run", "runs");
	tool_auto char *elapsed = tool_elapsed(tally->seconds);
	tool_auto char *snapshots = tool_count(tally->snapshots, "snapshot", "snapshots");
	tool_auto char *added = tool_bytes(tally->new_bytes);
	tool_auto char *put_off = tally->put_off ? tool_format(", %" PRIu64 " put off", tally->put_off) : NULL;
	printf("%s in %s: %s, %" PRIu64 " without changes, %" PRIu64 " incomplete, %" PRIu64 " failed, %" PRIu64
	       " not pruned, %" PRIu64 " missed%s; %s added; %" PRIu64 " removed\n",
	       runs, elapsed, snapshots, tally->unchanged, tally->incomplete, tally->failed, tally->not_pruned,
	       tally->missed, put_off ? put_off : "", added, tally->removed);
}
