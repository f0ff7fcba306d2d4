/* SPDX-License-Identifier: MIT */
#include "status.h"
#include "job_store.h"
#include "output.h"
#include <errno.h>
#include <internal/clock.h>
#include <internal/policy.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int compare_rows(const struct status_row *row, const char *host, const char *target)
{
	int order = strcmp(row->host, host);

	return order ? order : strcmp(row->target, target);
}

/* Where the row is, or belongs. */
static bool seek_row(const struct status *status, const char *host, const char *target, size_t *ret_index)
{
	size_t low = 0, high = status->count;
	int order = 1;

	while (low < high && order) {
		size_t middle = low + (high - low) / 2;

		order = compare_rows(&status->rows[middle], host, target);
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_index = order ? low : high;
	return !order;
}

/* NULL: there is none, and none is to be made. */
static struct status_row *row_of(struct status *status, const char *host, const char *target, bool make)
{
	size_t index;
	bool found = seek_row(status, host, target, &index);
	struct status_row *row;

	if (!found && !make)
		return NULL;
	if (!found && status->count == status->room) {
		status->room = status->room ? 2 * status->room : 8;
		status->rows = tool_realloc(status->rows, status->room * sizeof(*status->rows));
	}
	row = &status->rows[index];
	if (found)
		return row;
	memmove(row + 1, row, (status->count - index) * sizeof(*row));
	status->count++;
	*row = (struct status_row){.host = tool_format("%s", host), .target = tool_format("%s", target)};
	return row;
}

/* They come in the order of their times: those from the future last. */
static void see_snapshot(struct status *status, const char *name, const struct bt_snapshot_info *info)
{
	struct status_row *row =
		bt_filter_selects(status->filter, info) ? row_of(status, info->host, info->target, true) : NULL;
	bool future = bt_is_future(info->time.seconds, status->now.seconds);

	if (!row)
		return;
	status->snapshots++;
	row->snapshots++;
	if (row->name && ((future && !row->future) || (info->partial && !row->partial)))
		return;
	row->compared = row->name && row->future == future && row->partial == info->partial;
	row->growth = (int64_t)(info->directory_size - row->size);
	row->name = name;
	row->time = info->time;
	row->future = future;
	row->partial = info->partial;
	row->age = status->now.seconds - info->time.seconds;
	row->files = info->files;
	row->size = info->directory_size;
	row->torn = info->torn;
	row->unread = info->errors - info->torn;
}

static void see_snapshots(struct bt_store *store, struct status *status)
{
	for (size_t i = 0; i < bt_store_snapshot_count(store); i++) {
		const char *name = bt_store_snapshot_name(store, i);
		struct bt_snapshot *snapshot = NULL;
		struct bt_error error = {0};
		int code = bt_snapshot_open(store, name, &snapshot, &error);

		if (!code)
			see_snapshot(status, name, bt_snapshot_info(snapshot));
		else if (error.code == BT_E_SYSTEM && (error.sys == EACCES || error.sys == EPERM))
			status->denied++;
		else if (bt_error_is_newer(&error))
			status->newer++;
		else if (code != BT_E_NOT_FOUND)
			status->damaged++;
		bt_snapshot_close(snapshot);
	}
}

static void keep_state(struct bt_state **to, const struct bt_state *state)
{
	if (!*to)
		*to = tool_alloc(sizeof(**to));
	**to = *state;
}

/* A directory without snapshots is of interest if that is a failure: else they were removed, and that was wanted. */
static void see_state(void *arg, const struct bt_state *state)
{
	struct status *status = arg;
	const struct bt_snapshot_info whose = {.host = state->host, .target = state->target};
	bool failed =
		state->task == BT_STATE_RUN && state->exit != TOOL_OK && bt_filter_selects(status->filter, &whose);
	struct status_row *row = *state->target ? row_of(status, state->host, state->target, failed) : NULL;

	if (row && state->task == BT_STATE_RUN)
		keep_state(&row->run, state);
	else if (row && state->task == BT_STATE_PRUNE)
		keep_state(&row->prune, state);
	else if (!*state->target && state->task == BT_STATE_PRUNE)
		keep_state(&status->prune, state);
	else if (!*state->target && state->task == BT_STATE_CHECK)
		keep_state(&status->check, state);
}

/* A directory that does not change gets no new snapshots from a job that skips these. */
static void see_unchanged(const struct status *status, struct status_row *row)
{
	const struct bt_state *run = row->run;

	if (run && row->name && run->exit == TOOL_OK && !run->count && strcmp(run->snapshot, row->name) == 0 &&
	    run->time.seconds > row->time.seconds && !bt_is_future(run->time.seconds, status->now.seconds))
		row->unchanged = run->time;
}

static int64_t age_of_state(const struct status *status, const struct status_row *row)
{
	return row->unchanged.seconds ? status->now.seconds - row->unchanged.seconds : row->age;
}

static void see_job(struct bt_store *store, struct status_row *row)
{
	tool_auto char *task = job_store_task(row->host, row->target);
	char holder[BT_STATE_HOLDER_SIZE];

	if (bt_store_claimed(store, task, holder))
		row->running = tool_format("%s", holder);
	else
		row->waiting = job_store_waits(bt_store_id(store), task);
}

static void say_unread(const struct tool *tool, const struct status *status)
{
	tool_auto char *damaged = tool_count(status->damaged, "snapshot is", "snapshots are");
	tool_auto char *denied = tool_count(status->denied, "snapshot", "snapshots");
	tool_auto char *newer = tool_count(status->newer, "snapshot was", "snapshots were");

	if (status->damaged)
		tool_complain(tool, "%s damaged; 'backuptool check' says more", damaged);
	if (status->newer)
		tool_complain(tool, "%s made by a newer version of this program, which can tell more", newer);
	if (status->denied)
		tool_complain(tool, "you may not read %s", denied);
}

void status_gather(const struct tool *tool, struct bt_store *store, struct status *ret_status)
{
	struct status status = {.now = {.seconds = bt_now()}, .filter = tool->filter};

	see_snapshots(store, &status);
	bt_state_list(store, see_state, &status);
	for (size_t i = 0; i < status.count; i++) {
		see_unchanged(&status, &status.rows[i]);
		see_job(store, &status.rows[i]);
	}
	bt_store_room(store, &status.bytes);
	say_unread(tool, &status);
	*ret_status = status;
}

void status_free(struct status *status)
{
	for (size_t i = 0; i < status->count; i++) {
		free(status->rows[i].host);
		free(status->rows[i].target);
		free(status->rows[i].run);
		free(status->rows[i].prune);
		free(status->rows[i].running);
	}
	for (size_t i = 0; i < status->problems.count; i++)
		free((char *)(uintptr_t)status->problems.items[i]);
	free(status->problems.items);
	free(status->rows);
	free(status->check);
	free(status->prune);
}

bool status_is_incomplete(const struct status_row *row)
{
	return row->unread || row->partial;
}

char *status_whose(const struct status_row *row)
{
	tool_auto char *host = tool_escape(row->host), *target = tool_escape(row->target);
	char *text;

	text = tool_format("%s%s%s", host, *host ? ":" : "", target);
	return text;
}

char *status_age(int64_t seconds)
{
	static const struct {
		int64_t least, unit;
		const char *one, *many;
	} units[] = {
		{48 * 3600, 86400, "day", "days"}, {90 * 60, 3600, "h", "h"}, {90, 60, "min", "min"}, {0, 1, "s", "s"}};
	size_t i = 0;

	if (seconds < 0)
		seconds = 0;
	while (seconds < units[i].least)
		i++;
	return tool_count((uint64_t)(seconds / units[i].unit), units[i].one, units[i].many);
}

static void judge_row(struct status *status, const struct status_row *row, int64_t max_age)
{
	int64_t seconds = age_of_state(status, row);
	tool_auto char *whose = status_whose(row), *age = status_age(seconds), *limit = status_age(max_age);
	tool_auto char *unread = tool_count(row->unread, "entry", "entries");
	char *text = NULL;

	if (!row->name)
		text = tool_format("%s has no snapshot", whose);
	else if (row->future)
		text = tool_format(
			"%s: the time of its only snapshots is in the future, so how old they are is not known", whose);
	else if (seconds > max_age)
		text = tool_format("%s: the newest snapshot is %s old, more than %s", whose, age, limit);
	else if (row->partial)
		text = tool_format("%s: the newest snapshot is a part of one that was not finished", whose);
	else if (row->unread)
		text = tool_format("%s: the newest snapshot is incomplete: %s could not be read", whose, unread);
	if (text)
		tool_texts_add(&status->problems, text);
}

void status_judge_snapshots(struct status *status, int64_t max_age)
{
	if (max_age <= 0)
		return;
	if (!status->count)
		tool_texts_add(&status->problems, tool_format("the store has no snapshot"));
	for (size_t i = 0; i < status->count; i++)
		judge_row(status, &status->rows[i], max_age);
}

void status_judge_check(struct status *status, int64_t max_age)
{
	const struct bt_state *check = status->check;
	int64_t age = check ? status->now.seconds - check->time.seconds : 0;
	tool_auto char *shown = status_age(age), *limit = status_age(max_age);
	tool_auto char *findings = tool_count(check ? check->count : 0, "finding", "findings");
	char *text = NULL;

	if (max_age <= 0)
		return;
	if (!check)
		text = tool_format("when the store was checked is not known");
	else if (check->count)
		text = tool_format("the last check of the store has %s", findings);
	else if (check->exit != TOOL_OK)
		text = tool_format("the last check of the store did not end well: it ended with %" PRIu64, check->exit);
	else if (age < 0)
		text = tool_format("the time of the last check of the store is in the future");
	else if (age > max_age)
		text = tool_format("the last check of the store was %s ago, more than %s", shown, limit);
	if (text)
		tool_texts_add(&status->problems, text);
}
