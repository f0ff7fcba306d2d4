/* SPDX-License-Identifier: MIT */
/*
 * The store as a whole: its directories, lock, files, index and the cache of decoded blocks. Behind the public struct
 * bt_store (include/backuptool/store.h), which says what may run at the same time; a file that is added, and the gate,
 * need the store for one thread as far as refreshes go.
 */
#ifndef BT_STORE_STORE_H
#define BT_STORE_STORE_H

#include "backend/object.h"
#include "store/index.h"
#include "store/writer.h"
#include <internal/store.h>
#include <stdatomic.h>
#include <sys/types.h>

/* How the store turns a file that is not of version 2 into one that is; given by whoever opens it (view/), since it
 * lies above this room. */
struct bt_foreign {
	bool (*detect)(struct bt_object *object);
	int (*derive)(int fd, const char *name, int out, const struct bt_observer *observer, struct bt_error *error);
};
int bt_store_open_with(const char *path, const struct bt_store_options *options, const struct bt_foreign *foreign,
		       struct bt_store **ret_store, struct bt_error *error);

/* Every snapshot and volume has an ordinal, given in the order of discovery and stable while the store is open. What is
 * gone from the directory keeps its ordinal, and stays readable if it was open. */
struct bt_file_id {
	uint32_t ordinal;
	bool snapshot;	  /* false: in contents/ */
	atomic_bool gone; /* since a refresh, and for good */
	const char *name; /* within its directory */
	const char *path; /* from the store's directory, as errors name it */
	uint64_t size;
	struct bt_time mtime;
};

/*
 * Where the store lies, for those who must stay out of it, or let themselves in when they confine themselves: nothing
 * in it is opened or changed through this. The descriptors of its directory and of cache/ are borrowed; -1: it is not
 * in a file system of this machine, or there is no cache/ of the user's own. The device and number of its directory
 * are 0, which no file has, where it is not.
 */
int bt_store_local_fd(const struct bt_store *store);
int bt_store_local_cache_fd(struct bt_store *store);
void bt_store_inode(const struct bt_store *store, dev_t *ret_dev, ino_t *ret_ino);

bool bt_store_salvages(const struct bt_store *store); /* opened to read damaged files, too */
/* Whether programs have written here, which leaves more than snapshot files. */
bool bt_store_marked(const struct bt_store *store);

/* identity.c: what the file says, for bt_store_id. Where there is none it is "", which is no failure; where there is
 * something else it is "", too, and BT_E_DAMAGED [bad-id], or BT_E_SYSTEM if it cannot be read. */
#define BT_ID_NAME "id"
int bt_identity_read(struct bt_store *store, struct bt_error *error);
/* Gives the store one if nothing has the name. Whether it was this caller who did, and no other program. */
int bt_identity_give(struct bt_store *store, bool *ret_given, struct bt_error *error);

/* When a repair put a file with damage aside last; zero: never. What was whole before may not be so since. */
struct bt_time bt_store_repaired(const struct bt_store *store);

/* Takes one of the store's locks, waiting as the options say. Released by closing the fd. The observer may be NULL.
 * The next refresh reads the directories, whatever their times say: that of another host may be behind. */
int bt_store_lock(struct bt_store *store, enum bt_lock_kind kind, const struct bt_observer *observer, int *ret_fd,
		  struct bt_error *error);
/* The shared lock, so that nothing is deleted meanwhile, and the store as it is under it. *ret_fd is -1 where there
 * can be no lock: in a store that may only be read. */
int bt_store_lock_for_reading(struct bt_store *store, const struct bt_observer *observer, int *ret_fd,
			      struct bt_error *error);

/* Removes what killed programs left of files that they were writing; alone: the caller has BT_LOCK_PRUNER and
 * BT_LOCK_EXCLUSIVE, so nobody begins to write one. */
void bt_store_sweep(struct bt_store *store, bool alone);
/* Makes durable which names there are. */
int bt_store_settle(struct bt_store *store, struct bt_error *error);

/* A new file: see writer.h. What replaces a snapshot, and every snapshot of a run, is published through gate.h. */
int bt_store_create(struct bt_store *store, bool snapshot, const struct bt_buf *header, struct bt_writer **ret_writer,
		    struct bt_error *error);
/* Seals it. The file has an ordinal and is found by name and through the index at once; it is among the snapshots after
 * a refresh. BT_E_EXISTS: again with another name. */
int bt_store_publish(struct bt_store *store, bool snapshot, struct bt_writer *writer, const struct bt_buf *summary,
		     const char *name, struct bt_error *error);
/* A name that no volume has. */
int bt_volume_name(char name[48], struct bt_error *error);

/* How many ordinals there are: snapshots (version 1 included) and volumes, also those that are gone. */
size_t bt_store_file_count(const struct bt_store *store);
uint64_t bt_store_bytes(const struct bt_store *store); /* the sizes of all of them */
const struct bt_file_id *bt_store_file_id(const struct bt_store *store, uint32_t ordinal);
/* Opened once and kept; borrowed. A version 1 file gives the file derived from it. */
int bt_store_file(struct bt_store *store, uint32_t ordinal, struct bt_file **ret_file, struct bt_error *error);
/* Derives the file anew from a version 1 file, whatever cache/ says of it; of version 2 nothing happens. */
int bt_store_derive(struct bt_store *store, uint32_t ordinal, struct bt_error *error);
/* Opened for the caller, apart from what the store has of it: what has the name now. It is kept. */
int bt_store_open_apart(struct bt_store *store, uint32_t ordinal, struct bt_object **ret_object,
			struct bt_error *error);
int bt_store_file_named(struct bt_store *store, const char *name,
			uint32_t *ret_ordinal); /* a snapshot, BT_E_NOT_FOUND */

/* The index is opened on first use (so that `list` does not pay for it). BT_E_NOT_FOUND does not fill error. */
int bt_store_find(struct bt_store *store, const struct bt_digest *digest, bool page, struct bt_location *ret_location,
		  struct bt_error *error);
/* All places that the index knows, newest first and up to max: a hint, to be looked at. */
int bt_store_places(struct bt_store *store, const struct bt_digest *digest, bool page, struct bt_location *ret_places,
		    size_t max, size_t *ret_count, struct bt_error *error);
/* Everything derived is made anew: the index, and what stands for version 1 files. */
int bt_store_rebuild(struct bt_store *store, struct bt_error *error);
/* Whether a new file may rely on it. A file of version 1 lends nothing: when it is removed, nobody asks who needs it.
 * Nor does one that is gone, although bt_store_find still finds what it has. */
int bt_store_has(struct bt_store *store, const struct bt_digest *digest, bool page, bool *ret_has,
		 struct bt_error *error);

/* Something that a higher room keeps with the store; freed by close before anything else. Set once, right after open.
 */
void bt_store_attach(struct bt_store *store, void *data, void (*free)(void *data));
void *bt_store_attached(const struct bt_store *store);

/* A page's line, verified by its id, into line (replaced). BT_R_MISSING_PAGE if no file has it. ret_offset: where it
 * lies, for errors; ret_file its ordinal. */
int bt_store_page(struct bt_store *store, const struct bt_digest *id, struct bt_buf *line,
		  struct bt_location *ret_location, struct bt_error *error);

/*
 * A content's plain bytes, decoded through the block cache and verified by digest the first time they are handed out
 * from a decoded block. The pin keeps them until bt_store_unpin. BT_R_MISSING_CONTENT if no file has it. When one
 * file's copy is damaged, another file's is tried if there is one.
 */
struct bt_pin {
	const unsigned char *data;
	size_t size;
	void *cached;
	bool fresh; /* its block was not decoded before this */
};
/* flags: BT_SLICE_… of backuptool/view.h. */
int bt_store_pin(struct bt_store *store, const struct bt_digest *digest, uint64_t size, unsigned flags,
		 struct bt_pin *ret_pin, struct bt_error *error);
/* Reads the content or page at this place, and no other: 0 if it has that digest. */
int bt_store_verify_at(struct bt_store *store, const struct bt_location *place, const struct bt_digest *digest,
		       struct bt_error *error);
void bt_store_unpin(struct bt_store *store, struct bt_pin *pin);
/* Decodes the block of a content ahead, on the calling thread, unless it is cached. Errors do not matter. */
void bt_store_prefetch(struct bt_store *store, const struct bt_digest *digest);

/*
 * For tests. Files that were found damaged so far: they are left out, and everything else works. The survey opens all
 * and looks everything up, which finds each that cannot be used at all. The error's file names it. Valid until close.
 */
int bt_store_survey(struct bt_store *store, struct bt_error *error);
size_t bt_store_damaged_count(struct bt_store *store);
const struct bt_error *bt_store_damaged(struct bt_store *store, size_t index);

#endif
