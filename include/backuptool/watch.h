/* SPDX-License-Identifier: MIT */
/* Watching a directory for changes between two of its snapshots, so that the second one does not have to look at
 * everything. */
#ifndef BACKUPTOOL_WATCH_H
#define BACKUPTOOL_WATCH_H

#include <backuptool/error.h>
#include <backuptool/store.h>
#include <stdbool.h>

BT_C_BEGIN

/* Why the whole directory has to be walked. */
enum bt_doubt {
	BT_DOUBT_NONE,
	BT_DOUBT_FIRST,	   /* there is no snapshot to follow yet */
	BT_DOUBT_DUE,	   /* the caller asked for it */
	BT_DOUBT_FAILED,   /* the last run made no snapshot */
	BT_DOUBT_OVERFLOW, /* more happened than was kept */
	BT_DOUBT_LIMIT,	   /* not all directories can be watched */
	BT_DOUBT_MOUNTS,   /* something was mounted or unmounted below */
	BT_DOUBT_LOST,	   /* the watcher failed */
	BT_DOUBT_ROOT,	   /* another directory has taken its place */
	BT_DOUBT_FOREIGN,  /* this file system is not known to report all changes */
	BT_DOUBT_PARENT,   /* the newest snapshot is not the one that the changes follow */
	BT_DOUBT_LINKS,	   /* a file got or lost a hard link in an unknown place */
	BT_DOUBT_DAMAGE,   /* the snapshot before cannot be read as a whole */
	BT_DOUBTS
};
const char *bt_doubt_name(enum bt_doubt doubt); /* "overflow"; "none", also out of range */
const char *bt_doubt_text(enum bt_doubt doubt); /* "more happened than the kernel keeps" */

enum bt_watch_kind {
	BT_WATCH_BEST,	   /* fanotify where it is allowed, else inotify */
	BT_WATCH_FANOTIFY, /* for root: one mark for the file system, whatever the number of directories */
	BT_WATCH_INOTIFY,  /* a watch for each directory */
};

/*
 * A watcher. Its thread collects changes from the first bt_watch_take on. It does not detect:
 * - writes through a name outside the directory (a hard link), and changes of the number of links that such names
 *   cause;
 * - writes through a mapping of a file that was opened before the watcher was, until it is closed.
 * The next full walk finds these. Other file systems mounted below the directory are always walked; so are subvolumes
 * if inotify is used, and everything on a file system that other machines may change, or whose type is unknown.
 */
struct bt_watch;
struct bt_changes;

/* store: its directory is ignored if it lies below target; it may be closed afterwards. NULL: none. */
int bt_watch_start(const char *target, struct bt_store *store, enum bt_watch_kind kind, struct bt_watch **ret_watch,
		   struct bt_error *error);
void bt_watch_stop(struct bt_watch *watch); /* NULL is fine */

/*
 * Returns the changes since the last take, for bt_snapshot_options.changes: call it right before the snapshot is taken.
 * Later changes are in the next take. With full, or if anything is in doubt, the changes say that everything has to be
 * walked; in doubt the watcher also starts again before this returns. 0 or BT_E_NOMEM.
 */
int bt_watch_take(struct bt_watch *watch, bool full, struct bt_changes **ret_changes, struct bt_error *error);
/* Call after the snapshot, whether or not it succeeded. */
void bt_watch_give_back(struct bt_watch *watch, struct bt_changes *changes);

BT_C_END

#endif
