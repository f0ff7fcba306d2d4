/* SPDX-License-Identifier: MIT */
#include "restore/tell.h"
#include "base/fail.h"
#include "restore/place.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

void bt_tell_init(struct bt_tell *tell, const struct bt_observer *observer)
{
	*tell = (struct bt_tell){0};
	bt_voice_init(&tell->voice, observer, "restore the snapshot");
}

void bt_tell_free(struct bt_tell *tell)
{
	for (int i = 0; i < BT_LACKS; i++)
		free(tell->lacks[i].first);
	bt_voice_free(&tell->voice);
}

void bt_tell_problem(struct bt_tell *tell, const struct bt_place *place, const char *name, const struct bt_error *error)
{
	char *path = bt_place_path(place, name);

	pthread_mutex_lock(&tell->voice.lock);
	tell->result.errors++;
	bt_tell(tell->voice.observer, path ? path : name ? name : "", error);
	pthread_mutex_unlock(&tell->voice.lock);
	free(path);
	if (error->code == BT_E_NOMEM)
		bt_voice_fail(&tell->voice, error->code, error);
}

void bt_tell_unwritten(struct bt_tell *tell, const struct bt_place *place, const char *name,
		       const struct bt_error *error)
{
	bt_tell_problem(tell, place, name, error);
	if (!place->foreign && (error->sys == ENOSPC || error->sys == EDQUOT || error->sys == EROFS))
		bt_voice_fail(&tell->voice, error->code, error);
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

	bt_voice_tell(&tell->voice, path ? path : name ? name : "", error);
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
	pthread_mutex_lock(&tell->voice.lock);
	if (!tell->lacks[lack].count++)
		tell->lacks[lack].first = bt_place_path(place, name);
	if (lack == BT_LACK_XATTR)
		tell->result.errors++;
	pthread_mutex_unlock(&tell->voice.lock);
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
		bt_tell(tell->voice.observer, tell->lacks[i].first ? tell->lacks[i].first : "", &error);
	}
}

/* With the lock held. */
static void tell_progress(struct bt_tell *tell, const struct bt_place *place, const char *name)
{
	if (!bt_pace_due(&tell->pace, tell->voice.observer))
		return;
	char *path = bt_place_path(place, name);
	tell->progress.path = path;
	tell->voice.observer->progress(tell->voice.observer->arg, &tell->progress);
	tell->progress.path = NULL;
	free(path);
}

/* With the lock held. */
static void tell_entry(struct bt_tell *tell, enum bt_event event, const struct bt_place *place, const char *name,
		       uint64_t bytes)
{
	if (!bt_wants_entries(tell->voice.observer))
		return;
	char *path = bt_place_path(place, name);
	bt_tell_entry(tell->voice.observer, event, path ? path : name ? name : "", bytes);
	free(path);
}

void bt_tell_done(struct bt_tell *tell, enum bt_event event, const struct bt_place *place, const char *name,
		  const struct bt_entry *entry)
{
	struct bt_restore_result *r = &tell->result;
	const uint8_t type = entry->type;

	pthread_mutex_lock(&tell->voice.lock);
	++*(type == BT_FILE ? &r->files : type == BT_DIR ? &r->directories : &r->others);
	++*(event == BT_EVENT_UNCHANGED ? &r->unchanged : &r->written);
	tell->progress.files += type == BT_FILE;
	tell_entry(tell, event, place, name, type == BT_FILE ? entry->size : BT_SIZE_UNKNOWN);
	tell_progress(tell, place, name);
	pthread_mutex_unlock(&tell->voice.lock);
}

void bt_tell_deleted(struct bt_tell *tell, const struct bt_place *place, const char *name, uint64_t count)
{
	pthread_mutex_lock(&tell->voice.lock);
	tell->result.deleted += count;
	if (count)
		tell_entry(tell, BT_EVENT_DELETED, place, name, BT_SIZE_UNKNOWN);
	pthread_mutex_unlock(&tell->voice.lock);
}

void bt_tell_kept(struct bt_tell *tell, const struct bt_place *place, const char *name)
{
	pthread_mutex_lock(&tell->voice.lock);
	tell->result.backed_up++;
	tell_entry(tell, BT_EVENT_KEPT, place, name, BT_SIZE_UNKNOWN);
	pthread_mutex_unlock(&tell->voice.lock);
}

/* A remark, which does not count as a failure of the entry. */
static void tell_note(struct bt_tell *tell, const struct bt_place *place, const char *name, const char *text)
{
	struct bt_error error = {0};

	bt_fail(&error, BT_E_INCOMPLETE, NULL, text);
	bt_tell_more(tell, place, name, &error);
}

static void count_up(struct bt_tell *tell, uint64_t *counter)
{
	pthread_mutex_lock(&tell->voice.lock);
	++*counter;
	pthread_mutex_unlock(&tell->voice.lock);
}

void bt_tell_left(struct bt_tell *tell, const struct bt_place *place, const char *name)
{
	pthread_mutex_lock(&tell->voice.lock);
	tell->result.boundaries++;
	tell_entry(tell, BT_EVENT_BOUNDARY, place, name, BT_SIZE_UNKNOWN);
	pthread_mutex_unlock(&tell->voice.lock);
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

void bt_tell_newer(struct bt_tell *tell)
{
	count_up(tell, &tell->result.newer);
}

void bt_tell_in_pieces(struct bt_tell *tell)
{
	count_up(tell, &tell->result.in_pieces);
}

void bt_tell_bytes(struct bt_tell *tell, const struct bt_place *place, const char *name, uint64_t length,
		   uint64_t written)
{
	pthread_mutex_lock(&tell->voice.lock);
	tell->progress.bytes += length;
	tell->result.bytes += written;
	tell_progress(tell, place, name);
	pthread_mutex_unlock(&tell->voice.lock);
}

void bt_tell_syncing(struct bt_tell *tell)
{
	pthread_mutex_lock(&tell->voice.lock);
	tell->progress.syncing = true;
	if (tell->voice.observer && tell->voice.observer->progress)
		tell->voice.observer->progress(tell->voice.observer->arg, &tell->progress);
	pthread_mutex_unlock(&tell->voice.lock);
}
