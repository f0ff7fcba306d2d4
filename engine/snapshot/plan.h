/* SPDX-License-Identifier: MIT */
/*
 * What all stages of a snapshot know. There are three, each in the order of the walk, so that the result does not
 * depend on the number of threads: walk (calling thread) merges the listing with the parent's entries and makes batches
 * of items (walk.c); readers (pool) read and hash a batch in parallel; finishing it, one at a time, packs new contents
 * into blocks, and adds the entries to their directories' pages (batch.c, readers.c, record.c, tree.c);
 *   packers (pool of engine/pack) compress blocks in parallel; finishing one writes it to a file.
 * A stage may touch only its own struct: the walk struct bt_snap_walk, the finishing of batches struct bt_snap_finish.
 * The plan is constant, and the same for all.
 */
#ifndef BT_SNAPSHOT_PLAN_H
#define BT_SNAPSHOT_PLAN_H

#include "snapshot/made.h"
#include "snapshot/observer.h"
#include "source/source.h"
#include "store/store.h"
#include "watch/changes.h"
#include <backuptool/snapshot.h>
#include <backuptool/view.h>

struct bt_snap_plan {
	struct bt_store *store;
	const struct bt_snapshot_options *options; /* not NULL */
	struct bt_time time;
	const struct bt_snapshot_info *parent; /* NULL: none */
	const struct bt_changes *changes; /* everything else is taken from the parent; NULL: everything is walked */
	struct bt_source source;
	struct bt_snap_made *made; /* what is walked in place of a directory; NULL: nothing */
	struct bt_snap_observer *observer;
	unsigned threads; /* 0: everything on the calling thread */
};

struct bt_snap_totals {
	uint64_t files, directories, others, directory_size;
	uint64_t created, changed, unchanged, vanished, errors, torn, removed, removed_bytes, boundaries;
	uint64_t differences;		       /* entries that are new, other than in the parent, or gone */
	uint64_t reread_bytes;		       /* of files that were read, but had not changed */
	uint64_t problems;		       /* told to the observer */
	uint64_t missing;		       /* of what was listed */
	char boundary[256], boundary_type[65]; /* the first one that was looked at */
	bool xattrs;
};

#endif
