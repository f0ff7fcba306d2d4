/* SPDX-License-Identifier: MIT */
/*
 * The store as a whole: its directories, lock, files, index and the cache of decoded blocks. This is the inside of the
 * public struct bt_store; include/backuptool/store.h says what may run at the same time. No refresh may run while a
 * file is added or the gate is used by another thread.
 */
#ifndef BT_STORE_STORE_H
#define BT_STORE_STORE_H

#include "backend/object.h"
#include "base/cache.h"
#include "store/index.h"
#include "store/writer.h"
#include <internal/store.h>
#include <stdatomic.h>
#include <sys/types.h>

/* Readers from the rooms above this one, which bt_store_open (view/open.c) gives to the store. */
struct bt_store_readers {
	/* Reads a version 1 file from fd, called name, and writes the file of version 2 that stands for it to out. */
	int (*derive)(int fd, const char *name, int out, const struct bt_observer *observer, struct bt_error *error);
	struct bt_cache_options pages; /* of the cache of parsed pages; its arg will be the store */
};
/* readers may be NULL: version 1 files are damaged files then, and there is no cache of pages. */
int bt_store_open_with(const char *path, const struct bt_store_options *options, const struct bt_store_readers *readers,
		       struct bt_store **ret_store, struct bt_error *error);
struct bt_cache *bt_store_pages(const struct bt_store *store);

/* Every snapshot and volume has an ordinal, given in the order of discovery and stable while the store is open. A file
 * that was removed keeps its ordinal, and stays readable if it was open. */
struct bt_file_id {
	uint32_t ordinal;
	bool snapshot;	    /* false: in contents/ */
	atomic_bool gone;   /* removed, as a refresh found; never reset */
	bool at_rest;	    /* it lies compressed: see rest.h */
	const char *name;   /* of the snapshot or volume, however it lies */
	const char *stored; /* of the file, within its directory */
	const char *path;   /* of the file from the store's directory, as errors name it */
	uint64_t size;	    /* of the file as it lies */
	struct bt_time mtime;
};

/*
 * Where the store is, for callers that must stay out of it, or that keep their access to it when they confine
 * themselves. Nothing is opened or changed through this. The descriptors of its directory and of cache/ are borrowed.
 * They are -1 if the store is not in a file system of this machine, or there is no cache/ of the user's own. Device and
 * number of its directory are 0 then, which no file has.
 */
int bt_store_local_fd(const struct bt_store *store);
int bt_store_local_cache_fd(struct bt_store *store);
void bt_store_inode(const struct bt_store *store, dev_t *ret_dev, ino_t *ret_ino);
/* Whether both lie in one directory. */
bool bt_store_is_one(const struct bt_store *a, const struct bt_store *b);

bool bt_store_salvages(const struct bt_store *store); /* opened to read damaged files, too */
/* Whether a program has written here: it leaves more than snapshot files. */
bool bt_store_marked(const struct bt_store *store);

/* identity.c: reads the id for bt_store_id. Without the file it is "", which is not a failure. It is also "" if the
 * file is something else, with BT_E_DAMAGED [bad-id], or cannot be read, with BT_E_SYSTEM. */
#define BT_ID_NAME "id"
int bt_identity_read(struct bt_store *store, struct bt_error *error);
/* Gives the store an id if the name is free. *ret_given: this caller did, not another program. */
int bt_identity_give(struct bt_store *store, bool *ret_given, struct bt_error *error);
/* How new files lie is a choice that the file with the id remembers. enter: what another program has chosen meanwhile;
 * it fails with BT_R_UNKNOWN_NEED if only newer programs may change the store. A file that cannot be read changes
 * nothing. choose: changes it, if that is a change; without a sound file it holds for this opening of the store. The
 * caller holds one of the store's locks. */
int bt_identity_enter(struct bt_store *store, struct bt_error *error);
int bt_identity_choose(struct bt_store *store, bool at_rest, struct bt_error *error);

/* When a repair last put a damaged file aside; zero: never. Snapshots that were whole before may lack data since. */
struct bt_time bt_store_repaired(const struct bt_store *store);

/* Takes one of the store's locks, waiting as the options say. Closing the fd releases it. The observer may be NULL. The
 * next refresh reads the directories whatever their times say: changes by another host may not show in them yet. */
int bt_store_lock(struct bt_store *store, enum bt_lock_kind kind, const struct bt_observer *observer, int *ret_fd,
		  struct bt_error *error);
/* Takes the shared lock, so that nothing is deleted meanwhile, and then refreshes. *ret_fd is -1 if the store may only
 * be read, where locking is impossible. */
int bt_store_lock_for_reading(struct bt_store *store, const struct bt_observer *observer, int *ret_fd,
			      struct bt_error *error);

/* Removes unfinished files of killed programs. alone: the caller has BT_LOCK_PRUNER and BT_LOCK_EXCLUSIVE, so that no
 * program begins to write a file. */
void bt_store_sweep(struct bt_store *store, bool alone);
/* Makes all changes of names durable. */
int bt_store_settle(struct bt_store *store, struct bt_error *error);

/* Begins a new file, which lies as the store says: see writer.h. New snapshots, and files that replace a snapshot, are
 * published through gate.h. */
int bt_store_create(struct bt_store *store, bool snapshot, const struct bt_buf *header, struct bt_writer **ret_writer,
		    struct bt_error *error);
/* Begins a file that will replace this one, and lies as that does: so it can take its name over. */
int bt_store_create_like(struct bt_store *store, uint32_t ordinal, const struct bt_buf *header,
			 struct bt_writer **ret_writer, struct bt_error *error);
/* Seals it. name is without the suffix of files that lie compressed. The file has an ordinal at once, and is found by
 * name and through the index; it is listed among the snapshots after a refresh. BT_E_EXISTS: call again with another
 * name. */
int bt_store_publish(struct bt_store *store, bool snapshot, struct bt_writer *writer, const struct bt_buf *summary,
		     const char *name, struct bt_error *error);
/* A new random name, without the suffix of files that lie compressed. */
int bt_volume_name(char name[48], struct bt_error *error);

/* The number of ordinals: of snapshots (version 1 included) and volumes, also of removed ones. */
size_t bt_store_file_count(const struct bt_store *store);
uint64_t bt_store_bytes(const struct bt_store *store);	    /* the sum of their sizes as they lie */
uint64_t bt_store_text_bytes(const struct bt_store *store); /* of what is in them: an estimate, and rather too large */
const struct bt_file_id *bt_store_file_id(const struct bt_store *store, uint32_t ordinal);
/* Opens the file on first use and keeps it; borrowed. For a version 1 file it is the file derived from that. */
int bt_store_file(struct bt_store *store, uint32_t ordinal, struct bt_file **ret_file, struct bt_error *error);
/* Whether a file begins like one of version 1, and not like one of version 2. */
bool bt_is_classic(struct bt_object *object);
/* Derives the file again from its version 1 file, even if cache/ has it. Does nothing for a file of version 2. */
int bt_store_derive(struct bt_store *store, uint32_t ordinal, struct bt_error *error);
/* Opens the file that has this name now, for the caller alone. It stays readable without its name. */
int bt_store_open_apart(struct bt_store *store, uint32_t ordinal, struct bt_object **ret_object,
			struct bt_error *error);
/* A snapshot, also by the name of its file: 0 or BT_E_NOT_FOUND. Of two files with the name of one snapshot it is the
 * plain one. */
int bt_store_file_named(struct bt_store *store, const char *name, uint32_t *ret_ordinal);

/* Asks the index, which is built on first use (`list` does not need it). BT_E_NOT_FOUND does not fill error. */
int bt_store_find(struct bt_store *store, const struct bt_digest *digest, bool page, struct bt_location *ret_location,
		  struct bt_error *error);
/* Up to max places that the index knows, newest first. They are hints, for the caller to verify. */
int bt_store_places(struct bt_store *store, const struct bt_digest *digest, bool page, struct bt_location *ret_places,
		    size_t max, size_t *ret_count, struct bt_error *error);
/* Makes everything derived again: the index, and damaged files that were derived from version 1. */
int bt_store_rebuild(struct bt_store *store, struct bt_error *error);
/* Whether a new file may rely on the store for a content or page. New files never rely on a file of version 1, because
 * removing one does not check for references; nor on a removed file, although bt_store_find still finds its contents.
 */
int bt_store_has(struct bt_store *store, const struct bt_digest *digest, bool page, bool *ret_has,
		 struct bt_error *error);

/*
 * What one reader of pages has of a file. Pages of one directory usually lie one after the other, so that one read
 * serves several of them, and the index need not be asked for each. One thread at a time may use it. Zero-initialise;
 * free data.
 */
struct bt_page_ahead {
	bool known;    /* where the next page may lie: file and next */
	bool doubted;  /* it was not there last time; the caller ends this when a page proves to be where it may lie */
	uint32_t file; /* ordinal */
	uint64_t next;
	uint32_t data_file; /* data: length bytes of this file from at on */
	char *data;
	uint64_t at;
	size_t length, room;
};
/* Reads a page's line into line, replacing that, and verifies it by its id. BT_R_MISSING_PAGE if no file has it.
 * ret_location: where it was found, for errors. ahead may be NULL. */
int bt_store_page(struct bt_store *store, struct bt_page_ahead *ahead, const struct bt_digest *id, struct bt_buf *line,
		  struct bt_location *ret_location, struct bt_error *error);
/* Takes the next line if it is the page with this id: that is compared. ret_line lives in ahead until the next call.
 * BT_E_NOT_FOUND, for whatever reason: ask bt_store_page. */
int bt_store_page_ahead(struct bt_store *store, struct bt_page_ahead *ahead, const struct bt_digest *id,
			struct bt_text *ret_line, struct bt_location *ret_location);

/*
 * Decodes a content through the block cache and verifies its digest, once for each time that its block is decoded. The
 * pin keeps its bytes valid until bt_store_unpin. BT_R_MISSING_CONTENT if no file has it. If one file's copy is
 * damaged, those of other files are tried.
 */
struct bt_pin {
	const unsigned char *data;
	size_t size;
	void *cached;
	bool fresh; /* its block had to be decoded */
};
/* flags: BT_SLICE_… of backuptool/view.h. */
int bt_store_pin(struct bt_store *store, const struct bt_digest *digest, uint64_t size, unsigned flags,
		 struct bt_pin *ret_pin, struct bt_error *error);
/* Reads the content or page at this place only: 0 if it has that digest. */
int bt_store_verify_at(struct bt_store *store, const struct bt_location *place, const struct bt_digest *digest,
		       struct bt_error *error);
void bt_store_unpin(struct bt_store *store, struct bt_pin *pin);
/* Decodes the block of a content into the cache, on the calling thread. Errors are ignored. */
void bt_store_prefetch(struct bt_store *store, const struct bt_digest *digest);

/* Fails because no file has it. If a newer version of the program made a file of the store, it may be there: then that
 * file is the reason. */
int bt_store_missing(struct bt_store *store, const struct bt_digest *digest, bool page, struct bt_error *error);

/*
 * For tests: the files that were found damaged so far. The store works without them. The survey opens all files and
 * builds the index, so that every file that cannot be used is found. The error names the file. Valid until close.
 */
int bt_store_survey(struct bt_store *store, struct bt_error *error);
size_t bt_store_damaged_count(struct bt_store *store);
const struct bt_error *bt_store_damaged(struct bt_store *store, size_t index);

#endif
