/* SPDX-License-Identifier: MIT */
/* The users and groups that occur in a snapshot, as owners or in ACLs, and their names. */
#ifndef BT_SNAPSHOT_OWNERS_H
#define BT_SNAPSHOT_OWNERS_H

#include "base/buf.h"
#include "base/digest_set.h"
#include <backuptool/owners.h>

/* Zero-initialised is empty. */
struct bt_snap_owners {
	struct bt_digest_set seen;
	struct bt_buf ids[BT_OWNER_KINDS]; /* uint32_t, in the order of discovery */
	uint32_t last[BT_OWNER_KINDS];	   /* the one that was added last, if there are ids */
};

void bt_snap_owners_free(struct bt_snap_owners *owners);
/* Adds those of an entry: 0 or BT_E_NOMEM. */
int bt_snap_owners_add(struct bt_snap_owners *owners, const struct bt_entry *entry);
/* Adds those of the parent, because entries of it were taken over unseen. */
int bt_snap_owners_join(struct bt_snap_owners *owners, const struct bt_owners *parent);
/* Looks up the names, and writes their page to out, which stays empty if there are none. Who has no name on this
 * machine any more, or cannot be looked up in time, keeps the one that the parent has. 0 or BT_E_NOMEM. */
int bt_snap_owners_write(struct bt_snap_owners *owners, const struct bt_owners *parent, struct bt_buf *out);

#endif
