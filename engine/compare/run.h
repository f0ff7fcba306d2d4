/* SPDX-License-Identifier: MIT */
/* Compares a snapshot with a second one, or with a directory tree: for each directory, two sorted lists of names are
 * walked side by side. */
#ifndef BT_COMPARE_RUN_H
#define BT_COMPARE_RUN_H

#include "base/buf.h"
#include "base/voice.h"
#include "codec/hash.h"
#include "scan/exclusion.h"
#include "source/describe.h"
#include "view/bounds.h"
#include <backuptool/compare.h>

/* A directory on one side; empty if that side does not have it. */
struct bt_compare_list {
	struct bt_dir *dir;
	struct bt_scan_dir *live;     /* instead of dir */
	const struct bt_entry *entry; /* the next entry; NULL: at the end */
	const struct bt_found *found; /* the next entry of a live directory */
	bool hidden;		      /* it exists, but is not entered, or cannot be read */
	size_t next;		      /* index of the next entry in live */
	struct bt_entry described;
	struct bt_arena arena; /* memory of described */
};

struct bt_compare_level {
	struct bt_compare_list before, after;
	bool pass_before, pass_after; /* go on to the next entry */
	size_t path;		      /* length of the directory's path */
	bool untold;		      /* it is new, but told only when something in it is */
};

struct bt_compare_run {
	const struct bt_compare_call *call;
	struct bt_compare_result result;
	struct bt_store *store_before, *store_after; /* after NULL: a directory tree */
	struct bt_bounds before, after;		     /* how much may still be found */
	struct bt_scan *scan;
	struct bt_exclusion_set exclusion;
	char *prefix; /* of the paths that the rules are asked about; NULL: none */
	int single;   /* the directory that was named, or that holds the named file; -1: none */
	struct bt_found single_found;
	uint64_t root_dev;
	struct bt_hasher *hasher;
	unsigned char *window; /* buffer for reading */
	struct bt_buf path;    /* path of the present entry, without NUL */
	struct bt_compare_level *levels;
	size_t count, room;
	struct bt_progress progress;
	struct bt_pace pace;
};

int bt_compare_cancelled(const struct bt_compare_run *run);
void bt_compare_progress(struct bt_compare_run *run, uint64_t files, uint64_t bytes);
/* Reports that the present path could not be compared. The run goes on: 0, or BT_E_NOMEM. */
int bt_compare_problem(struct bt_compare_run *run, const struct bt_error *error);
const char *bt_compare_path(struct bt_compare_run *run); /* of the present entry; NULL: out of memory */

/* equal.c: compares two entries of the same type. */
bool bt_same_metadata(const struct bt_entry *before,
		      const struct bt_entry *after); /* without the attributes of bt_same_xattrs */
bool bt_same_xattrs(const struct bt_entry *before, const struct bt_entry *after); /* also inode flags and project */

/* live.c */

/* Opens what the path names: a directory, which is scanned, or one file, which becomes ret_list. */
int bt_live_open(struct bt_compare_run *run, const struct bt_side *before, const struct bt_live *live,
		 struct bt_compare_list *ret_list, struct bt_error *error);
void bt_live_close(struct bt_compare_run *run); /* may be called for a run without a live side, too */
/* Puts the next entry of a live directory into list->entry. 0, or a code that ends the run. */
int bt_live_next(struct bt_compare_run *run, struct bt_compare_list *list);
/* Compares before with the live entry of the same type, and reads the file if need be. *ret_kind is BT_CHANGE_KINDS if
 * nothing differs. */
int bt_live_compare(struct bt_compare_run *run, const struct bt_entry *before, struct bt_compare_level *level,
		    enum bt_change_kind *ret_kind);

#endif
