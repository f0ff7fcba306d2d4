/* SPDX-License-Identifier: MIT */
/* The state that the parts of one restore share. The walker (one thread) goes through the snapshot in order and makes
 * directories; workers write files; what needs an order (hard links, metadata of directories) is done when a batch is
 * finished. */
#ifndef BT_RESTORE_RUN_H
#define BT_RESTORE_RUN_H

#include "base/pool.h"
#include "restore/boundary.h"
#include "restore/guard.h"
#include "restore/links.h"
#include "restore/owners.h"
#include "restore/place.h"
#include "restore/tell.h"

#define BT_TEMP_SIZE 32

struct bt_restore_worker {
	unsigned char *buffer; /* BT_WORKER_BUFFER */
};
#define BT_WORKER_BUFFER ((size_t)256 << 10)

struct bt_restore_run {
	struct bt_store *store;
	const struct bt_snapshot_info *info;
	struct bt_restore_options options;
	struct bt_tell tell;
	struct bt_guard guard;
	struct bt_scan_mounts mounts; /* read before the process is confined */
	struct bt_ways places;
	struct bt_restore_links links;
	struct bt_restore_owners owners;
	struct bt_pool *pool;
	struct bt_restore_batch *batch;	   /* being filled by the walker */
	struct bt_restore_worker finisher; /* for finishing batches, one at a time */
	bool privileged;		   /* may change owners, so that owners are compared */
	bool by_content;		   /* existing files are compared by content alone */
	bool in_place;			   /* the output is the directory that the snapshot was taken of */
	struct bt_exclusion_set exclusion; /* what --delete leaves alone */
	bool excludes;			   /* there is something in that */
	struct bt_picks picks;		   /* what patterns select */
	const struct bt_entry *root;	   /* of the snapshot, what becomes the output */
	const struct bt_page *root_page;   /* that it lives in; NULL: the snapshot */
	char *base;			   /* its path, without needless slashes */
	uint64_t seed;			   /* of temporary names that nobody can guess */
	atomic_uint_fast64_t temps;
};

/* "docs/notes", or with name "docs/notes/a.txt", below the root of the snapshot; allocated, NULL on out of memory. */
char *bt_restore_path(const struct bt_restore_run *run, const struct bt_place *place, const char *name);

int bt_restore_worker_init(struct bt_restore_worker *worker);
void bt_restore_worker_destroy(struct bt_restore_worker *worker);

/* batch.c: hands entries to the workers. */
enum bt_restore_item {
	BT_ITEM_ENTRY,	  /* an entry of place; a worker restores it */
	BT_ITEM_LINK,	  /* a further name of a file with several names; in order */
	BT_ITEM_END,	  /* metadata of place itself, after all before; entry is the directory's */
	BT_ITEM_ANCESTOR, /* place only leads to selected paths: it gets its old metadata back */
};
/* page: the page that entry lives in, or NULL if entry outlives the run. */
int bt_restore_batch_add(struct bt_restore_run *run, enum bt_restore_item kind, struct bt_place *place,
			 const struct bt_page *page, const struct bt_entry *entry);
int bt_restore_batch_flush(struct bt_restore_run *run);

/* entry.c: restores one entry that is not a directory. Problems are reported, not returned. */
void bt_restore_entry(struct bt_restore_run *run, struct bt_restore_worker *worker, struct bt_place *place,
		      const struct bt_entry *entry);
void bt_restore_link(struct bt_restore_run *run, struct bt_place *place, const struct bt_entry *entry);

enum bt_restore_decision { BT_KEEP, BT_SET_METADATA, BT_COMPARE, BT_WRITE };
/* What exists at the name of an entry, and what to do with the entry. */
struct bt_restore_existing {
	enum bt_restore_decision decision;
	bool exists;	    /* also set where a dry run may not look */
	bool equal;	    /* metadata and time are equal */
	bool stays;	    /* it is not touched, whatever it is */
	bool newer;	    /* a file that was modified later */
	bool by_time;	    /* the decision rests on equal size and time alone */
	struct stat status; /* valid if exists, and it could be looked at */
};
int bt_restore_decide(struct bt_restore_run *run, struct bt_place *place, int dirfd, const struct bt_entry *entry,
		      struct bt_restore_existing *ret_existing); /* 0 or -errno */
/* Whether a symlink, device, FIFO or socket like the entry has its name, whatever its metadata is. */
bool bt_restore_same_node(int dirfd, const struct bt_entry *entry);
/* Reports and counts an entry that is in place. A file with several names is remembered for its other names. status: of
 * the file now at the name; NULL: it is not that file. */
void bt_restore_done(struct bt_restore_run *run, enum bt_event event, struct bt_place *place,
		     const struct bt_entry *entry, const struct stat *status);

/* file.c: writes a new file. 0, and *ret_status is of it if it has several names; 1 if an existing file had to stay; -1
 * if a problem was reported. */
int bt_restore_file(struct bt_restore_run *run, struct bt_place *place, int dirfd, const struct bt_entry *entry,
		    struct stat *ret_status);
/* 0 if equal, 1 if different, -1 if a problem was reported. */
int bt_restore_compare(struct bt_restore_run *run, struct bt_restore_worker *worker, struct bt_place *place, int fd,
		       const struct bt_entry *entry);

/* salvage.c: reports a file that damage keeps from being restored whole, and writes what can be read of it to
 * NAME.partial. */
void bt_restore_salvage(struct bt_restore_run *run, struct bt_place *place, const struct bt_entry *entry,
			const struct bt_error *damage);

/* node.c: makes a symlink, device, FIFO or socket. Results as of bt_restore_file. */
int bt_restore_node(struct bt_restore_run *run, struct bt_place *place, int dirfd, const struct bt_entry *entry,
		    struct stat *ret_status);

/* large.c: restores a file that several workers write at the same time. */
#define BT_LARGE ((uint64_t)8 << 20)
int bt_restore_large(struct bt_restore_run *run, struct bt_place *place, const struct bt_page *page,
		     const struct bt_entry *entry);

/* temp.c: files get their names when they are complete. */
void bt_temp_name(struct bt_restore_run *run, char name[BT_TEMP_SIZE]);
int bt_temp_open(struct bt_restore_run *run, int dirfd,
		 char name[BT_TEMP_SIZE]); /* a new file with mode 0600 for writing: fd or -errno */
/* Removes temporary files of killed restores from a directory. Call it before this run makes any there; if another
 * restore works in the directory, nothing is removed. */
void bt_temp_sweep(int dirfd);
/* A complete file that is to get its name. */
struct bt_arrival {
	const char *temp, *name;
	const struct bt_entry *entry;
	bool same; /* what is there has the same content, and so needs no backup */
};
/* Renames it; an existing file is replaced as the options say. 0; 1: the existing file was kept; -errno. Unless the
 * result is 0, temp is removed. */
int bt_temp_install(struct bt_restore_run *run, struct bt_place *place, int dirfd, const struct bt_arrival *arrival);

/* extras.c */
/* Removes from the place all names that the directory with this digest does not have. The store, and what leads to it,
 * stays, and so does what is not selected. whole: the directory is, itself. */
void bt_extras_remove(struct bt_restore_run *run, struct bt_place *place, const struct bt_digest *directory,
		      bool whole);
/* Removes a directory at name that is in the way of something else; with --delete also its contents, and with backups
 * it gets another name. 0 or -errno; -ENOTEMPTY: it has contents, and neither was given. */
int bt_extras_clear(struct bt_restore_run *run, struct bt_place *place, int dirfd, const char *name);
/* Reports that the temporary file for name could not be made in dirfd, or that bt_temp_install failed there. */
void bt_tell_not_created(struct bt_restore_run *run, struct bt_place *place, int dirfd, const char *name, int r);
void bt_tell_not_installed(struct bt_restore_run *run, struct bt_place *place, int dirfd, const char *name, int r);
/* Reports that name cannot be restored, because the store is in the way. */
void bt_tell_store_in_the_way(struct bt_restore_run *run, struct bt_place *place, int dirfd, const char *name);

/* enter.c: opens a directory of the snapshot in the output, or makes it. NULL: a problem was reported. */
struct bt_place *bt_restore_enter(struct bt_restore_run *run, struct bt_place *parent, const struct bt_entry *entry);

/* walk.c */
struct bt_selection;
int bt_restore_walk(struct bt_restore_run *run, struct bt_place *root, const struct bt_selection *selection);

#endif
