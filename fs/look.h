/* SPDX-License-Identifier: MIT */
/*
 * Looking at the store again: by the thread that follows it (follow.h), by a request that asks for what may have
 * changed just now, and by one that failed. One looks at a time, and whoever waits for that has given up the
 * leadership. Only the thread that follows the store tells the kernel, since its answer may wait for the very request
 * that looks.
 */
#ifndef FS_LOOK_H
#define FS_LOOK_H

#include "fs.h"

/* Takes in what changed, and hands out what the kernel was not told of yet (free serials). 0 or a bt_code. */
int look_again(struct fs *fs, struct root_change *ret_news, struct bt_error *error);
/* From an operation: takes in what changed, if the store's directory is another than it was. */
void look_if_changed(struct fs *fs);
/* How often what the root shows has changed. */
unsigned look_changes(const struct fs *fs);
/* The same as look_if_changed, and waits for a look that is under way: whether what the root shows has changed since.
 */
bool look_came(struct fs *fs, unsigned changes);
/*
 * After a failed engine call: true if it is worth another try. A prune may have moved things just now, so the store is
 * looked at, unless somebody else has done that since; where that found nothing new, at most once a second. *version:
 * of the store (bt_store_version) when the call was made; then for the next try.
 */
bool look_retry(struct fs *fs, unsigned *version, const struct bt_error *error);
/* Nobody looks until look_resume; so what is gone from the store is gone from the root, too. */
void look_pause(struct fs *fs);
void look_resume(struct fs *fs);
/* When the store's directory changed, as it was at the last look. */
struct timespec look_changed(struct fs *fs);

#endif
