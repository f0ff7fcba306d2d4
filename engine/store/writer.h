/* SPDX-License-Identifier: MIT */
/*
 * Writes one store file in one pass (FORMAT.md §3). Blocks are written as they come; the list of their contents waits
 * in memory until seal, the pages in memory and in a spool. One thread at a time.
 */
#ifndef BT_STORE_WRITER_H
#define BT_STORE_WRITER_H

#include "backend/upload.h"
#include "base/buf.h"
#include "codec/xxh3.h"
#include "json/read.h"
#include <backuptool/error.h>
#include <backuptool/types.h>

struct bt_writer;
struct bt_held {
	struct bt_digest digest;
	uint32_t size;
};

/* header: the first line from its { to before the final comma (see model/document.h). Takes the upload over, also on
 * failure. */
int bt_writer_new(struct bt_upload *upload, const struct bt_buf *header, struct bt_writer **ret_writer,
		  struct bt_error *error);
void bt_writer_free(struct bt_writer *writer); /* abandons it if not sealed; NULL is fine */

struct bt_block_text {
	const char *text; /* the Base64 of the block's frame */
	size_t length;
	struct bt_xxh3 xxh3; /* of the frame */
};
int bt_writer_block(struct bt_writer *writer, const struct bt_block_text *text, const struct bt_held *held,
		    size_t count, struct bt_error *error);
/* Adds a block whose text is in another file, at that offset. A writer has either these, before all pages, or blocks of
 * its own. bt_writer_visit leaves them out. */
struct bt_block;
int bt_writer_elsewhere(struct bt_writer *writer, const struct bt_block *block, const struct bt_held *held,
			size_t count, struct bt_error *error);
/* line: a page without LF; id its digest. */
int bt_writer_page(struct bt_writer *writer, const char *line, size_t length, const struct bt_digest *id,
		   struct bt_error *error);
uint64_t bt_writer_size(const struct bt_writer *writer);   /* bytes written so far; pages count after seal */
uint64_t bt_writer_stored(const struct bt_writer *writer); /* of the file as it lies, once it is published */
bool bt_writer_at_rest(const struct bt_writer *writer);	   /* whether it lies compressed */
size_t bt_writer_contents(const struct bt_writer *writer);

/* Writes the rest of the file with this summary ("{}" for a volume) and makes it durable under name. BT_E_EXISTS: call
 * again with another name. */
int bt_writer_seal(struct bt_writer *writer, const struct bt_buf *summary, const char *name, struct bt_error *error);

/* Only writes the rest: for a file that has its name already, or gets none. */
int bt_writer_finish(struct bt_writer *writer, const struct bt_buf *summary, struct bt_error *error);

/* Visits the contents and pages written, in order. Works until free, also after seal. */
struct bt_index_visitor;
int bt_writer_visit(const struct bt_writer *writer, const struct bt_index_visitor *visitor);

#endif
