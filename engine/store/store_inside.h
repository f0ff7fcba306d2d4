/* SPDX-License-Identifier: MIT */
/* What the sources of struct bt_store share. */
#ifndef BT_STORE_STORE_INSIDE_H
#define BT_STORE_STORE_INSIDE_H

#include "base/buf.h"
#include "base/buffers.h"
#include "base/cache.h"
#include "codec/frame.h"
#include "codec/hash.h"
#include "store/rest.h"
#include "store/store.h"
#include <pthread.h>
#include <stdatomic.h>

/* What follows the 32 hexadecimal digits of a volume's name. */
#define BT_VOLUME_SUFFIX ".json"
#define BT_DOOMED_SUFFIX ".doomed"

/* A file of the store. Slots never move, so they are read without a lock. Members that change are atomic, or guarded by
 * lock, or changed only by the refresh or the gate. */
struct bt_slot {
	struct bt_file_id id;
	char *path;	 /* id.path, of which id.stored is the last part; and after it id.name, if that differs */
	int64_t seconds; /* of a snapshot's name, with the clash number */
	unsigned clash;
	bool seen;	       /* by the refresh under way */
	struct bt_stamp stamp; /* not part of id: a copy of the store has other stamps */
	pthread_mutex_t lock;
	struct bt_file *_Atomic file;
	struct bt_object *held; /* opened before file is, or NULL; guarded by lock */
	atomic_bool released;	/* gone, and not read any more */
	bool doomed;		/* a program is about to delete it: lends nothing */
	bool made, taken;	/* the holder of the gate gave it its name, or took that away */
	bool trusted;
	atomic_int lends;   /* enum bt_lends */
	atomic_bool leaned; /* a file that is being written relies on it */
	struct bt_error *_Atomic damage;
};

/* Whether the index may be relied on for a file: it says the same as the file's own lists. */
enum bt_lends { BT_LENDS_UNKNOWN, BT_LENDS, BT_LENDS_NOTHING };

#define BT_SLOT_CHUNK  ((uint32_t)1024)
#define BT_SLOT_CHUNKS ((uint32_t)8192)

/* Tools of one thread for decoding and verifying. */
struct bt_decoder {
	struct bt_decompressor *decompressor;
	struct bt_hasher *hasher;
	struct bt_buf text;
	struct bt_decoder *next;
};

struct bt_store {
	struct bt_store_options options;
	struct bt_store_readers readers;
	void (*before_slow)(void *arg);
	void *before_slow_arg;
	bool read_only;
	bool made;		   /* by this open */
	char id[BT_STORE_ID_SIZE]; /* "": it has none */
	bool at_rest;		   /* new files lie compressed */
	char *path;
	struct bt_backend *backend;
	pthread_mutex_t lock; /* of adding slots, decoders, roster and cachefd */
	int stayfd, cachefd;
	bool cache_tried;
	struct bt_slot *chunks[BT_SLOT_CHUNKS];
	atomic_uint slot_count;
	pthread_mutex_t refreshing;	/* one refresh at a time */
	const struct bt_roster *roster; /* of the last refresh */
	atomic_uint listed;		/* number of slots then */
	bool growing; /* a file is so young that it may still be written to, which a directory's time does not show */
	atomic_bool doubted;
	atomic_bool swept; /* cache/ was cleared of derived files that are not needed */
	/* Count changes of the set of files: found in the slots, indexed in the index, version when both agree. */
	atomic_uint found, version;
	unsigned indexed;
	pthread_mutex_t index_lock; /* changing the index */
	struct bt_index *index;
	atomic_bool index_ready;
	struct bt_cache *blocks;
	struct bt_rest rest;
	struct bt_buffers buffers; /* of blocks */
	struct bt_decoder *decoders;
	struct bt_cache *pages; /* NULL: opened without readers */
};

/* Written only once, since threads share the cache line. */
static inline void bt_slot_lean(struct bt_slot *slot)
{
	if (!atomic_load_explicit(&slot->leaned, memory_order_relaxed))
		atomic_store_explicit(&slot->leaned, true, memory_order_relaxed);
}

/* The area of files of either kind. */
static inline enum bt_area bt_area_of(bool snapshot)
{
	return snapshot ? BT_AREA_TOP : BT_AREA_CONTENTS;
}

/* The name of the file of a snapshot or volume of this name. */
#define BT_STORED_SIZE 80
void bt_stored_name(char stored[BT_STORED_SIZE], const char *name, bool at_rest);
/* The other way round; false: no file of a store has so long a name. */
bool bt_known_name(char name[BT_STORED_SIZE], const char *stored);

/* catalogue.c */
struct bt_slot *bt_slot(const struct bt_store *store, uint32_t ordinal);
/* With refreshing locked, or by the one thread that has the store for itself. */
int bt_catalogue_refresh(struct bt_store *store, struct bt_error *error);
/* name: of the file. */
int bt_catalogue_add(struct bt_store *store, const char *name, bool snapshot, const struct bt_stored *stored,
		     struct bt_slot **ret_slot);
void bt_catalogue_free(struct bt_store *store);

/* roster.c: publishes a roster of the files that exist among the first slots. */
int bt_roster_publish(struct bt_store *store, uint32_t slots);

/* files.c */
/* Called after setting gone, and after setting file: the later call sees both. */
void bt_slot_keep(struct bt_slot *slot);
void bt_slot_damaged(struct bt_slot *slot, const struct bt_error *error);
/* Opens the file as it was listed, and as it lies. */
int bt_slot_object(struct bt_store *store, const struct bt_slot *slot, struct bt_object **ret_object,
		   struct bt_error *error);
/* The text of a file, whose object is taken over, also on failure. */
int bt_slot_text(struct bt_store *store, const struct bt_slot *slot, struct bt_object *stored, bool loosely,
		 struct bt_object **ret_object, struct bt_error *error);
void bt_slot_free(struct bt_slot *slot);
bool bt_slot_is_open(struct bt_slot *slot);

/* derived.c: whether the object, which is the slot's file, is one of version 1 and can be read. */
bool bt_slot_is_classic(const struct bt_store *store, const struct bt_slot *slot, struct bt_object *object);
/* Takes the version 1 file over. Removes derived files whose version 1 file is gone. */
int bt_derived_open(struct bt_store *store, struct bt_slot *slot, struct bt_object *source, struct bt_file **ret_file,
		    struct bt_error *error);
/* Derives the file again if it does not verify. */
int bt_derived_recheck(struct bt_store *store, struct bt_slot *slot, struct bt_error *error);

/* gate.c: the holder itself gave a file this name of a file, in the store's directory or in contents/. */
struct bt_gate;
int bt_gate_made(struct bt_gate *gate, const char *name, bool snapshot, struct bt_error *error);

/* lookup.c */

/* Adds a file after seal, with the name of the file. */
int bt_store_add_file(struct bt_store *store, const char *name, bool snapshot, const struct bt_writer *writer,
		      struct bt_error *error);
static inline void bt_store_before_slow(const struct bt_store *store)
{
	if (store->before_slow)
		store->before_slow(store->before_slow_arg);
}
int bt_lookup_index(struct bt_store *store, struct bt_error *error); /* builds the index on first use */
/* After a refresh. */
int bt_lookup_update(struct bt_store *store, struct bt_error *error);
/* Does nothing if another thread has done it since the caller asked for the index's doubt. */
int bt_lookup_rebuild(struct bt_store *store, unsigned doubt, struct bt_error *error);

/* blocks.c */
int bt_blocks_new(struct bt_store *store);
void bt_blocks_free(struct bt_store *store);
struct bt_decoder *bt_decoder_take(struct bt_store *store); /* NULL: out of memory */
void bt_decoder_give(struct bt_store *store, struct bt_decoder *decoder);

#endif
