/* SPDX-License-Identifier: MIT */
/* Reports to a restore's observer, and counts for its result. All functions may be called from any thread; they call
 * the observer from one thread at a time. */
#ifndef BT_RESTORE_TELL_H
#define BT_RESTORE_TELL_H

#include "base/voice.h"
#include <backuptool/restore.h>

struct bt_place;

/* What may be lacking although the entry was restored. Reported once each, at the end. */
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
	struct bt_voice voice; /* its lock guards all members */
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

/* Reports and counts an entry (name NULL: the directory itself) that could not be restored. Only lack of memory ends
 * the run. */
void bt_tell_problem(struct bt_tell *tell, const struct bt_place *place, const char *name,
		     const struct bt_error *error);
/* The same for an entry that could not be made or written. If the file system of the output directory is full or
 * read-only, this ends the run, since all further entries would fail, too; another file system below it is only
 * reported. */
void bt_tell_unwritten(struct bt_tell *tell, const struct bt_place *place, const char *name,
		       const struct bt_error *error);
/* An entry that inode flags, its own or its directory's, forbid to change. */
void bt_tell_forbidden(struct bt_tell *tell, const struct bt_place *place, const char *name);
/* Reports something more about an entry that was counted. */
void bt_tell_more(struct bt_tell *tell, const struct bt_place *place, const char *name, const struct bt_error *error);
/* The first two for a failed system call. */
void bt_tell_sys(struct bt_tell *tell, const struct bt_place *place, const char *name, int sys, const char *what);
void bt_tell_unwritten_sys(struct bt_tell *tell, const struct bt_place *place, const char *name, int sys,
			   const char *what);
void bt_tell_lack(struct bt_tell *tell, enum bt_lack lack, const struct bt_place *place, const char *name);
void bt_tell_lacks(struct bt_tell *tell); /* reports all lacks; call it at the end */
/* Reports an entry that was handled, and counts it by type and event. name NULL: it is the place itself. */
void bt_tell_done(struct bt_tell *tell, enum bt_event event, const struct bt_place *place, const char *name,
		  const struct bt_entry *entry);
/* Reports that count entries at name and below were removed; 0: nothing was. */
void bt_tell_deleted(struct bt_tell *tell, const struct bt_place *place, const char *name, uint64_t count);
/* Reports the name under which stays what had another one. */
void bt_tell_kept(struct bt_tell *tell, const struct bt_place *place, const char *name);
/* Counts a file that was modified later than that of the snapshot. */
void bt_tell_newer(struct bt_tell *tell);
/* Reports another file system that stays as it is. */
void bt_tell_left(struct bt_tell *tell, const struct bt_place *place, const char *name);
/* Reports a file that changed while the snapshot was taken. */
void bt_tell_torn(struct bt_tell *tell, const struct bt_place *place, const char *name);
/* Counts a file that is taken as unchanged because size and time are equal. */
void bt_tell_by_time(struct bt_tell *tell);
void bt_tell_in_pieces(struct bt_tell *tell); /* counts a file that was written without a check of its whole digest */
/* Reports progress: length bytes of a file are done, of which written were written. */
void bt_tell_bytes(struct bt_tell *tell, const struct bt_place *place, const char *name, uint64_t length,
		   uint64_t written);
void bt_tell_syncing(struct bt_tell *tell);

#endif
