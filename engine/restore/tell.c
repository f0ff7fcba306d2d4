/* SPDX-License-Identifier: MIT */
#include "restore/tell.h"
#include "base/fail.h"
#include "restore/place.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

void bt_tell_init(struct bt_tell *tell, const struct bt_observer *observer)
{
	*tell = (struct bt_tell){.observer = observer};
	pthread_mutex_init(&tell->lock, NULL);
}

void bt_tell_free(struct bt_tell *tell)
{
	for (int i = 0; i < BT_LACKS; i++)
		free(tell->lacks[i].first);
	pthread_mutex_destroy(&tell->lock);
}

static void tell_problem(struct bt_tell *tell, const char *path, const struct bt_error *error)
{
	if (tell->observer && tell->observer->problem)
		tell->observer->problem(tell->observer->arg, path, error);
}

void bt_tell_problem(struct bt_tell *tell, const struct bt_place *place, const char *name, const struct bt_error *error)
{
	char *path = bt_place_path(place, name);
	pthread_mutex_lock(&tell->lock);
	tell->result.errors++;
	tell_problem(tell, path ? path : name ? name : "", error);
	pthread_mutex_unlock(&tell->lock);
	free(path);
	if (error->code == BT_E_NOMEM)
		bt_tell_stop(tell, error->code, error);
}

void bt_tell_unwritten(struct bt_tell *tell, const struct bt_place *place, const char *name,
		       const struct bt_error *error)
{
	bt_tell_problem(tell, place, name, error);
	if (!place->foreign && (error->sys == ENOSPC || error->sys == EDQUOT || error->sys == EROFS))
		bt_tell_stop(tell, error->code, error);
}

void bt_tell_forbidden(struct bt_tell *tell, const struct bt_place *place, const char *name)
{
	struct bt_error error = {0};
	bt_fail(&error, BT_E_INCOMPLETE, NULL,
		"it may not be changed: take that flag from it, or from its directory, with 'chattr -i -a' first");
	bt_tell_problem(tell, place, name, &error);
}

void bt_tell_more(struct bt_tell *tell, const struct bt_place *place, const char *name, const struct bt_error *error)
{
	char *path = bt_place_path(place, name);
	pthread_mutex_lock(&tell->lock);
	tell_problem(tell, path ? path : name ? name : "", error);
	pthread_mutex_unlock(&tell->lock);
	free(path);
}

void bt_tell_sys(struct bt_tell *tell, const struct bt_place *place, const char *name, int sys, const char *what)
{
	struct bt_error error = {0};
	bt_fail_sys(&error, sys, NULL, what);
	bt_tell_problem(tell, place, name, &error);
}

void bt_tell_unwritten_sys(struct bt_tell *tell, const struct bt_place *place, const char *name, int sys,
			   const char *what)
{
	struct bt_error error = {0};
	bt_fail_sys(&error, sys, NULL, what);
	bt_tell_unwritten(tell, place, name, &error);
}

void bt_tell_lack(struct bt_tell *tell, enum bt_lack lack, const struct bt_place *place, const char *name)
{
	pthread_mutex_lock(&tell->lock);
	if (!tell->lacks[lack].count++)
		tell->lacks[lack].first = bt_place_path(place, name);
	if (lack == BT_LACK_XATTR)
		tell->result.errors++;
	pthread_mutex_unlock(&tell->lock);
}

void bt_tell_lacks(struct bt_tell *tell)
{
	static const char *const whats[] = {
		[BT_LACK_OWNER] = "no right to set the owner",
		[BT_LACK_DEVICE] = "no right to make devices",
		[BT_LACK_PRIVILEGED] = "no right to set some extended attributes",
		[BT_LACK_XATTR] = "the file system has no such extended attributes",
		[BT_LACK_TIME] = "the file system cannot hold such a time and keeps one near it",
		[BT_LACK_FLAGS] = "some inode flags or the project id cannot be set here",
	};
	for (int i = 0; i < BT_LACKS; i++) {
		char text[160];
		struct bt_error error = {0};
		uint64_t count = tell->lacks[i].count;
		if (!count)
			continue;
		snprintf(text, sizeof(text), "%s (%llu %s)", whats[i], (unsigned long long)count,
			 count == 1 ? "entry" : "entries");
		bt_fail(&error, BT_E_UNSUPPORTED, NULL, text);
		tell_problem(tell, tell->lacks[i].first ? tell->lacks[i].first : "", &error);
	}
}

/* With the lock held. */
static void tell_progress(struct bt_tell *tell, const struct bt_place *place, const char *name)
{
	if (!bt_pace_due(&tell->pace, tell->observer))
		return;
	char *path = bt_place_path(place, name);
	tell->progress.path = path;
	tell->observer->progress(tell->observer->arg, &tell->progress);
	tell->progress.path = NULL;
	free(path);
}

/* With the lock held. */
static void tell_entry(struct bt_tell *tell, enum bt_event event, const struct bt_place *place, const char *name)
{
	if (!tell->observer || !tell->observer->entry)
		return;
	char *path = bt_place_path(place, name);
	tell->observer->entry(tell->observer->arg, event, path ? path : name ? name : "");
	free(path);
}

void bt_tell_done(struct bt_tell *tell, enum bt_event event, const struct bt_place *place, const char *name,
		  uint8_t type)
{
	struct bt_restore_result *result = &tell->result;
	pthread_mutex_lock(&tell->lock);
	++*(type == BT_FILE ? &result->files : type == BT_DIR ? &result->directories : &result->others);
	++*(event == BT_EVENT_UNCHANGED ? &result->unchanged : &result->written);
	tell->progress.files += type == BT_FILE;
	tell_entry(tell, event, place, name);
	tell_progress(tell, place, name);
	pthread_mutex_unlock(&tell->lock);
}

void bt_tell_deleted(struct bt_tell *tell, const struct bt_place *place, const char *name, uint64_t count)
{
	pthread_mutex_lock(&tell->lock);
	tell->result.deleted += count;
	if (count)
		tell_entry(tell, BT_EVENT_DELETED, place, name);
	pthread_mutex_unlock(&tell->lock);
}

/* No failure of an entry, but something to know. */
static void tell_note(struct bt_tell *tell, const struct bt_place *place, const char *name, const char *text)
{
	struct bt_error error = {0};
	bt_fail(&error, BT_E_INCOMPLETE, NULL, text);
	bt_tell_more(tell, place, name, &error);
}

static void count_up(struct bt_tell *tell, uint64_t *counter)
{
	pthread_mutex_lock(&tell->lock);
	++*counter;
	pthread_mutex_unlock(&tell->lock);
}

void bt_tell_left(struct bt_tell *tell, const struct bt_place *place, const char *name)
{
	pthread_mutex_lock(&tell->lock);
	tell->result.boundaries++;
	tell_entry(tell, BT_EVENT_BOUNDARY, place, name);
	pthread_mutex_unlock(&tell->lock);
	tell_note(tell, place, name, "another file system, left as it is");
}

void bt_tell_torn(struct bt_tell *tell, const struct bt_place *place, const char *name)
{
	count_up(tell, &tell->result.torn);
	tell_note(tell, place, name, "it changed while the snapshot was taken");
}

void bt_tell_by_time(struct bt_tell *tell)
{
	count_up(tell, &tell->result.by_time);
}

void bt_tell_in_pieces(struct bt_tell *tell)
{
	count_up(tell, &tell->result.in_pieces);
}

void bt_tell_bytes(struct bt_tell *tell, const struct bt_place *place, const char *name, uint64_t length,
		   uint64_t written)
{
	pthread_mutex_lock(&tell->lock);
	tell->progress.bytes += length;
	tell->result.bytes += written;
	tell_progress(tell, place, name);
	pthread_mutex_unlock(&tell->lock);
}

void bt_tell_syncing(struct bt_tell *tell)
{
	pthread_mutex_lock(&tell->lock);
	tell->progress.syncing = true;
	if (tell->observer && tell->observer->progress)
		tell->observer->progress(tell->observer->arg, &tell->progress);
	pthread_mutex_unlock(&tell->lock);
}

int bt_tell_stop(struct bt_tell *tell, int code, const struct bt_error *error)
{
	pthread_mutex_lock(&tell->lock);
	if (!atomic_load(&tell->stopped)) {
		tell->stop_error = *error;
		atomic_store(&tell->stopped, code);
	}
	pthread_mutex_unlock(&tell->lock);
	return code;
}

int bt_tell_stopped(struct bt_tell *tell)
{
	int stopped = atomic_load(&tell->stopped);
	if (stopped || !tell->observer || !tell->observer->cancelled)
		return stopped;
	pthread_mutex_lock(&tell->lock);
	bool cancelled = tell->observer->cancelled(tell->observer->arg);
	pthread_mutex_unlock(&tell->lock);
	if (!cancelled)
		return 0;
	struct bt_error error = {0};
	return bt_tell_stop(tell, bt_fail(&error, BT_E_CANCELLED, NULL, "restore"), &error);
}
