/* SPDX-License-Identifier: MIT */
/*
 * Looking at the store again: by the thread that follows it (refresh.h), or by a request that asks for what may have
 * changed just now. The kernel is told of both by that thread, as its answer may wait for the very request.
 */
#ifndef FS_LOOK_H
#define FS_LOOK_H

#include "fs.h"

/* Takes in what changed and adds it to fs->news. With fs->lock for writing. 0 or a bt_code. */
int look_again(struct fs *fs, struct bt_error *error);
/* The same if the store's directory is another than it was. From an operation, before it takes anything in hand. */
void look_if_changed(struct fs *fs);

#endif
