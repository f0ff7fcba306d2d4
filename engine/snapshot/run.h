/* SPDX-License-Identifier: MIT */
/*
 * One run of bt_snapshot_take, as its parts see it.
 *
 * Three stages, each in the order of the walk, so that the result does not depend on the number of threads:
 *   walk    (calling thread) merges the listing with the parent's entries and makes batches of items (walk.c);
 *   readers (pool) read and hash a batch in parallel; finishing it, one at a time, packs new contents into blocks, and
 *           adds the entries to their directories' pages (batch.c, settle.c, tree.c);
 *   packers (pool of engine/pack) compress blocks in parallel; finishing one writes it to a file.
 * What is marked [finish] is touched only by the finishing of batches, [walk] only by the walk.
 */
#ifndef BT_SNAPSHOT_RUN_H
#define BT_SNAPSHOT_RUN_H

#include "base/arena.h"
#include "base/buffers.h"
#include "base/pool.h"
#include "codec/hash.h"
#include "pack/pack.h"
#include "scan/scan.h"
#include "snapshot/watch.h"
#include "source/source.h"
#include "store/store.h"
#include "view/bounds.h"
#include "watch/changes.h"
#include <backuptool/snapshot.h>
#include <backuptool/view.h>

struct bt_snap_trees;
struct bt_snap_node;
struct bt_snap_walk;

/* What the parent has where this run has looked: the rest of it is taken over as it is. */
struct bt_snap_past {
	struct bt_store *store;
	uint64_t gone;	  /* entries that nothing was found for, and one for each directory that cannot be read */
	bool trees;	  /* count whole trees of those that are gone */
	bool damaged;	  /* something could not be counted */
	uint64_t removed; /* entries that are not there any more, with all below them */
	struct bt_snap_watch *watch; /* hears of those */
	struct bt_bounds bounds;     /* what the parent can have */
	uint64_t files, directories, others, directory_size, errors, torn, boundaries;
};

struct bt_snap_totals {
	uint64_t files, directories, others, directory_size;
	uint64_t created, changed, unchanged, vanished, errors, torn, removed, boundaries;
	uint64_t differences;		       /* entries that are new, other than in the parent, or gone */
	uint64_t reread_bytes;		       /* of files that were read and found to be the same */
	uint64_t problems;		       /* told to the observer */
	char boundary[256], boundary_type[65]; /* the first that was looked at */
	bool xattrs;
};

struct bt_snap_run {
	struct bt_store *store;
	const struct bt_snapshot_options *options; /* not NULL */
	struct bt_time time;
	struct bt_time repaired; /* the store, last */
	struct bt_snap_watch watch;
	struct bt_buffers buffers;
	struct bt_snapshot *parent; /* NULL: none */
	struct bt_scan *scan;
	const struct bt_changes *changes; /* what is not there is taken from the parent; NULL: all is walked */
	enum bt_doubt doubt;		  /* why they cannot be relied on */
	bool doubted;			  /* found out on the way: the run is worth nothing */
	bool lost, again;		  /* its lock, and with it what it relies on; it comes after such a run */
	struct bt_source source;
	unsigned threads; /* 0: everything on the calling thread */
	struct bt_pool *readers;
	struct bt_pack *pack;	      /* [finish] */
	struct bt_snap_trees *trees;  /* [finish] */
	struct bt_reader *late;	      /* [finish] for what the readers could not handle */
	unsigned lease_waits;	      /* [finish] how often it waited for leases to be given back */
	struct bt_snap_totals totals; /* [finish] */
	struct bt_arena root_arena;   /* [finish] */
	struct bt_entry root;	      /* [finish] */
	struct bt_snap_walk *walk;    /* [walk] */
};

#endif
