/* SPDX-License-Identifier: MIT */
/* Shared by the parts of the version 1 reader: scan (file → tables), tree (tables → pages), out (the derived file). A
 * check scans, too, to say which content is wrong. */
#ifndef BT_MODEL_CLASSIC_PARTS_H
#define BT_MODEL_CLASSIC_PARTS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest_set.h"
#include "codec/hash.h"
#include "store/file.h"
#include <backuptool/observer.h>
#include <backuptool/view.h>

#define BT_CLASSIC_PIECE_TEXT ((size_t)4 << 20) /* 3 MiB of plain bytes */
#define BT_CLASSIC_PATH_MAX   ((size_t)1 << 20)

struct bt_classic_path {
	const char *bytes;
	uint32_t length;
	uint64_t at; /* of its string in the file */
	struct bt_digest digest;
};

struct bt_classic_piece {
	struct bt_digest digest;
	uint64_t at;
	uint32_t length, size;
};

struct bt_classic_content {
	struct bt_digest digest;
	uint64_t at, size;
	size_t first_piece, piece_count;
	bool wrong; /* its digest differs */
	const struct bt_chunk *chunk_pages;
	uint32_t chunk_page_count; /* 0: not written yet, or not needed */
};

struct bt_classic {
	const char *name; /* of the version 1 file */
	struct bt_error *error;
	const struct bt_observer *observer; /* only cancelled is asked; NULL is fine */
	struct bt_time time;
	struct bt_arena arena;		       /* the paths' bytes */
	struct bt_buf paths, contents, pieces; /* arrays of the above */
	size_t path_count, content_count, piece_count;
};

static inline struct bt_classic_path *bt_classic_paths(const struct bt_classic *classic)
{
	return (void *)classic->paths.data;
}
static inline struct bt_classic_content *bt_classic_contents(const struct bt_classic *classic)
{
	return (void *)classic->contents.data;
}
static inline struct bt_classic_piece *bt_classic_pieces(const struct bt_classic *classic)
{
	return (void *)classic->pieces.data;
}

int bt_classic_cancelled(const struct bt_classic *classic); /* 0 or BT_E_CANCELLED */
/* Fills the tables. Every content is decoded and hashed. Free it in any case. */
int bt_classic_scan(struct bt_classic *classic, int fd);
void bt_classic_free(struct bt_classic *classic);
/* Decodes the value of one member of file_contents, after its opening quote; digest is its key. */
struct bt_stream;
struct bt_classic_decoder;
struct bt_classic_decoder *bt_classic_decoder_new(void);
void bt_classic_decoder_free(struct bt_classic_decoder *decoder);
int bt_classic_decode(struct bt_classic_decoder *decoder, struct bt_classic *classic, struct bt_stream *stream,
		      const struct bt_digest *digest);

/* Sorts both tables and refuses duplicates. target gets the longest common directory of all paths. */
int bt_classic_sort(struct bt_classic *classic, struct bt_buf *target);
/* Writes the pages of the tree below the first prefix bytes of each path, and fills in root and counts of info. All
 * entries get the owner and time of info->root. */
struct bt_classic_out;
int bt_classic_tree(struct bt_classic *classic, size_t prefix, struct bt_classic_out *out,
		    struct bt_snapshot_info *info);

/* The derived file, whose contents lie in the version 1 file. */
struct bt_classic_out {
	struct bt_classic *classic;
	struct bt_writer *writer;
	struct bt_hasher *hasher;
	struct bt_digest_set written; /* ids of pages: directories of equal names and contents are one page */
};
/* For a page builder; out is a struct bt_classic_out. */
int bt_classic_out_page(void *out, const char *line, size_t length, struct bt_digest *ret_id);

#endif
