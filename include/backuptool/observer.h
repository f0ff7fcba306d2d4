/* SPDX-License-Identifier: MIT */
/* How a long operation reports to its caller. The calls come from any thread, one at a time; all members may be
 * NULL. */
#ifndef BACKUPTOOL_OBSERVER_H
#define BACKUPTOOL_OBSERVER_H

#include <backuptool/error.h>

enum bt_event {
	/* A snapshot tells these three of files, a restore of entries that it made, changed or left alone. */
	BT_EVENT_NEW,
	BT_EVENT_CHANGED,
	BT_EVENT_UNCHANGED,
	BT_EVENT_DELETED, /* restore: an entry, removed by delete_extra. prune: a file of the store */
	BT_EVENT_EXCLUDED,
	BT_EVENT_REMOVED,  /* snapshot: an entry of the parent is gone; a directory with everything in it */
	BT_EVENT_BOUNDARY, /* a directory was not entered, because another file system begins there */
	BT_EVENT_VANISHED, /* snapshot: listed, but gone when it was to be read */
	BT_EVENT_KEPT,	   /* restore: what was replaced or removed, under the name of its backup */
};

#define BT_SIZE_UNKNOWN UINT64_MAX

/* How a long run goes on. */
enum bt_course {
	BT_COURSE_ON,
	BT_COURSE_CHECKPOINT, /* what there is so far is kept, and the run goes on */
	BT_COURSE_END,	      /* what there is so far is kept, and the run ends with BT_E_CANCELLED */
};

/* A total of 0 means unknown. The totals of a snapshot are those of its parent, until it exceeds them. */
struct bt_progress {
	uint64_t files, bytes, total_files, total_bytes;
	const char *path; /* the path that is being worked on, relative like that of problem; valid during the call;
			     NULL: none in particular */
	bool syncing;	  /* the operation only waits for the disk, which may take long */
};

struct bt_observer {
	size_t size; /* of this struct: functions beyond it are not called */
	void *arg;
	/* An entry that could not be handled; the operation goes on. path is relative to the target and may hold any
	 * bytes. */
	void (*problem)(void *arg, const char *path, const struct bt_error *error);
	/* Called for each entry. path is as above. */
	void (*entry)(void *arg, enum bt_event event, const char *path);
	/* At most about ten times a second. */
	void (*progress)(void *arg, const struct bt_progress *progress);
	/* Called often; true ends the operation with BT_E_CANCELLED. */
	bool (*cancelled)(void *arg);
	/* Called once for each lock of the store that the operation has waited for longer than a second. holder is the
	 * process that has it, any bytes: "backuptool snapshot (process 1234)". While the operation waits, it calls
	 * cancelled. */
	void (*waiting)(void *arg, const char *holder);
	/* Called in place of entry, with the size of a file, or of all files in a directory that is gone;
	 * BT_SIZE_UNKNOWN: it has none, or nobody knows. */
	void (*sized)(void *arg, enum bt_event event, const char *path, uint64_t bytes);
	/* Called often by a snapshot while its host and directory have no complete one: see snapshot.h. There cancelled
	 * means BT_COURSE_END. */
	enum bt_course (*course)(void *arg);
};

#endif
