/* SPDX-License-Identifier: MIT */
/* What the files of this room share. Everything is under the watcher's lock. */
#ifndef BT_WATCH_PRIVATE_H
#define BT_WATCH_PRIVATE_H

#include "base/buf.h"
#include "watch/changes.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

/* A source of events. Each fails with BT_E_NOMEM or by setting watch->doubt: then it is closed. */
struct bt_watch_source {
	enum bt_watch_kind kind;
	int (*open)(struct bt_watch *watch);  /* sets events; BT_E_UNSUPPORTED: not here, or not allowed */
	int (*drain)(struct bt_watch *watch); /* takes all events that are queued when it begins, without waiting */
	/* Adds directories that it cannot watch to the changes, without setting a doubt; NULL: it watches all. */
	int (*add_always)(struct bt_watch *watch, struct bt_changes *changes);
	/* The present path of the directory of a file that was opened, without a NUL. BT_E_NOT_FOUND: the directory is
	 * gone, or no longer below the target. */
	int (*path)(struct bt_watch *watch, const void *directory, struct bt_buf *ret_path);
	void (*close)(struct bt_watch *watch);
};
extern const struct bt_watch_source bt_watch_fanotify, bt_watch_inotify;

struct bt_watch {
	pthread_mutex_t lock;
	pthread_t thread;
	bool running;
	atomic_bool ending;
	int wake;     /* eventfd: tells the thread to look at ending and events again */
	char *target; /* absolute */
	enum bt_watch_kind wanted;
	dev_t skip_dev; /* the store */
	ino_t skip_ino;

	int root; /* of the target; -1: none */
	dev_t dev;
	ino_t ino;
	char *mounts; /* below the target, a line each: see mounts.c */

	const struct bt_watch_source *source; /* NULL: none works */
	int events;			      /* -1: none */
	unsigned char *records;		      /* buffer for events */
	void *state;			      /* the source's */

	enum bt_doubt doubt;	    /* since the last take */
	struct bt_changes *pending; /* since the last take */
	uintptr_t takes;	    /* their number, from 1 */
	struct bt_changes *again;   /* from the last snapshot; NULL: the last run made none */
	/* Files that may be open for writing: the owner is what the source knows the directory by. */
	struct bt_names opened;
};

#define BT_WATCH_RECORDS ((size_t)64 << 10) /* size of records */
#define BT_WATCH_MEMORY	 ((size_t)1 << 20)  /* most entries of a table; with more, everything is walked */

/* Changes were lost for this reason, and the source will be closed. The first reason stays. */
void bt_watch_doubt(struct bt_watch *watch, enum bt_doubt doubt);
/* Size of the queued events as the kernel counts it. A bound for drain, since events may come faster than they are
 * read. */
size_t bt_watch_queued(const struct bt_watch *watch);
/* Whether to go on draining. */
bool bt_watch_goes_on(const struct bt_watch *watch);
/* As bt_changes_add to the pending ones. */
int bt_watch_changed(struct bt_watch *watch, const char *path, bool all);

/* opened.c: files that were opened; each is asked whether anybody still has it open for writing. */
int bt_watch_opened(struct bt_watch *watch, const void *directory, const char *name);
/* Adds the directories of files that are open for writing to the changes, and forgets the others. */
int bt_watch_ask_opened(struct bt_watch *watch, struct bt_changes *changes);
/* To be called after the events that the asking itself caused. */
void bt_watch_forget_asked(struct bt_watch *watch);

/* mounts.c: the mounts below the target. *ret_mounts: allocated; NULL if they are unknown. */
int bt_watch_mounts(int root, char **ret_mounts);
bool bt_watch_same_mounts(const char *a, const char *b);
/* Whether a path relative to the target is a mount point. */
bool bt_watch_is_mount(const char *mounts, const char *path);
int bt_watch_add_mounts(const char *mounts, struct bt_changes *changes);

/* The source that works now, for tests; BT_WATCH_BEST: none. */
enum bt_watch_kind bt_watch_kind(struct bt_watch *watch);

#endif
