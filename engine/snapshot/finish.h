/* SPDX-License-Identifier: MIT */
/* The finishing of items, one at a time and in the order of the walk. */
#ifndef BT_SNAPSHOT_FINISH_H
#define BT_SNAPSHOT_FINISH_H

#include "pack/pack.h"
#include "snapshot/item.h"
#include "snapshot/owners.h"
#include "snapshot/plan.h"

struct bt_snap_trees;

struct bt_snap_finish {
	const struct bt_snap_plan *plan;
	struct bt_pack *pack;
	struct bt_snap_trees *trees;
	struct bt_reader *reader; /* for entries that the readers could not handle */
	unsigned lease_waits;	  /* number of times that it waited for leases to be given back */
	struct bt_pace pace;
	struct bt_snap_totals totals;
	struct bt_snap_owners owners;
	struct bt_time newest; /* of the files of a directory that was made */
	struct bt_arena root_arena;
	struct bt_entry root;
};

/* reread.c: reads an entry that turned out to be something else than listed, however long it takes. */
int bt_snap_reread(struct bt_snap_finish *finish, struct bt_snap_item *item, struct bt_arena *arena,
		   struct bt_error *error);
/* record.c: counts an item, tells the observer, and adds its entry to the page of its directory. */
int bt_snap_record(struct bt_snap_finish *finish, struct bt_snap_item *item, struct bt_arena *arena,
		   struct bt_error *error);

/* tree.c */
struct bt_snap_trees *bt_snap_trees_new(struct bt_pack *pack); /* NULL: out of memory */
void bt_snap_trees_free(struct bt_snap_trees *trees);
struct bt_buf *bt_snap_trees_scratch(struct bt_snap_trees *trees); /* two of them, for comparing */
/* Adds the next entry of a directory, in order. */
int bt_snap_node_add(struct bt_snap_finish *finish, struct bt_snap_node *node, const struct bt_entry *entry,
		     struct bt_error *error);
/* Writes the pages of a directory as it is so far, and of one more entry unless that is NULL, and gives the id of the
 * page that stands for it. The directory goes on as before. No batch is being finished meanwhile. */
int bt_snap_node_so_far(struct bt_snap_finish *finish, struct bt_snap_node *node, const struct bt_entry *last,
			struct bt_digest *ret_tree, struct bt_error *error);
/* Writes the pages of a directory, and gives the id of the page that stands for it; node NULL: an empty directory. */
int bt_snap_node_pages(struct bt_snap_finish *finish, struct bt_snap_node *node, struct bt_digest *ret_tree,
		       struct bt_error *error);

#endif
