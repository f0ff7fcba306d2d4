/* SPDX-License-Identifier: MIT */
#include "snapshot/watch.h"

static void outer_problem(void *arg, const char *path, const struct bt_error *error)
{
	bt_voice_tell(arg, path, error);
}

static void outer_entry(void *arg, enum bt_event event, const char *path)
{
	bt_snap_told(arg, event, path);
}

static bool outer_cancelled(void *arg)
{
	return bt_voice_failed(arg) != 0;
}

void bt_snap_watch_init(struct bt_snap_watch *watch, const struct bt_observer *observer)
{
	*watch = (struct bt_snap_watch){0};
	bt_voice_init(&watch->voice, observer, NULL);
	watch->outer = (struct bt_observer){.arg = watch, .problem = outer_problem, .cancelled = outer_cancelled};
	if (bt_snap_wants_entries(watch))
		watch->outer.entry = outer_entry;
}

void bt_snap_watch_destroy(struct bt_snap_watch *watch)
{
	bt_voice_free(&watch->voice);
}

bool bt_snap_wants_entries(const struct bt_snap_watch *watch)
{
	return watch->voice.observer && watch->voice.observer->entry;
}

void bt_snap_told(struct bt_snap_watch *watch, enum bt_event event, const char *path)
{
	if (!bt_snap_wants_entries(watch))
		return;
	pthread_mutex_lock(&watch->voice.lock);
	watch->voice.observer->entry(watch->voice.observer->arg, event, path);
	pthread_mutex_unlock(&watch->voice.lock);
}

bool bt_snap_progress_due(struct bt_snap_watch *watch)
{
	return bt_pace_due(&watch->pace, watch->voice.observer);
}

void bt_snap_progress(struct bt_snap_watch *watch, const struct bt_progress *so_far)
{
	struct bt_progress progress = *so_far;

	if (!watch->voice.observer || !watch->voice.observer->progress)
		return;
	/* An estimate that was passed is none any more; in the end nobody needs one. */
	if (!progress.syncing && progress.bytes <= watch->expected_bytes && progress.files <= watch->expected_files) {
		progress.total_files = watch->expected_files;
		progress.total_bytes = watch->expected_bytes;
	}
	pthread_mutex_lock(&watch->voice.lock);
	watch->voice.observer->progress(watch->voice.observer->arg, &progress);
	pthread_mutex_unlock(&watch->voice.lock);
}
