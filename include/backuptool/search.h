/* SPDX-License-Identifier: MIT */
/* Finding entries by name, time, size, type or digest, in all snapshots at once. */
#ifndef BACKUPTOOL_SEARCH_H
#define BACKUPTOOL_SEARCH_H

#include <backuptool/observer.h>
#include <backuptool/view.h>

BT_C_BEGIN

struct bt_search {
	size_t size;	     /* of this struct */
	const char *pattern; /* as in .gitignore: with a slash it matches a path, without one a name; NULL: all */
	const char *hash;    /* the beginning of a file's digest in lower-case hex; NULL: any */
	const struct bt_time *newer; /* modified after this time; NULL: any */
	const char *const *names;    /* snapshots, as bt_store_snapshot_name gives them, in the order of the search */
	size_t name_count;	     /* 0: all, the newest first */
	const struct bt_time *older; /* modified before this time; NULL: any */
	const uint64_t *at_least, *at_most; /* files of that many bytes; NULL: any */
	unsigned types;			    /* bits 1 << enum bt_type; 0: any */
	bool any_case; /* small and capital letters of the pattern are alike: Latin, Greek and Cyrillic ones */
	bool deleted;  /* only paths that the newest snapshot of the same host and directory in the store does not have,
			  each once; partial snapshots do not count as the newest */
};

struct bt_match {
	const char *snapshot; /* the first of the searched snapshots that has it */
	const char *path;     /* relative to the target, any bytes */
	const struct bt_entry *entry;
};

/*
 * Tells each version of each matching entry once. A directory that two snapshots share under the same path is searched
 * once. Pages whose text shows that they have neither a match nor a directory are not parsed: what is wrong in their
 * text is left to a check. With deleted, what the newest snapshot may have where it could not read, or did not enter,
 * counts as not deleted. BT_E_INCOMPLETE: something could not be read, and the observer was told. BT_E_INVALID: a bad
 * pattern or hash. If found returns anything but 0, the search ends and returns that.
 */
int bt_search_run(struct bt_store *store, const struct bt_search *search,
		  int (*found)(void *arg, const struct bt_match *match), void *arg, const struct bt_observer *observer,
		  struct bt_error *error);

BT_C_END

#endif
