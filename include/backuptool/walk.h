/* SPDX-License-Identifier: MIT */
/* Walking through everything below an entry of a snapshot, in the order of the bytes of the names. */
#ifndef BACKUPTOOL_WALK_H
#define BACKUPTOOL_WALK_H

#include <backuptool/view.h>

BT_C_BEGIN

struct bt_walk;

/* An entry that was found: a directory comes before its entries. */
struct bt_walk_step {
	const struct bt_entry *entry; /* NULL: the walk is at its end */
	const char *path;	      /* below the entry where the walk began, any bytes but NUL */
	size_t path_length;
	size_t depth; /* components of path */
};

/*
 * Walks below a directory of a snapshot, which is not returned itself; anything else is an empty walk. Depth costs
 * memory, not stack. A hostile store can nest shared directories so that the number of paths is astronomical: next
 * fails after more entries than the snapshot declares (BT_R_BAD_SIZE), at once if it declares more than its store can
 * hold, or when all paths together become too long (BT_E_INCOMPLETE), and the walk is at its end. The info must outlive
 * the walk.
 */
int bt_walk_new(struct bt_store *store, const struct bt_snapshot_info *info, const struct bt_entry *from,
		struct bt_walk **ret_walk, struct bt_error *error);
void bt_walk_free(struct bt_walk *walk); /* NULL is fine */

/*
 * The entry and the path live until the next call. After a failure other than BT_E_NOMEM, path is the directory that
 * could not be read completely, and the next call continues after the unreadable part.
 */
int bt_walk_next(struct bt_walk *walk, struct bt_walk_step *ret_step, struct bt_error *error);
/* Makes the walk not enter the directory that was returned last. */
void bt_walk_skip(struct bt_walk *walk);

BT_C_END

#endif
