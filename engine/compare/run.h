/* SPDX-License-Identifier: MIT */
/*
 * One comparison: two lists of names, each in order, walked side by side for each directory. The second side is a
 * snapshot or a directory tree.
 */
#ifndef BT_COMPARE_RUN_H
#define BT_COMPARE_RUN_H

#include "base/buf.h"
#include "base/voice.h"
#include "codec/hash.h"
#include "source/describe.h"
#include "view/bounds.h"
#include <backuptool/compare.h>

/* A directory on one side; nothing in it if the other side has none. */
struct bt_compare_list {
	struct bt_dir *dir;
	struct bt_scan_dir *live;     /* instead of dir */
	const struct bt_entry *entry; /* the one at hand; NULL: no more */
	const struct bt_found *found; /* the same of a live one */
	bool hidden;		      /* it is there, but not entered, or nobody can say what it is */
	size_t next;		      /* of live */
	struct bt_entry described;
	struct bt_arena arena; /* of described */
};

struct bt_compare_level {
	struct bt_compare_list before, after;
	bool pass_before, pass_after; /* the entry at hand is done with */
	size_t path;		      /* length of the directory's */
};

struct bt_compare_run {
	const struct bt_compare_call *call;
	struct bt_compare_result result;
	struct bt_store *store_before, *store_after; /* after NULL: live */
	struct bt_bounds before, after;		     /* what is left to be found */
	struct bt_scan *scan;
	struct bt_rules *rules;
	int single; /* where what was named lies, or the directory that was named; -1: neither */
	struct bt_found single_found;
	uint64_t root_dev;
	struct bt_hasher *hasher;
	unsigned char *window; /* for reading */
	struct bt_buf path;    /* of the entry at hand, without NUL */
	struct bt_compare_level *levels;
	size_t count, room;
	struct bt_progress progress;
	struct bt_pace pace;
};

int bt_compare_cancelled(const struct bt_compare_run *run);
void bt_compare_progress(struct bt_compare_run *run, uint64_t files, uint64_t bytes);
/* What could not be compared, at the path at hand. The run goes on: 0, but for BT_E_NOMEM. */
int bt_compare_problem(struct bt_compare_run *run, const struct bt_error *error);
const char *bt_compare_path(struct bt_compare_run *run); /* of the entry at hand; NULL on out of memory */

/* equal.c: what both entries say. Types are equal. */
bool bt_same_metadata(const struct bt_entry *before, const struct bt_entry *after); /* without what follows */
bool bt_same_xattrs(const struct bt_entry *before, const struct bt_entry *after);   /* and inode flags, project */

/* live.c */

/* Begins with what is at the path: a directory, then there is a scan, or the one thing. ret_list is a list of it. */
int bt_live_open(struct bt_compare_run *run, const struct bt_side *before, const struct bt_live *live,
		 struct bt_compare_list *ret_list, struct bt_error *error);
void bt_live_close(struct bt_compare_run *run); /* also a run that has nothing live */
/* The next entry of a live directory into list->entry. 0 or a code that ends the run. */
int bt_live_next(struct bt_compare_run *run, struct bt_compare_list *list);
/* Compares what before says with the live entry, of the same type; reads the file if need be. *ret_kind is
 * BT_CHANGE_KINDS if nothing differs. */
int bt_live_compare(struct bt_compare_run *run, const struct bt_entry *before, struct bt_compare_level *level,
		    enum bt_change_kind *ret_kind);

#endif
