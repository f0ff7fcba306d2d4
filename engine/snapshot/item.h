/* SPDX-License-Identifier: MIT */
/* Items: what the walk wants to be done, in its order. */
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
	bool has_new_name; /* the walk's: the parent does not know all its names */
	bool ready;	   /* the finishing's: entry is there */
	struct bt_arena arena;
	struct bt_entry entry;
};
/* Those that miss names. */
void bt_snap_links_free(struct bt_table *links);
/* The link for a file found, made when it is the first of its names; the caller gets a reference. NULL: out of memory.
 */
struct bt_snap_link *bt_snap_links_get(struct bt_table *links, const struct bt_found *found, bool *ret_first);
/* Whether any of those that miss names has one that is new. */
bool bt_snap_links_have_new(const struct bt_table *links);
void bt_snap_link_put(struct bt_snap_link *link); /* NULL is fine */

/* A file on its way through the pools piece by piece. */
struct bt_snap_stream {
	struct bt_chunk_list list; /* the finishing's, like the next */
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

/* The directory that an item lies in; NULL for the root. */
struct bt_snap_node *bt_snap_containing(const struct bt_snap_item *item);

#endif
