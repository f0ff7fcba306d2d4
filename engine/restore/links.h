/* SPDX-License-Identifier: MIT */
/* Files with several names in the snapshot: which of them is restored already, and where. */
#ifndef BT_RESTORE_LINKS_H
#define BT_RESTORE_LINKS_H

#include "base/table.h"
#include "restore/place.h"
#include <backuptool/view.h>

struct bt_restore_linked {
	struct bt_table_key key; /* device and inode in the snapshot; of one that is taken, of what stood there */
	struct bt_place *place;
	char *name; /* NULL: not restored yet */
	dev_t restored_dev;
	ino_t restored_ino;
	const struct bt_restore_linked *taker; /* the file of the snapshot that it is taken for */
};

struct bt_restore_links {
	pthread_mutex_t lock;
	struct bt_ways *places;
	struct bt_table files, taken;
};

bool bt_restore_has_links(const struct bt_entry *entry);

void bt_restore_links_init(struct bt_restore_links *links, struct bt_ways *places);
void bt_restore_links_free(struct bt_restore_links *links);
/* True if the entry's file has been seen before; now it has. BT_E_NOMEM. */
int bt_restore_links_see(struct bt_restore_links *links, const struct bt_entry *entry, bool *ret_before);
/* What stands at the entry's name is to be its file. False: it is another's already, of the snapshot's files that have
 * several names, or there is no memory. */
bool bt_restore_links_take(struct bt_restore_links *links, const struct bt_entry *entry, const struct stat *status);
/* The entry's file stands at name in place. */
void bt_restore_links_set(struct bt_restore_links *links, const struct bt_entry *entry, struct bt_place *place,
			  const struct stat *status);
/* Where it stands; name NULL: nowhere. name is valid until bt_restore_links_set of the same file: finish only. */
struct bt_restore_linked bt_restore_links_find(struct bt_restore_links *links, const struct bt_entry *entry);

#endif
