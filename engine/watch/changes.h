/* SPDX-License-Identifier: MIT */
/* Directories to be looked at: a tree of names, from the target down to each of them. */
#ifndef BT_WATCH_CHANGES_H
#define BT_WATCH_CHANGES_H

#include "watch/names.h"
#include <backuptool/types.h>
#include <backuptool/watch.h>

struct bt_changes {
	struct bt_names names; /* owner: the name of the directory above, NULL for the root alone */
	struct bt_name *root;
	enum bt_doubt doubt; /* nothing here is to be relied on */

	/* The snapshot that they follow. */
	char snapshot[64];
	struct bt_digest tree;	 /* its root's */
	struct bt_time repaired; /* when its store was last, before it was taken */

	/* The snapshot that is taken with them puts here what the next one has to look at again, whatever happens; its
	 * snapshot is set when it is done. */
	struct bt_changes *again;
};

struct bt_changes *bt_changes_new(void);	  /* with again; NULL: out of memory */
void bt_changes_free(struct bt_changes *changes); /* NULL is fine */

/* path: relative to the target, "" for itself. all: everything below is to be looked at, too. 0 or BT_E_NOMEM. */
int bt_changes_add(struct bt_changes *changes, const char *path, bool all);
int bt_changes_merge(struct bt_changes *into, const struct bt_changes *from);

/* What stands for a directory: NULL when neither it nor anything below it is to be looked at. dir: what stands for the
 * directory above, NULL gives NULL. */
const struct bt_name *bt_changes_below(const struct bt_changes *changes, const struct bt_name *dir, const char *name,
				       size_t length);

#endif
