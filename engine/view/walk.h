/* SPDX-License-Identifier: MIT */
/* Walks (include/backuptool/walk.h) with more options, for the verbs. */
#ifndef BT_VIEW_WALK_H
#define BT_VIEW_WALK_H

#include "view/bounds.h"
#include "view/dir.h"
#include <backuptool/walk.h>

struct bt_walk_options {
	const struct bt_snapshot_info *info; /* limits of this snapshot */
	struct bt_bounds *bounds; /* or these limits, counted down. Neither: the caller makes sure that it ends */
	size_t level_size;	  /* bytes of the caller's for each directory on the path */
	bool pathless;		  /* paths are neither made nor counted */
	const struct bt_dir_filter *filter; /* of pages of large directories: see view/dir.h; or NULL */
	const struct bt_page_skim *skim;    /* the same: see view/pages.h */
	bool ends; /* the end of a directory is a step, too: entry is NULL, and bt_walk_level is not */
};
/* Begins in the directory from; if that is not a directory, the walk is empty. */
int bt_walk_begin(struct bt_store *store, const struct bt_walk_options *options, const struct bt_entry *from,
		  struct bt_walk **ret_walk, struct bt_error *error);
/* The caller's bytes for the directory of the last entry, end or unreadable page; valid until the next call. NULL if
 * the walk has left the last directory. */
void *bt_walk_level(const struct bt_walk *walk);
void *bt_walk_above(const struct bt_walk *walk); /* the same for the parent of that directory */
/* The same for the directory that was given last, or for from, to be filled in before it is entered; zeros at first. */
void *bt_walk_below(const struct bt_walk *walk);
/* The page of the last entry. */
const struct bt_page *bt_walk_page(const struct bt_walk *walk);

#endif
