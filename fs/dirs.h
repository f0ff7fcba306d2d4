/* SPDX-License-Identifier: MIT */
/* Finds entries by node numbers, and node numbers by entries, in the engine's pages. */
#ifndef FS_DIRS_H
#define FS_DIRS_H

#include "fs.h"

/* An open directory. */
struct dir {
	uint32_t number; /* number of its record */
	struct node_dir record;
	struct node_page page; /* the record of its first page */
	struct bt_dir *dir;
};
int dir_open(struct fs *fs, fuse_ino_t node, struct dir *ret_dir); /* ENOTDIR: not a directory */
/* Opens a tree by its id, as the directory at a path of a snapshot. It has no record, so that number is not valid. */
int dir_open_tree(struct fs *fs, const struct bt_digest *tree, uint64_t path, uint32_t snapshot, struct dir *ret_dir);
void dir_close(struct fs *fs, struct dir *dir);
uint64_t dir_count(const struct dir *dir); /* number of entries */

/* An entry of an open directory, valid until the next one is asked for. Zero-initialise. */
struct found {
	const struct bt_entry *entry;
	struct bt_dir_place place;
	uint32_t leaf_number; /* number of the record of its page */
};
int dir_find(struct fs *fs, const struct dir *dir, const char *name, struct found *ret_found); /* ENOENT if not there */
int dir_at(struct fs *fs, const struct dir *dir, uint64_t index, struct found *found);	       /* ENOENT at the end */

/* Fills in what the kernel is told of an entry: node, attributes, timeouts. */
int dir_entry(struct fs *fs, const struct dir *dir, const struct found *found, struct fuse_entry_param *ret_param);

/* The entry of a node number. The root, links and directories of versions/ have none: EISDIR. */
struct held {
	const struct bt_page *page; /* pinned until held_end; NULL: a snapshot's top directory */
	const struct bt_snapshot_info
		*info; /* of a snapshot's top directory alone; the snapshot is open until held_end */
	const struct bt_entry *entry;
	uint64_t path;	   /* of the entry */
	uint32_t snapshot; /* serial; of a shared node ROOT_NONE */
};
int held_get(struct fs *fs, fuse_ino_t node, struct held *ret_held);
void held_end(struct fs *fs, struct held *held);
/* The attributes of any node that held_get takes. The ctime of a snapshot's top directory is the time of the
 * snapshot. */
int held_attr(struct fs *fs, fuse_ino_t node, struct stat *ret_stat);
/* Whether the node is a snapshot's top directory. */
bool node_snapshot(const struct fs *fs, fuse_ino_t node, uint32_t *ret_serial);

#endif
