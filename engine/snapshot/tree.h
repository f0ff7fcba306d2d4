/* SPDX-License-Identifier: MIT */
/* Directories of the walk and their pages. */
#ifndef BT_SNAPSHOT_TREE_H
#define BT_SNAPSHOT_TREE_H

#include "model/page.h"
#include "snapshot/run.h"

/* A directory between its listing and its page. */
struct bt_snap_node {
	struct bt_snap_node *parent; /* NULL: the root */
	struct bt_scan_dir *dir;
	/* [walk], and for reading when the directory's item is finished */
	bool has_old;		/* the parent has a directory here */
	struct bt_entry old;	/* its entry; no name */
	bool old_whole;		/* its pages could be read to the end */
	bool unknown;		/* what is in it now could not be seen: nothing of the parent's counts as removed */
	struct bt_arena arena;	/* of old */
	struct bt_dir *old_dir; /* going through old; NULL: nothing of it is left */
	const struct bt_entry *old_next; /* not matched yet; NULL: to be fetched */
	size_t at;			 /* in dir->found */
	/* [finish] */
	struct bt_snap_builder *builder; /* NULL: no entry so far */
	struct bt_snap_node *next_done;
	bool again; /* told to the next run */
};

/*
 * old.c [walk]: the parent's entries of the same directory, side by side with what was found. A directory that
 * cannot be read to its end: its other entries are taken for new.
 */
int bt_snap_old_open(struct bt_snap_node *node, const struct bt_entry *old, struct bt_snap_past *past);
/* The parent's entry of this name, or NULL; asked in the order of names. It lives until the next call. */
const struct bt_entry *bt_snap_old_match(struct bt_snap_node *node, const struct bt_found *found,
					 struct bt_snap_past *past);
void bt_snap_old_rest(struct bt_snap_node *node, struct bt_snap_past *past);

/* past.c [walk]: an entry of the parent that was looked at. */
void bt_snap_past_count(struct bt_snap_past *past, const struct bt_entry *old);
/* All entries below one that is a directory, where they are to be counted. removed: they are gone. 0 or BT_E_NOMEM. */
int bt_snap_past_tree(struct bt_snap_past *past, const struct bt_entry *old, bool removed);
/* Adds what was not looked at to the totals. False: the parent is not what it says. */
bool bt_snap_past_rest(const struct bt_snap_past *past, const struct bt_snapshot_info *parent,
		       struct bt_snap_totals *totals);

struct bt_snap_trees *bt_snap_trees_new(struct bt_snap_run *run); /* NULL: out of memory */
void bt_snap_trees_free(struct bt_snap_trees *trees);
struct bt_buf *bt_snap_trees_scratch(struct bt_snap_trees *trees); /* two of them, for comparing */

/* The next entry of a directory, in order. [finish] */
int bt_snap_node_add(struct bt_snap_run *run, struct bt_snap_node *node, const struct bt_entry *entry,
		     struct bt_error *error);
/* The id of the page that stands for it; node NULL: an empty directory. [finish] */
int bt_snap_node_pages(struct bt_snap_run *run, struct bt_snap_node *node, struct bt_digest *ret_tree,
		       struct bt_error *error);
void bt_snap_node_free(struct bt_snap_node *node);

#endif
