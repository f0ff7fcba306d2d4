/* SPDX-License-Identifier: MIT */
/* Directories that have to be listed: a tree of names, from the target down to each of them. */
#ifndef BT_WATCH_CHANGES_H
#define BT_WATCH_CHANGES_H

#include "watch/names.h"
#include <backuptool/types.h>
#include <backuptool/watch.h>

struct bt_changes {
	struct bt_names names; /* owner: the name of the directory above, NULL for the root alone */
	struct bt_name *root;
	enum bt_doubt doubt; /* if not BT_DOUBT_NONE, everything has to be walked */

	/* The snapshot after which these changes happened. */
	char snapshot[64];
	struct bt_digest tree;	 /* its root's */
	struct bt_time repaired; /* the last repair of its store before it was taken */

	/* Filled by the snapshot that is taken with these changes: directories that the next one has to list again in
	 * any case. Its snapshot is set when that is done. */
	struct bt_changes *again;
};

struct bt_changes *bt_changes_new(void);	  /* with again; NULL: out of memory */
void bt_changes_free(struct bt_changes *changes); /* NULL is fine */

/* path: relative to the target, "" for the target. all: also everything below it. 0 or BT_E_NOMEM. */
int bt_changes_add(struct bt_changes *changes, const char *path, bool all);
int bt_changes_merge(struct bt_changes *into, const struct bt_changes *from);

/* The element for the directory name in dir; NULL if neither it nor anything below it has to be listed. dir: the
 * element for the directory above; NULL gives NULL. */
const struct bt_name *bt_changes_below(const struct bt_changes *changes, const struct bt_name *dir, const char *name,
				       size_t length);

#endif
