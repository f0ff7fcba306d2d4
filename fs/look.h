/* SPDX-License-Identifier: MIT */
/* Looks at the store again: for the thread that follows it (follow.h), for a request about what may just have
 * changed, and for a request that failed. There is one look at a time, and a thread that waits for it has given up
 * the leadership. Only the thread that follows the store tells the kernel, which may wait for the very request that
 * looks. */
#ifndef FS_LOOK_H
#define FS_LOOK_H

#include "fs.h"

/* Updates the root, and hands out the changes that the kernel was not told of yet (free serials). 0 or a bt_code. */
int look_again(struct fs *fs, struct root_change *ret_news, struct bt_error *error);
/* For an operation: updates the root if the store's directory has changed. */
void look_if_changed(struct fs *fs);
/* Counts the changes of what the root shows. */
unsigned look_changes(const struct fs *fs);
/* Like look_if_changed, and waits for a look in progress. True if what the root shows has changed since changes. */
bool look_came(struct fs *fs, unsigned changes);
/* After a failed call of the engine: true if it is worth another try. A prune may just have moved things, so the store
 * is looked at, unless that was done since; after a look that found nothing new, once a second at most. *version: of
 * the store (bt_store_version) before the call; afterwards for the next try, as is the error, which is emptied. */
bool look_retry(struct fs *fs, unsigned *version, struct bt_error *error);
/* Prevents looks until look_resume. Meanwhile the root and the store agree on what is gone. */
void look_pause(struct fs *fs);
void look_resume(struct fs *fs);
/* The mtime of the store's directory at the last look. */
struct timespec look_changed(struct fs *fs);

#endif
