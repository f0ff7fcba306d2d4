/* SPDX-License-Identifier: MIT */
/* A run of bt_snapshot_take, and what its end and its checkpoints have in common. */
#ifndef BT_SNAPSHOT_RUN_H
#define BT_SNAPSHOT_RUN_H

#include "snapshot/request.h"
#include "snapshot/walk.h"
#include "store/gate.h"

/* A run: the part that the stages share, and that of each stage. */
struct bt_snap_run {
	struct bt_snap_request request;
	struct bt_snap_plan plan;
	struct bt_snap_finish finish;
	struct bt_snap_readers readers;
	struct bt_snap_walk *walk;
	struct bt_snap_observer observer;
	struct bt_buffers buffers;
	struct bt_snapshot *parent;
	struct bt_owners *names; /* of the parent; NULL: none, or they cannot be read */
	struct bt_gate gate;
	struct bt_time repaired; /* the time of the last repair of the store */
	enum bt_doubt doubt;	 /* why the changes are not used */
	bool doubted;		 /* the run found out that the changes are incomplete, so that its result is useless */
	bool lost;		 /* its lock, so that data it relies on may be deleted */
	bool again;		 /* it follows a run that lost the lock */
	bool ended;		 /* by its course, before all was read */
	struct bt_buf partials;	 /* ordinals of partial snapshots that have nothing more than what comes next */
	uint64_t kept;		 /* sizes of the files that it sealed, once all is torn down */
};

/* Fills the counts of the summary. */
void bt_snap_run_count(const struct bt_snap_run *run, const struct bt_snap_totals *totals,
		       struct bt_snapshot_info *info);
/* Writes the page of names. */
int bt_snap_run_names(struct bt_snap_run *run, struct bt_snapshot_info *info, struct bt_error *error);

/* checkpoint.c: publishes what was read so far as a partial snapshot, while the walk stands still and the readers are
 * done. name stays "" if the partial snapshot of before has more, or if there is nothing. */
int bt_snap_checkpoint(struct bt_snap_run *run, char name[64], struct bt_error *error);
/* Takes the partial snapshots of before off the list, if that is possible now. */
void bt_snap_unlist_partials(struct bt_snap_run *run);

#endif
