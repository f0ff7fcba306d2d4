/* SPDX-License-Identifier: MIT */
/*
 * One store file open for reading (FORMAT.md §3). Opening reads the first line and the end of the file and verifies
 * open_sha256: O(1). A file is immutable; all functions may be called from several threads.
 */
#ifndef BT_STORE_FILE_H
#define BT_STORE_FILE_H

#include "backend/object.h"
#include "codec/xxh3.h"
#include "json/read.h"
#include <backuptool/error.h>
#include <backuptool/types.h>
#include <stdbool.h>

#define BT_HEADER_MAX	  ((size_t)64 << 10)
#define BT_END_MAX	  ((size_t)1024)
#define BT_PAGE_MAX	  ((size_t)16 << 20)
#define BT_BLOCK_MAX	  ((size_t)8 << 20)
#define BT_BLOCK_TEXT_MAX ((size_t)12 << 20)

enum bt_file_kind {
	BT_KIND_SNAPSHOT,
	BT_KIND_VOLUME,
	BT_KIND_CLASSIC /* derived from a version 1 file, see model/classic.h */
};

struct bt_sections {
	uint64_t blocks, contents, trees, tree_index, summary, end, size;
}; /* end: offset of the end line; size: of the file */

struct bt_file;

/* A block as a contents line describes it. */
struct bt_block {
	uint64_t at;
	uint32_t length, size;
	bool plain;	     /* Base64 of the content itself, not of a frame: classic only */
	bool has_xxh3;	     /* false: it comes from another place than the list, or the file is a draft */
	struct bt_xxh3 xxh3; /* of the frame */
};

/* Errors call the file name. Takes the object over, also on failure. */
int bt_file_open(struct bt_object *object, const char *name, struct bt_file **ret_file, struct bt_error *error);
/* Opens a derived file (kind classic) with the version 1 file that has its blocks; takes both over. A file of another
 * kind is BT_R_UNKNOWN_KIND here, as a classic one is in bt_file_open. */
int bt_file_open_classic(struct bt_object *object, struct bt_object *source, const char *name,
			 struct bt_file **ret_file, struct bt_error *error);
void bt_file_free(struct bt_file *file); /* NULL is fine */

/* Keeps the file readable after its name is removed (see bt_object_keep). For a classic file this is the version 1
 * file.
 */
void bt_file_keep(struct bt_file *file, bool keep);
/* The file is not read any more. */
void bt_file_release(struct bt_file *file);

enum bt_file_kind bt_file_kind(const struct bt_file *file);
bool bt_file_is_draft(const struct bt_file *file); /* written before blocks had digests of their own */
const char *bt_file_name(const struct bt_file *file);
const struct bt_sections *bt_file_sections(const struct bt_file *file);
struct bt_text bt_file_header(
	const struct bt_file *file); /* the first line without its final comma and LF (no closing brace) */
struct bt_text bt_file_summary(const struct bt_file *file); /* the object after "summary": */

/* Reads the member needs of a header, if it comes next. BT_R_UNKNOWN_NEED if this program does not know all that it
 * names: detail is the name. */
int bt_needs_read(struct bt_json *json);
/* Fails so at this place. */
int bt_need_refuse(struct bt_json *json, const char *at, const struct bt_text *feature);

/* Visits contents and pages in the order of the lists, and checks every rule of §3 and, at the end, index_sha256. The
 * memory it needs is bounded. Use what was visited only if the result is 0. A visitor ends the visit with a result
 * other than 0, which is returned. Either function may be NULL. */
struct bt_index_visitor {
	void *arg;
	int (*content)(void *arg, const struct bt_block *block, const struct bt_digest *digest, uint32_t offset,
		       uint32_t size);
	int (*page)(void *arg, const struct bt_digest *id, uint64_t at, uint32_t length);
};
int bt_file_visit(struct bt_file *file, const struct bt_index_visitor *visitor, struct bt_error *error);

/*
 * Opens a damaged file for salvage. It only has to be a regular file; header and summary are read if they can be found,
 * else empty, and nothing is verified. The visit goes through all lines that can be understood on their own, so the
 * caller verifies each content by its digest. A block that no list describes is visited as one content.
 */
int bt_file_open_loosely(struct bt_object *object, const char *name, struct bt_file **ret_file, struct bt_error *error);
int bt_file_visit_loosely(struct bt_file *file, const struct bt_index_visitor *visitor, struct bt_error *error);

/* Reads exactly length bytes at an offset, or fails (BT_R_TRUNCATED if the file ends earlier). For a classic file it
 * reads the derived file. */
int bt_file_pread(struct bt_file *file, void *data, size_t length, uint64_t offset, struct bt_error *error);
/* The same without waiting: false if not all bytes could be read. *ret_waits: because the medium would have to be read.
 */
bool bt_file_pread_at_once(struct bt_file *file, void *data, size_t length, uint64_t offset, bool *ret_waits);
/* Where the part ends that cannot be read if this byte cannot: at the end of the file, unless it lies compressed. */
uint64_t bt_file_part_end(const struct bt_file *file, uint64_t offset);
/* The bytes that a number of its bytes take as it lies, on average. */
uint64_t bt_file_stored(const struct bt_file *file, uint64_t length);
/* Like bt_file_pread, but tries again once after a read error: for a repair, which is the last chance. */
int bt_file_pread_twice(struct bt_file *file, void *data, size_t length, uint64_t offset, struct bt_error *error);

/* Reads and decodes a block into data (block->size bytes). text is scratch memory that the caller keeps between calls.
 * Its own digest is checked if it has one; those of contents are not. */
struct bt_decompressor;
int bt_file_block(struct bt_file *file, const struct bt_block *block, struct bt_decompressor *decompressor,
		  struct bt_buf *text, void *data, struct bt_error *error);

/* Checks that each line of blocks and trees is where the lists say, byte for byte, that each page has its id, and the
 * digest of a file that lies compressed. Together with the digests of all blocks, this covers every byte of the file.
 */
int bt_file_verify(struct bt_file *file, struct bt_error *error);
/* The same in two parts, so that `check` reads each block and what is around it once: what is around the text of one
 * block, and all the rest. take is called before each page, and each 4 MiB
 * of a file that lies compressed; a result other than 0 ends it and is returned. */
int bt_file_verify_line(struct bt_file *file, const struct bt_block *block, struct bt_error *error);
struct bt_verify_step {
	void *arg;
	int (*take)(void *arg);
};
int bt_file_verify_rest(struct bt_file *file, const struct bt_verify_step *step, struct bt_error *error);

#endif
