/* SPDX-License-Identifier: MIT */
#include "base/voice.h"
#include "base/fail.h"
#include <time.h>

#define PACE_NS INT64_C(100000000)

bool bt_cancelled(const struct bt_observer *observer)
{
	return observer && observer->cancelled && observer->cancelled(observer->arg);
}

void bt_tell(const struct bt_observer *observer, const char *path, const struct bt_error *problem)
{
	if (observer && observer->problem)
		observer->problem(observer->arg, path, problem);
}

static bool wants_sizes(const struct bt_observer *observer)
{
	return observer->size > offsetof(struct bt_observer, sized) && observer->sized;
}

bool bt_wants_entries(const struct bt_observer *observer)
{
	return observer && (observer->entry || wants_sizes(observer));
}

void bt_tell_entry(const struct bt_observer *observer, enum bt_event event, const char *path, uint64_t bytes)
{
	if (!bt_wants_entries(observer))
		return;
	if (wants_sizes(observer))
		observer->sized(observer->arg, event, path, bytes);
	else
		observer->entry(observer->arg, event, path);
}

bool bt_pace_due(struct bt_pace *pace, const struct bt_observer *observer)
{
	struct timespec now;

	if (!observer || !observer->progress || clock_gettime(CLOCK_MONOTONIC, &now))
		return false;
	int64_t at = now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
	if (pace->last && at - pace->last < PACE_NS)
		return false;
	pace->last = at;
	return true;
}

void bt_voice_init(struct bt_voice *voice, const struct bt_observer *observer, const char *what)
{
	*voice = (struct bt_voice){.observer = observer, .what = what};
	pthread_mutex_init(&voice->lock, NULL);
}

void bt_voice_free(struct bt_voice *voice)
{
	pthread_mutex_destroy(&voice->lock);
}

/* With the lock held. */
static int keep_first(struct bt_voice *voice, int code, const struct bt_error *error)
{
	if (!voice->error.code && error && error->code)
		voice->error = *error;
	bt_fail(&voice->error, (enum bt_code)code, NULL, voice->what);
	atomic_store(&voice->failed, voice->error.code);
	return voice->error.code;
}

int bt_voice_fail(struct bt_voice *voice, int code, const struct bt_error *error)
{
	pthread_mutex_lock(&voice->lock);
	int first = keep_first(voice, code, error);
	pthread_mutex_unlock(&voice->lock);
	return first;
}

int bt_voice_pass(struct bt_voice *voice, int code, struct bt_error *error)
{
	pthread_mutex_lock(&voice->lock);
	int first = keep_first(voice, code, NULL);
	bt_error_pass(error, &voice->error, first);
	pthread_mutex_unlock(&voice->lock);
	return first;
}

int bt_voice_failed(struct bt_voice *voice)
{
	int code = atomic_load(&voice->failed);

	if (code || !voice->observer || !voice->observer->cancelled)
		return code;
	pthread_mutex_lock(&voice->lock);
	code = atomic_load(&voice->failed);
	if (!code && bt_cancelled(voice->observer))
		code = keep_first(voice, BT_E_CANCELLED, NULL);
	pthread_mutex_unlock(&voice->lock);
	return code;
}

void bt_voice_tell(struct bt_voice *voice, const char *path, const struct bt_error *problem)
{
	pthread_mutex_lock(&voice->lock);
	bt_tell(voice->observer, path, problem);
	pthread_mutex_unlock(&voice->lock);
}
