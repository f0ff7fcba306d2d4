/* SPDX-License-Identifier: MIT */
/* For long work: calls of the caller's observer, the question whether to go on, and the first failure. */
#ifndef BT_BASE_VOICE_H
#define BT_BASE_VOICE_H

#include <backuptool/observer.h>
#include <pthread.h>
#include <stdatomic.h>

/* Whether the observer wants the work to end. observer may be NULL, here and below. */
bool bt_cancelled(const struct bt_observer *observer);
void bt_tell(const struct bt_observer *observer, const char *path, const struct bt_error *problem);
/* Whether to call bt_tell_entry, and so to make its path. */
bool bt_wants_entries(const struct bt_observer *observer);
/* bytes as for the observer's sized. */
void bt_tell_entry(const struct bt_observer *observer, enum bt_event event, const char *path, uint64_t bytes);

/* The time of the last report; zeroed: never. For one thread at a time. */
struct bt_pace {
	int64_t last; /* nanoseconds */
};

/* Whether there is a progress function that was not called for a tenth of a second; if so, this counts as a call.
 * Prepare the report, above all its path, only after this returned true. */
bool bt_pace_due(struct bt_pace *pace, const struct bt_observer *observer);

/* For work in several threads: the observer is called by one of them at a time, and the first failure ends the work. */
struct bt_voice {
	const struct bt_observer *observer;
	const char *what;      /* detail of failures of which only the code is known; may be NULL */
	pthread_mutex_t lock;  /* held while the observer is called */
	struct bt_error error; /* the first failure */
	atomic_int failed;     /* its code */
};

void bt_voice_init(struct bt_voice *voice, const struct bt_observer *observer, const char *what);
void bt_voice_free(struct bt_voice *voice);
/* Keeps the failure unless there is one. error may be NULL or empty, then code is all that is known. Returns the code
 * of the first. */
int bt_voice_fail(struct bt_voice *voice, int code, const struct bt_error *error);
/* The code of the first failure, asking the observer whether to go on; 0 to go on. */
int bt_voice_failed(struct bt_voice *voice);
/* After a failure with this code, which is kept unless there is one: fills error with the first, and returns its code.
 */
int bt_voice_pass(struct bt_voice *voice, int code, struct bt_error *error);
void bt_voice_tell(struct bt_voice *voice, const char *path, const struct bt_error *problem);

#endif
