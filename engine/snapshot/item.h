/* SPDX-License-Identifier: MIT */
/* Items of the walk, in its order, and the batches in which they go to the readers. */
#ifndef BT_SNAPSHOT_ITEM_H
#define BT_SNAPSHOT_ITEM_H

#include "base/table.h"
#include "pack/chunks.h"
#include "snapshot/tree.h"

enum bt_snap_kind {
	BT_SNAP_KEEP,	   /* unchanged: the entry is complete */
	BT_SNAP_FILE,	   /* a small file to be read */
	BT_SNAP_BARE,	   /* something without contents to be read */
	BT_SNAP_LINK,	   /* another name of a file that an earlier item reads */
	BT_SNAP_RESTART,   /* of a stream: what came before does not count */
	BT_SNAP_END,	   /* of a stream */
	BT_SNAP_BAD,	   /* could not even be looked at: the outcome says why */
	BT_SNAP_DIRECTORY, /* all entries of a directory came before */
};

/* A file with several names. Owned by those who refer to it: the table of the walk and items. */
struct bt_snap_link {
	struct bt_table_key key; /* device and inode */
	uint64_t missing;	 /* names that have not come by */
	atomic_uint refs;
	bool anew;  /* [walk] the parent does not know all its names */
	bool ready; /* [finish] */
	struct bt_arena arena;
	struct bt_entry entry;
};
/* Those that miss names. */
void bt_snap_links_free(struct bt_table *links);
/* The link for a file found, made when it is the first of its names; the caller gets a reference. NULL: out of memory.
 */
struct bt_snap_link *bt_snap_links_get(struct bt_table *links, const struct bt_found *found, bool *ret_first);
/* Whether any of those that miss names has been linked anew. */
bool bt_snap_links_anew(const struct bt_table *links);
void bt_snap_link_put(struct bt_snap_link *link); /* NULL is fine */

/* A file on its way through the pools piece by piece. */
struct bt_snap_stream {
	struct bt_chunk_list list; /* [finish] */
	uint64_t seen;		   /* [finish] bytes */
	struct bt_snap_node *node;
	const struct bt_found *found;
	struct bt_arena arena;
	struct bt_entry entry;
	struct bt_outcome outcome;
};
void bt_snap_stream_free(struct bt_snap_stream *stream); /* NULL is fine */

struct bt_snap_item {
	struct bt_snap_item *next;
	enum bt_snap_kind kind;
	bool reads;		      /* there is work to do before it can be finished */
	bool has_old;		      /* the parent has an entry of this name */
	struct bt_snap_node *node;    /* the directory that it lies in; for BT_SNAP_DIRECTORY the directory itself */
	const struct bt_found *found; /* belongs to the listing */
	struct bt_entry entry, old;   /* in the batch's arena */
	struct bt_outcome outcome;
	struct bt_source_room room; /* planned for a small file; data is set when it is read */
	size_t size;		    /* bytes read */
	struct bt_snap_link *link;
	struct bt_snap_stream *stream;
};

/* settle.c: the directory that an item lies in; NULL for the root. */
struct bt_snap_node *bt_snap_containing(const struct bt_snap_item *item);
/* [finish]: an item whose reading is over into counts, the observer's ears, and its directory's page. */
int bt_snap_settle(struct bt_snap_run *run, struct bt_snap_item *item, struct bt_arena *arena, struct bt_error *error);

/* late.c [finish]: reads an entry that turned out to be something else than listed, however long it takes. */
int bt_snap_read_late(struct bt_snap_run *run, struct bt_snap_item *item, struct bt_arena *arena,
		      struct bt_error *error);

/* batch.c */
struct bt_snap_batch;
struct bt_snap_batch *bt_snap_batch_new(struct bt_snap_run *run); /* NULL: out of memory */
void bt_snap_batch_free(struct bt_snap_batch *batch);		  /* one that was not submitted */
struct bt_arena *bt_snap_batch_arena(struct bt_snap_batch *batch);
/* A new zeroed item at the end; NULL on out of memory. What it refers to is the batch's from then on. */
struct bt_snap_item *bt_snap_batch_add(struct bt_snap_batch *batch);
/* Plans room for a small file. */
void bt_snap_batch_plan(struct bt_snap_batch *batch, struct bt_snap_item *item, size_t size);
bool bt_snap_batch_full(const struct bt_snap_batch *batch);
int bt_snap_batch_submit(struct bt_snap_batch *batch); /* takes it in any case */
/* A chunk of a stream, copied. */
int bt_snap_chunk_submit(struct bt_snap_run *run, struct bt_snap_stream *stream, const unsigned char *data,
			 size_t size);
int bt_snap_readers_new(struct bt_snap_run *run, struct bt_pool **ret_pool);

/* walk.c: the directory of a finished item may go; from any thread. */
void bt_snap_walk_done(struct bt_snap_walk *walk, struct bt_snap_node *node);

#endif
