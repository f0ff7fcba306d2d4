/* SPDX-License-Identifier: MIT */
/* Items: the work that the walk gives to the later stages, in the order of the walk. */
#ifndef BT_SNAPSHOT_ITEM_H
#define BT_SNAPSHOT_ITEM_H

#include "base/table.h"
#include "pack/chunks.h"
#include "snapshot/node.h"
#include "source/source.h"
#include <stdatomic.h>

enum bt_snap_kind {
	BT_SNAP_KEEP,	   /* unchanged: the entry is complete */
	BT_SNAP_FILE,	   /* a small file to be read */
	BT_SNAP_BARE,	   /* something without contents to be read */
	BT_SNAP_LINK,	   /* a hard link to a file that an earlier item reads */
	BT_SNAP_RESTART,   /* of a stream: drop the chunks so far, because the file changed */
	BT_SNAP_END,	   /* of a stream */
	BT_SNAP_BAD,	   /* stat(2) of it failed: the outcome says why */
	BT_SNAP_DIRECTORY, /* all entries of a directory came before */
};

/* A file with several names. It is counted: the table of the walk and the items refer to it. */
struct bt_snap_link {
	struct bt_table_key key; /* device and inode */
	uint64_t missing;	 /* names that the walk has not met yet */
	atomic_uint refs;
	bool has_new_name; /* for the walk: the parent does not know all its names */
	bool ready;	   /* for the finishing: entry is filled */
	struct bt_arena arena;
	struct bt_entry entry;
};
/* Frees the table, which has the files of which names are missing. */
void bt_snap_links_free(struct bt_table *links);
/* The link of a file; it is made at the first of its names. The caller gets a reference. NULL: out of memory. */
struct bt_snap_link *bt_snap_links_get(struct bt_table *links, const struct bt_found *found, bool *ret_first);
/* Whether a file of which names are missing has a new name. */
bool bt_snap_links_have_new(const struct bt_table *links);
void bt_snap_link_put(struct bt_snap_link *link); /* NULL is fine */

/* A large file, which passes the pools piece by piece. */
struct bt_snap_stream {
	struct bt_chunk_list list; /* for the finishing, like finished */
	uint64_t finished;	   /* bytes */
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
	bool reads;			 /* a reader has to work on it before it can be finished */
	bool has_previous;		 /* the parent has an entry of this name */
	struct bt_snap_node *node;	 /* the directory that it lies in; for BT_SNAP_DIRECTORY the directory itself */
	const struct bt_found *found;	 /* belongs to the listing */
	struct bt_entry entry, previous; /* in the batch's arena; previous: the parent's */
	struct bt_outcome outcome;
	struct bt_source_room room; /* size is planned for a small file; data is set when it is read */
	size_t size;		    /* bytes read */
	struct bt_snap_link *link;
	struct bt_snap_stream *stream;
};

/* The directory that an item lies in; NULL for the root. */
struct bt_snap_node *bt_snap_containing(const struct bt_snap_item *item);

#endif
