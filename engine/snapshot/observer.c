/* SPDX-License-Identifier: MIT */
#include "snapshot/observer.h"

#include <string.h>

static void outer_problem(void *arg, const char *path, const struct bt_error *error)
{
	bt_voice_tell(arg, path, error);
}

static void outer_sized(void *arg, enum bt_event event, const char *path, uint64_t bytes)
{
	bt_snap_told(arg, event, path, bytes);
}

static bool outer_cancelled(void *arg)
{
	return bt_voice_failed(arg) != 0;
}

void bt_snap_observer_init(struct bt_snap_observer *self, const struct bt_observer *observer)
{
	*self = (struct bt_snap_observer){0};
	bt_voice_init(&self->voice, observer, NULL);
	self->outer = (struct bt_observer){
		.size = sizeof(self->outer), .arg = self, .problem = outer_problem, .cancelled = outer_cancelled};
	if (bt_snap_wants_entries(self))
		self->outer.sized = outer_sized;
}

/* A caller that knows no sizes has those members that there were before. */
static size_t known_size(const struct bt_observer *observer)
{
	if (observer->size < offsetof(struct bt_observer, sized))
		return offsetof(struct bt_observer, sized);
	return observer->size < sizeof(*observer) ? observer->size : sizeof(*observer);
}

void bt_snap_observer_ask(struct bt_snap_observer *self)
{
	const struct bt_observer *caller = self->voice.observer;

	if (!caller || known_size(caller) < sizeof(*caller) || !caller->course)
		return;
	self->asked = caller;
	memcpy(&self->patient, caller, sizeof(*caller));
	self->patient.size = sizeof(*caller);
	self->patient.cancelled = NULL;
	self->voice.observer = &self->patient;
}

enum bt_course bt_snap_course(struct bt_snap_observer *self)
{
	enum bt_course course;

	if (!self->asked)
		return BT_COURSE_ON;
	pthread_mutex_lock(&self->voice.lock);
	course = self->asked->course(self->asked->arg);
	if (bt_cancelled(self->asked))
		course = BT_COURSE_END;
	pthread_mutex_unlock(&self->voice.lock);
	return course;
}

void bt_snap_observer_destroy(struct bt_snap_observer *self)
{
	bt_voice_free(&self->voice);
}

bool bt_snap_wants_entries(const struct bt_snap_observer *self)
{
	return bt_wants_entries(self->voice.observer);
}

void bt_snap_told(struct bt_snap_observer *self, enum bt_event event, const char *path, uint64_t bytes)
{
	if (!bt_snap_wants_entries(self))
		return;
	pthread_mutex_lock(&self->voice.lock);
	bt_tell_entry(self->voice.observer, event, path, bytes);
	pthread_mutex_unlock(&self->voice.lock);
}

void bt_snap_progress(struct bt_snap_observer *self, const struct bt_progress *so_far)
{
	struct bt_progress progress = *so_far;

	if (!self->voice.observer || !self->voice.observer->progress)
		return;
	/* Drops the estimate once it is exceeded, and while syncing. */
	if (!progress.syncing && progress.bytes <= self->expected_bytes && progress.files <= self->expected_files) {
		progress.total_files = self->expected_files;
		progress.total_bytes = self->expected_bytes;
	}
	pthread_mutex_lock(&self->voice.lock);
	self->voice.observer->progress(self->voice.observer->arg, &progress);
	pthread_mutex_unlock(&self->voice.lock);
}
