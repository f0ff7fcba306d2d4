/* SPDX-License-Identifier: MIT */
#include "progress.h"
#include "feed.h"
#include "output.h"
#include "terminal.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REDRAW_AFTER	       0.1 /* seconds */
#define ENOUGH_FOR_AN_ESTIMATE 2.0
#define SHORTEST_PATH	       8 /* columns; less says nothing */

static void erase(struct tool_talk *talk)
{
	if (talk->drawn)
		fputs("\r\033[K", stderr);
	talk->drawn = false;
}

/* The error without the path, which stands before it, and without a phrase that says less than its detail. */
static char *problem_text(const char *path, const struct bt_error *error)
{
	struct bt_error rest = *error;
	char text[1024];

	if ((error->code == BT_E_INCOMPLETE || error->code == BT_E_UNSUPPORTED) && *error->detail)
		return tool_escape(error->detail);
	if (strcmp(error->file, path) == 0)
		*rest.file = '\0';
	bt_error_text(&rest, text, sizeof(text));
	return tool_format("%s", text);
}

static void problem(void *arg, const char *path, const struct bt_error *error)
{
	struct tool_talk *talk = arg;
	char *shown;

	if (talk->causes && !tool_causes_show(talk->causes, error))
		return;
	shown = tool_escape(path);
	tool_auto char *text = problem_text(path, error);
	erase(talk);
	tool_say(talk->tool, "%s: %s", *shown ? shown : ".", text);
	free(shown);
}

static void entry(void *arg, enum bt_event event, const char *path, uint64_t bytes)
{
	static const char letters[] = {[BT_EVENT_NEW] = 'A',	 [BT_EVENT_CHANGED] = 'M',  [BT_EVENT_UNCHANGED] = '=',
				       [BT_EVENT_DELETED] = 'D', [BT_EVENT_EXCLUDED] = 'X', [BT_EVENT_VANISHED] = 'V',
				       [BT_EVENT_REMOVED] = 'D', [BT_EVENT_BOUNDARY] = 'B', [BT_EVENT_KEPT] = 'K'};
	struct tool_talk *talk = arg;

	if (event == BT_EVENT_UNCHANGED && talk->tool->verbose < 2)
		return;
	tool_auto char *shown = tool_escape(path), *size = tool_bytes(bytes);
	erase(talk);
	printf("%c %s", (size_t)event < sizeof(letters) ? letters[event] : '?', *shown ? shown : ".");
	if (bytes != BT_SIZE_UNKNOWN)
		printf("  (%s)", size);
	putchar('\n');
}

static void waiting(void *arg, const char *holder)
{
	struct tool_talk *talk = arg;

	erase(talk);
	tool_say_waiting(talk->tool, holder);
}

static size_t terminal_width(void)
{
	size_t columns = tool_terminal_columns(STDERR_FILENO);

	return columns ? columns : 80;
}

static char *time_left(uint64_t bytes, double rate)
{
	double seconds = rate > 0 ? (double)bytes / rate : 0;

	return seconds < 60 ? tool_format("  %.0f s left", seconds + 0.5)
			    : tool_format("  %.0f min left", seconds / 60);
}

/* "  45 %" and "of 2.6 GiB" where a total is known; marking counts snapshots and has no bytes. */
static char *amount_text(const struct bt_progress *progress)
{
	uint64_t whole = progress->total_bytes, done = progress->bytes < whole ? progress->bytes : whole;
	tool_auto char *files = tool_count(progress->files, "file", "files"), *bytes = tool_bytes(progress->bytes);
	tool_auto char *total = tool_bytes(whole);
	char *text;

	if (whole > 0)
		text = tool_format("%3.0f %%  %s  %s of %s", 100.0 * (double)done / (double)whole, files, bytes, total);
	else if (progress->total_files > 0 && progress->bytes == 0)
		text = tool_format("%3.0f %%  %" PRIu64 " of %" PRIu64,
				   100.0 * (double)progress->files / (double)progress->total_files, progress->files,
				   progress->total_files);
	else
		text = tool_format("%s  %s", files, bytes);
	return text;
}

static char *speed_text(const struct tool_talk *talk, const struct bt_progress *progress)
{
	double seconds = tool_talk_seconds(talk), rate = seconds > 0 ? (double)progress->bytes / seconds : 0;
	uint64_t whole = progress->total_bytes, left = progress->bytes < whole ? whole - progress->bytes : 0;
	tool_auto char *speed = tool_bytes((uint64_t)rate);
	char *time, *text;

	if (progress->syncing)
		text = tool_format("  writing to disk");
	else if (progress->bytes == 0)
		text = tool_format("%s", "");
	else {
		time = whole > 0 && seconds >= ENOUGH_FOR_AN_ESTIMATE ? time_left(left, rate) : tool_format("%s", "");
		text = tool_format("  %s/s%s", speed, time);
		free(time);
	}
	return text;
}

/* "45 %  1234 files  1.2 GiB of 2.6 GiB  85.0 MiB/s  17 s left  …/letters/2024.odt", or as much of it as is known and
 * fits. */
static char *line_text(const struct tool_talk *talk, const struct bt_progress *progress)
{
	size_t columns = terminal_width() - 1, used, width;
	tool_auto char *amount = amount_text(progress), *speed = speed_text(talk, progress);
	tool_auto char *path = tool_escape(progress->path && !progress->syncing ? progress->path : "");
	char *text;

	used = strlen(amount) + strlen(speed) + strlen("  ");
	width = tool_width(path);
	if (*path && used + (width < SHORTEST_PATH ? width : SHORTEST_PATH) <= columns) {
		const char *end = tool_end_of(path, columns - used);

		text = tool_format("%s%s  %s%s", amount, speed, end == path ? "" : "…", end);
	} else {
		text = tool_format("%s%s", amount, speed);
		if (strlen(text) > columns)
			text[columns] = '\0';
	}
	return text;
}

static void progress_line(struct tool_talk *talk, const struct bt_progress *progress)
{
	double now = tool_clock();

	if (now - talk->last < REDRAW_AFTER && !progress->syncing)
		return;
	talk->last = now;
	tool_auto char *text = line_text(talk, progress);
	fprintf(stderr, "\r%s\033[K", text);
	fflush(stderr);
	talk->drawn = true;
}

static void tell_progress(void *arg, const struct bt_progress *progress)
{
	struct tool_talk *talk = arg;

	tool_feed_progress(talk->tool, progress);
	if (talk->line)
		progress_line(talk, progress);
}

static bool line_wanted(const struct tool *tool)
{
	const char *terminal = getenv("TERM"), *plain = getenv("NO_COLOR");

	return (!plain || !*plain) && !tool->quiet && !tool->no_progress && !tool->json &&
	       tool->feed->fd != STDERR_FILENO && isatty(STDERR_FILENO) && terminal && strcmp(terminal, "dumb") != 0;
}

void tool_talk_begin(struct tool_talk *talk, const struct tool *tool)
{
	*talk = (struct tool_talk){.tool = tool, .line = line_wanted(tool), .started = tool_clock()};
	talk->observer = (struct bt_observer){
		.size = sizeof(talk->observer),
		.arg = talk,
		.problem = problem,
		.sized = tool->verbose && !tool->json ? entry : NULL,
		.progress = talk->line || tool->feed->fd >= 0 ? tell_progress : NULL,
		.cancelled = tool_signals_cancel,
		.waiting = waiting,
	};
	tool_signals_watch(tool);
}

/* Counted from the end of one to the next, however long they take. */
static bool checkpoint_due(struct tool_talk *talk)
{
	double now = tool_clock();
	bool due = talk->checkpoint > 0 && now >= talk->checkpoint;

	if (due)
		talk->checkpoint = 0;
	else if (!(talk->checkpoint > 0))
		talk->checkpoint = now + (double)talk->checkpoint_every;
	return due;
}

static enum bt_course course(void *arg)
{
	struct tool_talk *talk = arg;

	tool_signals_ending(talk->tool, "what was read so far is kept as a partial snapshot");
	if (tool_signals_first_seen())
		return BT_COURSE_END;
	return talk->checkpoint_every > 0 && checkpoint_due(talk) ? BT_COURSE_CHECKPOINT : BT_COURSE_ON;
}

void tool_talk_checkpoints(struct tool_talk *talk, int64_t every)
{
	talk->checkpoint_every = every;
	talk->observer.course = course;
}

void tool_talk_pause(struct tool_talk *talk)
{
	erase(talk);
}

void tool_talk_end(struct tool_talk *talk)
{
	tool_signals_ending(talk->tool, NULL);
	erase(talk);
}

double tool_talk_seconds(const struct tool_talk *talk)
{
	return tool_clock() - talk->started;
}
