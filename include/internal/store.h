/* SPDX-License-Identifier: MIT */
/* For a program that mounts a store, and follows the changes of it. */
#ifndef INTERNAL_STORE_H
#define INTERNAL_STORE_H

#include <backuptool/store.h>

/* Makes the next refresh check every file, even if the mtime of the directory is unchanged: it does not change when a
 * file is modified in place. Thread-safe. */
void bt_store_doubt(struct bt_store *store);
/* A number that changes when a refresh finds other files than before, once they can be read. */
unsigned bt_store_version(const struct bt_store *store);

uint32_t bt_store_snapshot_number(struct bt_store *store, size_t index); /* in the roster of the last refresh */

/*
 * Opens all files (as many as open_files allows), so that files which are removed from the directory stay readable,
 * even if they are first read later. If bt_store_holds_removed, bt_store_release closes the removed files: call it when
 * nobody reads them any more, since they cannot be read afterwards.
 */
void bt_store_hold(struct bt_store *store);
bool bt_store_holds_removed(struct bt_store *store);
void bt_store_release(struct bt_store *store);

/* Has before_slow called on each thread that asks for a content, a page or a snapshot, before it opens a file, builds
 * the index, decodes a block, or reads a page that is not in memory. Call this before other threads use the store. */
void bt_store_call_before_slow(struct bt_store *store, void (*before_slow)(void *arg), void *arg);

#endif
