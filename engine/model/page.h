/* SPDX-License-Identifier: MIT */
/* Pages and entries (FORMAT.md §4): the strict parser and the one writer. What the writer writes, the parser reads back
 * equal. */
#ifndef BT_MODEL_PAGE_H
#define BT_MODEL_PAGE_H

#include "base/buf.h"
#include "json/read.h"
#include <backuptool/view.h>

#define BT_LEAF_ENTRIES	  512
#define BT_LEAF_TEXT	  ((size_t)128 << 10)
#define BT_INLINE_CHUNKS  64
#define BT_HOLES_MAX	  65536
#define BT_CHUNK_PAGE_MAX 4096

/* Appends one entry's object; name "" (length 0) writes the root's, without a name. */
int bt_entry_write(struct bt_buf *out, const struct bt_entry *entry);
/* Reads one; the texts and lists live in *scratch (see json/read.h) and *arena. For the root: named false. */
struct bt_arena;
int bt_entry_read(struct bt_json *json, bool named, char **scratch, struct bt_arena *arena, struct bt_entry *ret_entry);

/* Parses a page line into one owned structure (a copy: line may go away). offset: of the line in its file, for errors.
 * ret_weight: bytes of memory it takes. */
int bt_page_parse(const char *line, size_t length, uint64_t offset, struct bt_page **ret_page, size_t *ret_weight,
		  struct bt_error *error);
void bt_page_free(struct bt_page *page);

/*
 * Building a directory's pages from its entries in order. Whole pages go to emit(line, length, ret_id), which hashes
 * them and writes them if they are new. What fits one leaf becomes one leaf; else the hash of the names decides where
 * leaves end, so that the same entries give the same pages whatever was there before. The builder keeps one leaf's
 * text; it may be reused after finish, whatever that returned.
 */
struct bt_page_builder {
	void *arg;
	int (*emit)(void *arg, const char *line, size_t length, struct bt_digest *ret_id);
	/* The rest is the builder's; zero-initialise. */
	struct bt_buf leaf;  /* entries with commas between that are not in a page yet */
	struct bt_buf cuts;  /* places in leaf where leaves end if the directory turns out to be large */
	struct bt_buf line;  /* the page being made */
	struct bt_buf index; /* the lines of the leaves so far */
	struct bt_buf last;  /* the last name added */
	size_t leaf_entries, leaves;
};
void bt_page_builder_free(struct bt_page_builder *builder);
/* Names strictly increasing and valid, and no entry larger than a page, else BT_E_INVALID. */
int bt_page_builder_add(struct bt_page_builder *builder, const struct bt_entry *entry);
int bt_page_builder_finish(struct bt_page_builder *builder, struct bt_digest *ret_tree);
/* Chunk pages of a long file, cut where the digests say so. */
int bt_chunk_page_write(struct bt_buf *out, const struct bt_chunk *chunks, size_t count);
/* How many of the chunks make the next chunk page (content-defined: one insertion changes few pages). */
size_t bt_chunk_page_cut(const struct bt_chunk *chunks, size_t count);

#endif
