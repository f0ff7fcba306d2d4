/* SPDX-License-Identifier: MIT */
/* Everything below an entry of a snapshot, one after the other, in the order of the names' bytes. */
#ifndef BACKUPTOOL_WALK_H
#define BACKUPTOOL_WALK_H

#include <backuptool/view.h>

struct bt_walk;

/* What is found: a directory before what is in it. */
struct bt_walk_step {
	const struct bt_entry *entry; /* NULL: there is nothing more */
	const char *path;	      /* below the entry where the walk began, any bytes but NUL */
	size_t depth;		      /* components of path */
};

/*
 * Walks below a directory of a snapshot, which is not given itself; anything else is an empty walk. Depth costs memory,
 * not stack. Of a small store the directories can name each other so that there is no end of paths: next fails once
 * more is found than the snapshot says it has (BT_R_BAD_SIZE), at once if that is more than its store makes possible,
 * or when the paths become too long in all (BT_E_INCOMPLETE), and the walk is at its end. The info lives as long as the
 * walk.
 */
int bt_walk_new(struct bt_store *store, const struct bt_snapshot_info *info, const struct bt_entry *from,
		struct bt_walk **ret_walk, struct bt_error *error);
void bt_walk_free(struct bt_walk *walk); /* NULL is fine */

/*
 * The entry and the path live until the next call. After a failure other than BT_E_NOMEM path names the directory that
 * could not be read, or not whole, and the next call goes on behind what is lost.
 */
int bt_walk_next(struct bt_walk *walk, struct bt_walk_step *ret_step, struct bt_error *error);
/* The directory that was given last is not entered. */
void bt_walk_skip(struct bt_walk *walk);

#endif
