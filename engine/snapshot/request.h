/* SPDX-License-Identifier: MIT */
/* The arguments of bt_snapshot_take, checked, as the header of the snapshot gets them; and the memory that these borrow
 * from. */
#ifndef BT_SNAPSHOT_REQUEST_H
#define BT_SNAPSHOT_REQUEST_H

#include "base/arena.h"
#include "policy/listed.h"
#include "scan/exclusion.h"
#include "store/store.h"
#include <backuptool/select.h>
#include <backuptool/snapshot.h>
#include <backuptool/view.h>

struct bt_snap_request {
	struct bt_snapshot_info info; /* without time and parent */
	char host[BT_HOST_SIZE];
	char *target; /* the directory that is read, without symbolic links; NULL: none is */
	const char **tags;
	struct bt_exclusion_set exclusion;
	struct bt_listed *listed; /* NULL: everything is asked for */
	struct bt_arena arena;
};

int bt_snap_request_read(struct bt_snap_request *request, struct bt_store *store, const char *target,
			 const struct bt_snapshot_options *options, struct bt_error *error);
/* how.c: fills the members from program on. */
int bt_snap_request_how(struct bt_snap_request *request, const struct bt_snapshot_options *options,
			struct bt_error *error);
/* Whether the other choice about birth times was made for the snapshot; false also if it does not say. */
bool bt_snap_birth_times_differ(const struct bt_snapshot_info *info, bool wanted);
/* Whether changes since the parent show all that the rules go by: not inode flags, not what a file of patterns means
 * for directories in which nothing changed, not what was listed, and not that the rules are other ones. */
bool bt_snap_may_follow(const struct bt_snapshot_info *parent, const struct bt_snapshot_info *info,
			const struct bt_snapshot_options *options);
/* Whether both have recorded their rules, and these differ. */
bool bt_snap_rules_differ(const struct bt_snapshot_info *a, const struct bt_snapshot_info *b);
/* Tells which patterns decided of an entry. */
void bt_snap_request_used(const struct bt_snap_request *request, const struct bt_snapshot_options *options);
void bt_snap_request_free(struct bt_snap_request *request); /* also after a failure */

#endif
