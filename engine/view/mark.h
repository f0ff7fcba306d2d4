/* SPDX-License-Identifier: MIT */
/* Finds what snapshots need: every page and content that can be reached from their roots. Shared subtrees are visited
 * once. */
#ifndef BT_VIEW_MARK_H
#define BT_VIEW_MARK_H

#include "base/digest_set.h"
#include "base/voice.h"
#include "view/pages.h"
#include <backuptool/observer.h>
#include <backuptool/view.h>

struct bt_mark {
	struct bt_store *store;
	const struct bt_observer *observer;
	struct bt_digest_set pages, contents;
	struct bt_digest *stack; /* pages still to be visited */
	size_t depth, capacity;
	struct bt_page_reader reader;
	void (*added)(void *arg, const struct bt_chunk *content);  /* called once for each; NULL is fine */
	void (*added_page)(void *arg, const struct bt_digest *id); /* the same */
	/* Members that this version does not know name a content or a page, or nothing that is in the store. */
	void (*added_named)(void *arg, const struct bt_digest *digest);
	/* What this one has is neither added nor visited, but told to known, perhaps more than once; or NULL. */
	const struct bt_mark *before;
	void (*known)(void *arg, const struct bt_digest *digest, bool page); /* NULL is fine */
	void *arg;
	struct bt_progress progress; /* the caller's counts, of snapshots; the path is set here */
	struct bt_pace pace;
};

/* Adds what a snapshot of version 2 needs. Fails if a page is missing or damaged, since what it needs is unknown then,
 * but for the page of names. */
int bt_mark_snapshot(struct bt_mark *mark, const char *name, struct bt_error *error);
/* Adds what an entry needs: a file's contents, and the pages that list them; a directory's pages, and all below. */
int bt_mark_entry(struct bt_mark *mark, const struct bt_entry *entry, struct bt_error *error);
/* Adds a page and what can be reached from it. */
int bt_mark_page(struct bt_mark *mark, const struct bt_digest *id, struct bt_error *error);
void bt_mark_free(struct bt_mark *mark);

#endif
