/* SPDX-License-Identifier: MIT */
/* Files with several names in the snapshot: which of them were restored already, and where. */
#ifndef BT_RESTORE_LINKS_H
#define BT_RESTORE_LINKS_H

#include "base/table.h"
#include "restore/place.h"
#include <backuptool/view.h>

struct bt_restore_linked {
	struct bt_table_key
		key; /* device and inode: in files, those in the snapshot; in assigned, those of an existing file */
	struct bt_place *place;
	char *name; /* NULL: not restored yet */
	dev_t restored_dev;
	ino_t restored_ino;
	const struct bt_restore_linked
		*assigned_to; /* in assigned: the file of the snapshot that the existing one becomes */
};

struct bt_restore_links {
	pthread_mutex_t lock;
	struct bt_ways *places;
	struct bt_table files, assigned;
};

bool bt_restore_has_links(const struct bt_entry *entry);

void bt_restore_links_init(struct bt_restore_links *links, struct bt_ways *places);
void bt_restore_links_free(struct bt_restore_links *links);
/* Records the entry's file. *ret_before: it was recorded before. BT_E_NOMEM. */
int bt_restore_links_see(struct bt_restore_links *links, const struct bt_entry *entry, bool *ret_before);
/* Assigns the existing file at the entry's name to the entry's file. False: it is assigned to another file of the
 * snapshot, or memory ran out. */
bool bt_restore_links_assign(struct bt_restore_links *links, const struct bt_entry *entry, const struct stat *status);
/* Records that the entry's file was restored as its name in place. */
void bt_restore_links_set(struct bt_restore_links *links, const struct bt_entry *entry, struct bt_place *place,
			  const struct stat *status);
/* Where the file was restored; name NULL: it was not. The name is valid until bt_restore_links_set of the same file, so
 * only the finisher may call this. */
struct bt_restore_linked bt_restore_links_find(struct bt_restore_links *links, const struct bt_entry *entry);

#endif
