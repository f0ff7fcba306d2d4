/* SPDX-License-Identifier: MIT */
/* The arguments of bt_snapshot_take, checked, as the header of the snapshot gets them; and the memory that these borrow
 * from. */
#ifndef BT_SNAPSHOT_REQUEST_H
#define BT_SNAPSHOT_REQUEST_H

#include "policy/match.h"
#include "store/store.h"
#include <backuptool/select.h>
#include <backuptool/snapshot.h>
#include <backuptool/view.h>

struct bt_snap_request {
	struct bt_snapshot_info info; /* without time and parent */
	char host[BT_HOST_SIZE];
	char *target; /* without symbolic links */
	const char **tags;
	struct bt_rules *rules;
};

int bt_snap_request_read(struct bt_snap_request *request, struct bt_store *store, const char *target,
			 const struct bt_snapshot_options *options, struct bt_error *error);
void bt_snap_request_free(struct bt_snap_request *request); /* also after a failure */

#endif
