/* SPDX-License-Identifier: MIT */
/* A walk (include/backuptool/walk.h) with more to choose, for the verbs. */
#ifndef BT_VIEW_WALK_H
#define BT_VIEW_WALK_H

#include "view/bounds.h"
#include <backuptool/walk.h>

struct bt_walk_options {
	const struct bt_snapshot_info *info; /* no more than this snapshot can have */
	struct bt_bounds *bounds;	     /* or what is left of these. Neither: the caller sees to an end */
	size_t level_size;		     /* bytes that the caller has for each directory on the way */
	bool pathless;			     /* paths are neither made nor counted */
	bool ends; /* an end of a directory is a step, too: entry is NULL, and bt_walk_level is not */
};
/* from is a directory; anything else is an empty walk. */
int bt_walk_begin(struct bt_store *store, const struct bt_walk_options *options, const struct bt_entry *from,
		  struct bt_walk **ret_walk, struct bt_error *error);
/* The caller's bytes of the directory that the last entry, end or unreadable page lies in, until the next call; NULL if
 * there is none on the way any more. */
void *bt_walk_level(const struct bt_walk *walk);
void *bt_walk_above(const struct bt_walk *walk); /* the same of the directory that this one lies in */
/* Those of the directory that was given last, or of from, to be filled before it is entered; zeros at first. */
void *bt_walk_below(const struct bt_walk *walk);
/* The page that the entry given last lies on. */
const struct bt_page *bt_walk_page(const struct bt_walk *walk);

#endif
