/* SPDX-License-Identifier: MIT */
/* Directories of the walk, between their listing and their pages. */
#ifndef BT_SNAPSHOT_NODE_H
#define BT_SNAPSHOT_NODE_H

#include "base/arena.h"
#include "model/page.h"
#include "scan/scan.h"
#include <backuptool/view.h>

struct bt_snap_node {
	struct bt_snap_node *parent; /* NULL: the root */
	struct bt_scan_dir *dir;
	/* Written by the walk; the finishing reads them when it finishes the item of the directory. */
	bool has_previous;	     /* the parent has a directory here */
	struct bt_entry previous;    /* its entry, without a name */
	bool previous_is_whole;	     /* its pages could be read to the end */
	bool unknown;		     /* it could not be listed completely: no entry of the parent counts as removed */
	struct bt_arena arena;	     /* of previous */
	struct bt_dir *previous_dir; /* goes through it; NULL: nothing of it is left */
	const struct bt_entry *previous_next; /* not matched yet; NULL: to be fetched */
	size_t at;			      /* in dir->found */
	bool holds;			      /* something in it is taken */
	/* For the finishing. */
	struct bt_snap_builder *builder; /* NULL: no entry so far */
	struct bt_snap_node *next_done;
	bool again; /* the next run is told of it */
};

void bt_snap_node_free(struct bt_snap_node *node); /* NULL is fine */

#endif
