/* SPDX-License-Identifier: MIT */
/* A directory that is nowhere: its files are streams. The walk goes through it as through one that was listed. */
#ifndef BT_SNAPSHOT_MADE_H
#define BT_SNAPSHOT_MADE_H

#include "scan/scan.h"
#include <backuptool/snapshot.h>

struct bt_snap_made {
	struct bt_scan_dir dir;		  /* its found are the files */
	const struct bt_stream **streams; /* of each */
};

/* Whether streams can be files of a snapshot, and the options are such that have a meaning for them. */
int bt_snap_made_check(const struct bt_snapshot_options *options, struct bt_error *error);
/* All entries have that time, and belong to the user. 0 or BT_E_NOMEM. */
int bt_snap_made_new(const struct bt_snapshot_options *options, const struct bt_time *time,
		     struct bt_snap_made **ret_made);
void bt_snap_made_free(struct bt_snap_made *made); /* NULL is fine */
/* The stream of one of its files. */
const struct bt_stream *bt_snap_made_stream(const struct bt_snap_made *made, const struct bt_found *found);

#endif
