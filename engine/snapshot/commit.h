/* SPDX-License-Identifier: MIT */
/* The files of a run: the snapshot file, and volumes for what exceeds it. Thread-safe. */
#ifndef BT_SNAPSHOT_COMMIT_H
#define BT_SNAPSHOT_COMMIT_H

#include "snapshot/run.h"
#include "store/gate.h"

/* info: what the header says. */
int bt_snap_commit_new(struct bt_snap_run *run, const struct bt_snapshot_info *info, struct bt_snap_commit **ret_commit,
		       struct bt_error *error);
void bt_snap_commit_free(struct bt_snap_commit *commit); /* abandons what is not sealed; NULL is fine */

/* A block's Base64, into the snapshot file until that is full, then into volumes, which are sealed when they are. */
int bt_snap_commit_block(struct bt_snap_run *run, const char *text, size_t length, const struct bt_held *held,
			 size_t count, struct bt_error *error);
int bt_snap_commit_page(struct bt_snap_commit *commit, const char *line, size_t length, const struct bt_digest *id,
			struct bt_error *error);
uint64_t bt_snap_commit_stored(const struct bt_snap_commit *commit);  /* Base64 bytes so far */
uint64_t bt_snap_commit_written(const struct bt_snap_commit *commit); /* sizes of the files sealed */

/* Seals the last volume. Before the summary is written. */
int bt_snap_commit_volume(struct bt_snap_run *run, struct bt_error *error);
/* Publishes the snapshot file with this summary under the first free name of its time. */
int bt_snap_commit_snapshot(struct bt_snap_run *run, struct bt_gate *gate, const struct bt_buf *summary, char name[64],
			    struct bt_error *error);

#endif
