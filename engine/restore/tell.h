/* SPDX-License-Identifier: MIT */
/* What a restore tells its observer and counts for its caller. All functions may be called from any thread; the
 * observer is called by one at a time. */
#ifndef BT_RESTORE_TELL_H
#define BT_RESTORE_TELL_H

#include "base/voice.h"
#include <backuptool/restore.h>

struct bt_place;

/* What may be lacking without being the entry's failure: told once each, at the end. */
enum bt_lack {
	BT_LACK_OWNER,
	BT_LACK_DEVICE,
	BT_LACK_PRIVILEGED, /* xattrs for which the process has no right */
	BT_LACK_XATTR,	    /* xattrs that the file system does not have: an error */
	BT_LACK_TIME,	    /* times that the file system cannot hold */
	BT_LACK_FLAGS,	    /* inode flags and project ids */
	BT_LACKS
};

struct bt_tell {
	struct bt_voice voice; /* its lock is that of all the others */
	struct bt_restore_result result;
	struct bt_progress progress;
	struct bt_pace pace;
	struct {
		uint64_t count;
		char *first; /* path */
	} lacks[BT_LACKS];
};

void bt_tell_init(struct bt_tell *tell, const struct bt_observer *observer);
void bt_tell_free(struct bt_tell *tell);

/* An entry (name NULL: the directory itself) that could not be restored; counted. Of these only lack of memory ends the
 * run. */
void bt_tell_problem(struct bt_tell *tell, const struct bt_place *place, const char *name,
		     const struct bt_error *error);
/* The same of one that could not be made or written. Where the output directory's own file system has no room or is
 * read-only, this would befall every further entry as well and ends the run; another one below it is just named. */
void bt_tell_unwritten(struct bt_tell *tell, const struct bt_place *place, const char *name,
		       const struct bt_error *error);
/* One that may not be changed because of its inode flags, or its directory's. */
void bt_tell_forbidden(struct bt_tell *tell, const struct bt_place *place, const char *name);
/* A further thing to say about an entry that was counted. */
void bt_tell_more(struct bt_tell *tell, const struct bt_place *place, const char *name, const struct bt_error *error);
/* The same two for a system call. */
void bt_tell_sys(struct bt_tell *tell, const struct bt_place *place, const char *name, int sys, const char *what);
void bt_tell_unwritten_sys(struct bt_tell *tell, const struct bt_place *place, const char *name, int sys,
			   const char *what);
void bt_tell_lack(struct bt_tell *tell, enum bt_lack lack, const struct bt_place *place, const char *name);
void bt_tell_lacks(struct bt_tell *tell); /* at the end */
/* An entry that was handled, counted by its type and by the event. */
void bt_tell_done(struct bt_tell *tell, enum bt_event event, const struct bt_place *place, const char *name,
		  uint8_t type);
/* So many entries at name and below it; none were removed if that is 0. */
void bt_tell_deleted(struct bt_tell *tell, const struct bt_place *place, const char *name, uint64_t count);
/* Another file system that stays as it is. */
void bt_tell_left(struct bt_tell *tell, const struct bt_place *place, const char *name);
/* A file that changed while the snapshot was taken. */
void bt_tell_torn(struct bt_tell *tell, const struct bt_place *place, const char *name);
/* One whose contents are taken for right because size and time are. */
void bt_tell_by_time(struct bt_tell *tell);
void bt_tell_in_pieces(struct bt_tell *tell); /* a file was written whose digest is unproven */
/* A part of a file: its length, and how much of that was written. */
void bt_tell_bytes(struct bt_tell *tell, const struct bt_place *place, const char *name, uint64_t length,
		   uint64_t written);
void bt_tell_syncing(struct bt_tell *tell);

#endif
