/* SPDX-License-Identifier: MIT */
/* Pages and entries (FORMAT.md §4): the strict parser and the writer, whose output the parser reads back equal. */
#ifndef BT_MODEL_PAGE_H
#define BT_MODEL_PAGE_H

#include "base/buf.h"
#include "json/read.h"
#include <internal/view.h>

#define BT_LEAF_ALONE	  32 /* most entries of a directory that is one leaf */
#define BT_LEAF_ENTRIES	  64
#define BT_LEAF_WIDE	  128 /* the same, far into a large directory */
#define BT_LEAF_TEXT	  ((size_t)32 << 10)
#define BT_INDEX_PAGES	  64 /* most that a writer lists on an index page */
#define BT_DIR_LEVELS	  16 /* most index pages between a directory and an entry */
#define BT_INLINE_CHUNKS  64
#define BT_HOLES_MAX	  65536
#define BT_CHUNK_PAGE_MAX 4096

/* Appends one entry's object. An empty name gives the root's, which has no name. */
int bt_entry_write(struct bt_buf *out, const struct bt_entry *entry);
/* Reads one entry. Its texts and lists are in *arena. named: false for the root. scratch: see json/read.h. */
struct bt_arena;
int bt_entry_read(struct bt_json *json, bool named, char **scratch, struct bt_arena *arena, struct bt_entry *ret_entry);

/* Parses the line of a page; the result does not refer to the line. offset: of the line in its file, for errors.
 * *ret_weight: memory that the page takes. */
int bt_page_parse(const char *line, size_t length, uint64_t offset, struct bt_page **ret_page, size_t *ret_weight,
		  struct bt_error *error);
void bt_page_free(struct bt_page *page);
/* The same with memory to work in, which is kept for the next page. */
struct bt_page_room {
	struct bt_buf scratch, items;
	size_t expected; /* entries that the page will probably have, or 0 */
};
int bt_page_parse_in(struct bt_page_room *room, const char *line, size_t length, uint64_t offset,
		     struct bt_page **ret_page, size_t *ret_weight, struct bt_error *error);
void bt_page_room_free(struct bt_page_room *room);

/*
 * Builds a directory's pages from its entries in order. Complete pages go to emit(line, length, ret_id), which hashes
 * them and writes them if they are new. A small directory becomes one leaf; in a larger one the hash of the names
 * decides where leaves end, and the index pages over them, so that equal entries give equal pages and one change few
 * new ones. Far into a large directory leaves are twice as large, since there are many to read. The builder keeps the
 * text of one leaf, and of an index page for each level. It may be used again after finish, even if that failed.
 */
struct bt_page_level {
	struct bt_buf text;    /* the lines of the index page */
	size_t count;	       /* of them */
	uint64_t entries;      /* that they stand for */
	struct bt_digest only; /* the page of the last line */
};
struct bt_page_builder {
	void *arg;
	int (*emit)(void *arg, const char *line, size_t length, struct bt_digest *ret_id);
	/* The rest is the builder's; zero-initialise. */
	struct bt_buf leaf; /* entries that are not in a page yet, separated by commas */
	struct bt_buf cuts; /* places in leaf where leaves may end if the directory turns out to be large */
	struct bt_buf line; /* the page being made */
	struct bt_buf last; /* the last name added */
	size_t leaf_entries;
	uint64_t passed; /* entries in pages */
	bool large;
	unsigned height; /* of the levels in use */
	struct bt_page_level levels[BT_DIR_LEVELS];
};
void bt_page_builder_free(struct bt_page_builder *builder);
/* Makes to, which has an arg and an emit of its own, go on from where the other one is. BT_E_NOMEM: to is reset. */
int bt_page_builder_copy(struct bt_page_builder *to, const struct bt_page_builder *from);
/* BT_E_INVALID if the name is invalid or not after the last one, or the entry is larger than a page. */
int bt_page_builder_add(struct bt_page_builder *builder, const struct bt_entry *entry);
int bt_page_builder_finish(struct bt_page_builder *builder, struct bt_digest *ret_tree);
/* The chunk pages of a long file. */
int bt_chunk_page_write(struct bt_buf *out, const struct bt_chunk *chunks, size_t count);
/* Number of chunks in the next chunk page. It depends on the digests, so that one insertion changes few pages. */
size_t bt_chunk_page_cut(const struct bt_chunk *chunks, size_t count);

#endif
