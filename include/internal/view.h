/* SPDX-License-Identifier: MIT */
/* Access to directories and files of a snapshot for the mount and the engine, beyond what programs need. */
#ifndef INTERNAL_VIEW_H
#define INTERNAL_VIEW_H

#include <backuptool/owners.h>

/* A leaf of an index page. */
struct bt_leaf {
	const char *name;
	uint32_t name_length, entries;
	struct bt_digest id;
	const char *further; /* as in struct bt_extra */
};

/* The names of users and of groups, each sorted by number. */
struct bt_owner_names {
	const struct bt_owner_name *lists[BT_OWNER_KINDS];
	size_t counts[BT_OWNER_KINDS];
};

enum bt_page_kind { BT_PAGE_ENTRIES, BT_PAGE_LEAVES, BT_PAGE_CHUNKS, BT_PAGE_NAMES };
struct bt_page {
	enum bt_page_kind kind;
	size_t count; /* of entries, leaves or chunks; 1 of names */
	union {
		const struct bt_entry *entries;
		const struct bt_leaf *leaves;
		const struct bt_chunk *chunks;
		const struct bt_owner_names *names;
	};
};

/* The page with this id, parsed and validated. bt_page_put gives it back. Errors name the file and the offset. */
int bt_page_get(struct bt_store *store, const struct bt_digest *id, const struct bt_page **ret_page,
		struct bt_error *error);
void bt_page_ref(struct bt_store *store, const struct bt_page *page);

/* Like bt_dir_find, for a single name. The entry lives in *ret_page, which the caller puts. */
int bt_dir_lookup(struct bt_store *store, const struct bt_digest *tree, const char *name, size_t name_length,
		  const struct bt_page **ret_page, const struct bt_entry **ret_entry, struct bt_error *error);
/* Like bt_dir_find, by index. */
int bt_dir_at(struct bt_dir *dir, uint64_t index, const struct bt_entry **ret_entry, struct bt_error *error);
uint64_t bt_dir_count(const struct bt_dir *dir); /* of entries */

/* The place of the last entry given. The page lives as long as the entry: bt_page_ref keeps both. */
struct bt_dir_place {
	const struct bt_page *page;
	const struct bt_digest *id; /* of the page */
	uint64_t base;		    /* entries of the directory before this page */
	size_t index;		    /* on the page */
};
struct bt_dir_place bt_dir_here(const struct bt_dir *dir);

/* Number of bytes of the file that are lost, starting at offset, if the content at offset is unreadable: up to the end
 * of that content, or of everything that a chunk page stands for if that page is missing. At least 1. */
uint64_t bt_entry_lost(struct bt_store *store, const struct bt_entry *file, uint64_t offset);

/* Whether the file has a digest that is never compared (BT_WHOLE_HOLES). */
bool bt_whole_is_unproven(const struct bt_entry *file);

/* Bytes of Base64 that the contents of the file take in the store: their shares of the blocks that they lie in. */
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
