/* SPDX-License-Identifier: MIT */
#include "snapshot/watch.h"

#include "base/fail.h"

static void outer_problem(void *arg, const char *path, const struct bt_error *error)
{
	bt_snap_problem(arg, path, error);
}

static void outer_entry(void *arg, enum bt_event event, const char *path)
{
	bt_snap_told(arg, event, path);
}

static bool outer_cancelled(void *arg)
{
	return bt_snap_stopped(arg) != 0;
}

void bt_snap_watch_init(struct bt_snap_watch *watch, const struct bt_observer *observer)
{
	*watch = (struct bt_snap_watch){.inner = observer};
	watch->outer = (struct bt_observer){.arg = watch, .problem = outer_problem, .cancelled = outer_cancelled};
	if (bt_snap_wants_entries(watch))
		watch->outer.entry = outer_entry;
	pthread_mutex_init(&watch->lock, NULL);
}

void bt_snap_watch_destroy(struct bt_snap_watch *watch)
{
	pthread_mutex_destroy(&watch->lock);
}

static void keep_failure(struct bt_snap_watch *watch, int code, const struct bt_error *error)
{
	if (watch->error.code != 0)
		return;
	if (error && error->code != 0)
		watch->error = *error;
	else
		bt_fail(&watch->error, code, NULL, NULL);
	atomic_store(&watch->stop, true);
}

int bt_snap_fail(struct bt_snap_watch *watch, int code, const struct bt_error *error)
{
	pthread_mutex_lock(&watch->lock);
	keep_failure(watch, code, error);
	code = watch->error.code;
	pthread_mutex_unlock(&watch->lock);
	return code;
}

int bt_snap_stopped(struct bt_snap_watch *watch)
{
	bool asks = watch->inner && watch->inner->cancelled;

	if (!asks && !atomic_load(&watch->stop))
		return 0;
	pthread_mutex_lock(&watch->lock);
	if (asks && watch->error.code == 0 && watch->inner->cancelled(watch->inner->arg))
		keep_failure(watch, BT_E_CANCELLED, NULL);
	int code = watch->error.code;
	pthread_mutex_unlock(&watch->lock);
	return code;
}

void bt_snap_problem(struct bt_snap_watch *watch, const char *path, const struct bt_error *error)
{
	if (!watch->inner || !watch->inner->problem)
		return;
	pthread_mutex_lock(&watch->lock);
	watch->inner->problem(watch->inner->arg, path, error);
	pthread_mutex_unlock(&watch->lock);
}

bool bt_snap_wants_entries(const struct bt_snap_watch *watch)
{
	return watch->inner && watch->inner->entry;
}

void bt_snap_told(struct bt_snap_watch *watch, enum bt_event event, const char *path)
{
	if (!bt_snap_wants_entries(watch))
		return;
	pthread_mutex_lock(&watch->lock);
	watch->inner->entry(watch->inner->arg, event, path);
	pthread_mutex_unlock(&watch->lock);
}

bool bt_snap_progress_due(struct bt_snap_watch *watch)
{
	return bt_pace_due(&watch->pace, watch->inner);
}

void bt_snap_progress(struct bt_snap_watch *watch, const struct bt_progress *so_far)
{
	struct bt_progress progress = *so_far;

	if (!watch->inner || !watch->inner->progress)
		return;
	/* An estimate that was passed is none any more; in the end nobody needs one. */
	if (!progress.syncing && progress.bytes <= watch->expected_bytes && progress.files <= watch->expected_files) {
		progress.total_files = watch->expected_files;
		progress.total_bytes = watch->expected_bytes;
	}
	pthread_mutex_lock(&watch->lock);
	watch->inner->progress(watch->inner->arg, &progress);
	pthread_mutex_unlock(&watch->lock);
}
