/* SPDX-License-Identifier: MIT */
/* What the mount needs of the directories and files of a snapshot. */
#ifndef INTERNAL_VIEW_H
#define INTERNAL_VIEW_H

#include <backuptool/view.h>

/* As bt_dir_find: the entry at an index. */
int bt_dir_at(struct bt_dir *dir, uint64_t index, const struct bt_entry **ret_entry, struct bt_error *error);
uint64_t bt_dir_count(const struct bt_dir *dir); /* of entries */

/* Where the entry given last lies. The page is pinned as long as the entry lives: bt_page_ref keeps both. */
struct bt_dir_place {
	const struct bt_page *page;
	const struct bt_digest *id; /* of the page */
	uint64_t base;		    /* entries of the directory before this page */
	size_t index;		    /* on the page */
};
struct bt_dir_place bt_dir_here(const struct bt_dir *dir);

/* Bytes of Base64 that the contents of the file take in the store: their share of the blocks that they lie in. */
int bt_entry_stored(struct bt_store *store, const struct bt_entry *file, uint64_t *ret_bytes, struct bt_error *error);

/*
 * Read-ahead for small files. Files are packed in the order of the directories, so the next read is usually in the next
 * block of the store file.
 */
struct bt_readahead;
int bt_readahead_new(struct bt_store *store, struct bt_readahead **ret_readahead);
void bt_readahead_free(struct bt_readahead *readahead); /* NULL is fine */
/* Decodes the block after that of the file's first content, on the calling thread. The first call for a store file
 * reads its list of contents. Thread-safe. */
void bt_readahead_next(struct bt_readahead *readahead, const struct bt_entry *file);

#endif
