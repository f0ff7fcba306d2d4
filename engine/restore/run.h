/* SPDX-License-Identifier: MIT */
/* One restore: what its parts share. The walker (one thread) goes through the snapshot in order and makes directories;
 * workers write files; what needs an order (hard links, the metadata of directories) is done when a batch is finished.
 */
#ifndef BT_RESTORE_RUN_H
#define BT_RESTORE_RUN_H

#include "base/pool.h"
#include "restore/boundary.h"
#include "restore/guard.h"
#include "restore/links.h"
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
	struct bt_pool *pool;
	struct bt_restore_batch *batch;	   /* being filled by the walker */
	struct bt_restore_worker finisher; /* for finish, of which there is one at a time */
	bool privileged;		   /* may give files away, so that owners are compared */
	bool by_content;		   /* files are compared with what is there by their contents alone */
	bool in_place;			   /* the output is the directory that the snapshot is of */
	uint64_t seed;			   /* of names that nobody can guess */
	atomic_uint_fast64_t temps;
};

int bt_restore_worker_init(struct bt_restore_worker *worker);
void bt_restore_worker_destroy(struct bt_restore_worker *worker);

/* batch.c: entries for the workers. */
enum bt_restore_item {
	BT_ITEM_ENTRY,	  /* in place, by a worker */
	BT_ITEM_FOLLOWER, /* a further name of a file with several; in order */
	BT_ITEM_END,	  /* place's own metadata, after everything before; entry is the directory's */
	BT_ITEM_LEAD,	  /* place only leads to others: it gets back what it had */
};
/* page: the one that entry lives in, or NULL if it outlives the run. */
int bt_restore_batch_add(struct bt_restore_run *run, enum bt_restore_item kind, struct bt_place *place,
			 const struct bt_page *page, const struct bt_entry *entry);
int bt_restore_batch_flush(struct bt_restore_run *run);

/* entry.c: one entry that is no directory. Problems are told; nothing is returned. */
void bt_restore_entry(struct bt_restore_run *run, struct bt_restore_worker *worker, struct bt_place *place,
		      const struct bt_entry *entry);
void bt_restore_follower(struct bt_restore_run *run, struct bt_place *place, const struct bt_entry *entry);

enum bt_restore_decision { BT_KEEP, BT_MEND, BT_COMPARE, BT_WRITE };
/* What stands at an entry's place now, and what is to be done with the entry. */
struct bt_restore_there {
	enum bt_restore_decision decision;
	bool exists;	    /* also where nobody may look */
	bool equal;	    /* in metadata and time */
	bool by_time;	    /* it is the decision's only ground that size and time are equal */
	struct stat status; /* if it exists */
};
int bt_restore_decide(struct bt_restore_run *run, struct bt_place *place, int dirfd, const struct bt_entry *entry,
		      struct bt_restore_there *ret_there); /* 0 or -errno */
/* Tells and counts an entry that is in place; a file with several names is remembered for the others (status: what
 * stands there now; NULL: not that file). */
void bt_restore_done(struct bt_restore_run *run, enum bt_event event, struct bt_place *place,
		     const struct bt_entry *entry, const struct stat *status);

/* file.c. *ret_status: the file written or kept. 0, 1 if something that must stay was there, -1 if a problem was told.
 */
int bt_restore_file(struct bt_restore_run *run, struct bt_place *place, int dirfd, const struct bt_entry *entry,
		    struct stat *ret_status);
/* 0 equal, 1 different, -1 told. */
int bt_restore_compare(struct bt_restore_run *run, struct bt_restore_worker *worker, struct bt_place *place, int fd,
		       const struct bt_entry *entry);

/* salvage.c: a file that cannot be restored whole because of damage: told, and what there is of it goes to
 * NAME.partial. */
void bt_restore_salvage(struct bt_restore_run *run, struct bt_place *place, const struct bt_entry *entry,
			const struct bt_error *damage);

/* node.c: everything that is neither file nor directory; as bt_restore_file. */
int bt_restore_node(struct bt_restore_run *run, struct bt_place *place, int dirfd, const struct bt_entry *entry,
		    struct stat *ret_status);

/* large.c: a file that several workers write at the same time. */
#define BT_LARGE ((uint64_t)8 << 20)
int bt_restore_large(struct bt_restore_run *run, struct bt_place *place, const struct bt_page *page,
		     const struct bt_entry *entry);

/* temp.c: things appear under their names when they are complete. */
void bt_temp_name(struct bt_restore_run *run, char name[BT_TEMP_SIZE]);
int bt_temp_open(struct bt_restore_run *run, int dirfd,
		 char name[BT_TEMP_SIZE]); /* a new file 0600 for writing: fd or -errno */
/* Removes the temporary files of restores that were killed from a directory in which no other restore is at work and
 * this one has made none yet. */
void bt_temp_sweep(int dirfd);
/* Gives temp its name, replacing what stands there as the options say. 0; 1: kept what was there; -errno. Unless 0 the
 * temporary name is gone. */
int bt_temp_install(struct bt_restore_run *run, struct bt_place *place, int dirfd, const char *temp, const char *name);

/* extras.c */
/* Removes from the place what the directory, by its digest, does not have; the store stays, and what leads to it. */
void bt_extras_remove(struct bt_restore_run *run, struct bt_place *place, const struct bt_digest *directory);
/* A directory stands at name where something else is to be: it makes way, with --delete also with what is in it. 0 or
 * -errno; -ENOTEMPTY: not without --delete. */
int bt_extras_clear(struct bt_restore_run *run, struct bt_place *place, int dirfd, const char *name);
/* Tells that nothing could be made in dirfd to become name; that bt_temp_install in dirfd failed. */
void bt_tell_not_created(struct bt_restore_run *run, struct bt_place *place, int dirfd, const char *name, int r);
void bt_tell_not_installed(struct bt_restore_run *run, struct bt_place *place, int dirfd, const char *name, int r);
/* Tells that name cannot be put in its place. */
void bt_tell_store_in_the_way(struct bt_restore_run *run, struct bt_place *place, int dirfd, const char *name);

/* enter.c: a place for a directory of the snapshot, made when it is missing; NULL if it was told why not. */
struct bt_place *bt_restore_enter(struct bt_restore_run *run, struct bt_place *parent, const struct bt_entry *entry);

/* walk.c */
struct bt_selection;
int bt_restore_walk(struct bt_restore_run *run, struct bt_place *root, const struct bt_selection *selection);

#endif
