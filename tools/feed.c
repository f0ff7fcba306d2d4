/* SPDX-License-Identifier: MIT */
#include "feed.h"
#include "output.h"
#include "rows.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LINE_AFTER	0.1  /* seconds */
#define LAST_LINE_WAITS 1000 /* milliseconds */

struct line {
	const char *phase, *holder;
	const struct bt_progress *progress;
	double seconds;
	uint64_t code;
	bool ended;
};

TOOL_GETTER(struct line, code, self->ended ? TOOL_COUNT : TOOL_NOTHING, number, self->code)

#define PROGRESS(kind, member)	      TOOL_VIA(kind, struct line, progress, member)
#define PROGRESS_IF_ANY(kind, member) TOOL_VIA_IF_ANY(kind, struct line, progress, member)
static const struct tool_column columns[] = {
	{"phase", NULL, TOOL_MEMBER(TOOL_TEXT, struct line, phase)},
	{"files", NULL, PROGRESS(TOOL_COUNT, files)},
	{"total_files", NULL, PROGRESS_IF_ANY(TOOL_COUNT, total_files)},
	{"bytes", NULL, PROGRESS(TOOL_BYTES, bytes)},
	{"total_bytes", NULL, PROGRESS_IF_ANY(TOOL_BYTES, total_bytes)},
	{"path", NULL, PROGRESS_IF_ANY(TOOL_TEXT, path)},
	{"holder", NULL, TOOL_IF_ANY(TOOL_TEXT, struct line, holder)},
	{"seconds", NULL, TOOL_MEMBER(TOOL_SECONDS, struct line, seconds)},
	{"code", NULL, TOOL_GET(get_code)},
	{0},
};

/* Standard output belongs to what the command prints. */
const char *tool_feed_set(void *field, const char *text)
{
	struct tool_feed *feed = *(struct tool_feed **)field;
	char *end;
	unsigned long fd = *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : 0;
	int flags = fd >= STDERR_FILENO && fd <= INT_MAX && !*end ? fcntl((int)fd, F_GETFL) : -1;

	if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
		return "the number of a descriptor from 2 on that is open for writing";
	feed->fd = (int)fd;
	if (feed->fd > STDERR_FILENO) /* of no hook */
		fcntl(feed->fd, F_SETFD, FD_CLOEXEC);
	return NULL;
}

static bool has_room(int fd, int wait)
{
	struct pollfd there = {.fd = fd, .events = POLLOUT};

	return poll(&there, 1, wait) == 1;
}

/* 0 or -errno. A reader that has gone must not end the program. */
static int write_quietly(int fd, const char *text, size_t size)
{
	const struct timespec now = {0};
	sigset_t broken, before;
	ssize_t written;
	int failed;

	sigemptyset(&broken);
	sigaddset(&broken, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &broken, &before);
	do
		written = write(fd, text, size);
	while (written < 0 && errno == EINTR);
	failed = written == (ssize_t)size ? 0 : written < 0 ? -errno : -EPIPE;
	if (failed == -EPIPE)
		sigtimedwait(&broken, NULL, &now);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed;
}

/* A pipe takes a line of this length as a whole or not at all: one that is longer goes without its path. */
static char *line_text(const struct line *line, size_t *ret_size)
{
	struct bt_progress without = line->progress ? *line->progress : (struct bt_progress){0};
	struct line shorter = *line;
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_size);

	if (!out)
		return NULL;
	tool_object_write(out, columns, line);
	if (fclose(out) == 0 && (*ret_size <= PIPE_BUF || !without.path))
		return text;
	free(text);
	without.path = NULL;
	shorter.progress = &without;
	return line_text(&shorter, ret_size);
}

static void send_line(struct tool_feed *feed, struct line line, int wait)
{
	size_t size = 0;

	line.seconds = tool_clock() - feed->started;
	tool_auto char *text = line_text(&line, &size);
	int r = text && has_room(feed->fd, wait) ? write_quietly(feed->fd, text, size) : 0;
	if (r && r != -EAGAIN)
		feed->fd = -1;
}

void tool_feed_progress(const struct tool *tool, const struct bt_progress *progress)
{
	struct tool_feed *feed = tool->feed;
	double now = tool_clock();
	bool changed = progress->syncing != feed->so_far.syncing;

	if (feed->fd < 0)
		return;
	feed->so_far = *progress;
	feed->so_far.path = NULL;
	if (now - feed->last < LINE_AFTER && !changed)
		return;
	feed->last = now;
	send_line(feed, (struct line){.phase = progress->syncing ? "syncing" : "working", .progress = progress}, 0);
}

void tool_feed_waiting(const struct tool *tool, const char *holder)
{
	if (tool->feed->fd >= 0)
		send_line(tool->feed, (struct line){.phase = "waiting", .holder = holder}, 0);
}

void tool_feed_end(const struct tool *tool, int exit)
{
	const struct line line = {
		.phase = "ended", .progress = &tool->feed->so_far, .code = (uint64_t)exit, .ended = true};

	if (tool->feed->fd >= 0)
		send_line(tool->feed, line, LAST_LINE_WAITS);
}
