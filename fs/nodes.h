/* SPDX-License-Identifier: MIT */
/*
 * Node numbers: the 64-bit names by which kernel and driver speak of a file. They are computed from where an entry
 * lies, so that nothing has to be remembered for a file; only directories get a record when they are looked into.
 *
 *   top      the root, snapshots, links to them, directories of versions/, and those above snapshots of -o group
 *   own      a directory (or what may not be shared): number of its parent's record, index over all of the parent's
 *            leaves. Different for every path in every snapshot
 *   shared   anything else: number of a leaf's record, index in that leaf. A leaf's record stands for its id and the
 *            path of its directory, so that the same file at the same place in two snapshots is one node, whose pages
 *            the kernel keeps once. A leaf may have another record with the snapshot, for those of its entries that
 *            snapshots may not share
 *
 * All functions may be called from several threads. Records stay until the end.
 */
#ifndef FS_NODES_H
#define FS_NODES_H

#include <backuptool/types.h>
#include <stdbool.h>

enum node_kind { NODE_TOP, NODE_OWN, NODE_SHARED };
#define NODE_INDEX_MAX UINT32_C(0x7ffffffe)

struct node {
	enum node_kind kind;
	uint32_t number, index;
};
uint64_t node_pack(struct node node);
struct node node_unpack(uint64_t packed);
bool node_is_directory_like(uint64_t packed); /* it may have children, so it is not shared */

/* The meaning of the numbers of NODE_TOP. */
enum node_top { TOP_ROOT, TOP_SNAPSHOT, TOP_LINK, TOP_VERSIONS, TOP_GROUP };

/* A page at its place. If two snapshots have the page at the same place, both have the same record. */
struct node_page {
	struct bt_digest id;
	uint64_t path;	   /* hash of the directory's path in its snapshot */
	uint32_t snapshot; /* serial + 1, or 0 when snapshots share nodes */
	uint32_t unused;   /* 0: records are compared as bytes */
};

/* A directory that was opened. */
struct node_dir {
	uint64_t node;	   /* its own node number */
	uint32_t page;	   /* record of its first page */
	uint32_t snapshot; /* serial of the snapshot it lies in */
};

struct nodes;
int nodes_new(struct nodes **ret_nodes);
void nodes_free(struct nodes *nodes);

/* The number of a record, which is added if it is new. */
int nodes_page(struct nodes *nodes, const struct node_page *page, uint32_t *ret_number);
int nodes_dir(struct nodes *nodes, const struct node_dir *dir, uint32_t *ret_number);
/* The number of a directory's record by its node; false if the directory was never opened. */
bool nodes_dir_find(struct nodes *nodes, uint64_t node, uint32_t *ret_number);
uint32_t nodes_dir_count(struct nodes *nodes); /* all records have lower numbers */
/* A copy of a record; false if there is none with this number. */
bool nodes_page_at(struct nodes *nodes, uint32_t number, struct node_page *ret_page);
bool nodes_dir_at(struct nodes *nodes, uint32_t number, struct node_dir *ret_dir);

#endif
