/* SPDX-License-Identifier: MIT */
/*
 * One store file open for reading (FORMAT.md §3). Opening reads the first line and the end of the file and verifies
 * open_sha256: O(1). A file is immutable; all functions may be called from several threads.
 */
#ifndef BT_STORE_FILE_H
#define BT_STORE_FILE_H

#include "backend/object.h"
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
	bool plain; /* Base64 of the content itself, not of a frame: classic only */
};

/* name is what errors call it. The object is taken over, also on failure. */
int bt_file_open(struct bt_object *object, const char *name, struct bt_file **ret_file, struct bt_error *error);
/* A derived file (kind classic) and the version 1 file that its blocks lie in; both are taken over. A file of another
 * kind is BT_R_UNKNOWN_KIND here, and a classic one in bt_file_open. */
int bt_file_open_classic(struct bt_object *object, struct bt_object *source, const char *name,
			 struct bt_file **ret_file, struct bt_error *error);
void bt_file_free(struct bt_file *file); /* NULL is fine */

/* Its name is gone, or may go: it is to stay readable (see bt_object_keep). Of a classic file this is the version 1
 * file. */
void bt_file_keep(struct bt_file *file, bool keep);
/* Nobody will need it again. */
void bt_file_release(struct bt_file *file);

enum bt_file_kind bt_file_kind(const struct bt_file *file);
const char *bt_file_name(const struct bt_file *file);
const struct bt_sections *bt_file_sections(const struct bt_file *file);
struct bt_text bt_file_header(
	const struct bt_file *file); /* the first line without its final comma and LF (no closing brace) */
struct bt_text bt_file_summary(const struct bt_file *file); /* the object after "summary": */

/* Both lists in order, every rule of §3 checked, index_sha256 at the end; streamed in bounded memory. What was visited
 * counts only if the result is 0. A visitor's result != 0 ends it and is returned. Both calls may be NULL. */
struct bt_index_visitor {
	void *arg;
	int (*content)(void *arg, const struct bt_block *block, const struct bt_digest *digest, uint32_t offset,
		       uint32_t size);
	int (*page)(void *arg, const struct bt_digest *id, uint64_t at, uint32_t length);
};
int bt_file_visit(struct bt_file *file, const struct bt_index_visitor *visitor, struct bt_error *error);

/*
 * A damaged file, for what it still has. Opening it this way asks for nothing but a regular file; header and summary
 * are those that stand there, or empty, and nothing of them is verified. Its visit goes through all lines that make
 * sense by themselves, in whatever file: what it tells is to be verified by the digest; a block that no list describes
 * is told as one content.
 */
int bt_file_open_loosely(struct bt_object *object, const char *name, struct bt_file **ret_file, struct bt_error *error);
int bt_file_visit_loosely(struct bt_file *file, const struct bt_index_visitor *visitor, struct bt_error *error);

/* Reads length bytes at an offset: all of them or an error (BT_R_TRUNCATED when the file ends earlier). Of a classic
 * file it reads the derived one. */
int bt_file_pread(struct bt_file *file, void *data, size_t length, uint64_t offset, struct bt_error *error);
/* The same without waiting: false if not all of it was had; then *ret_waits, if the medium would have to be asked. */
bool bt_file_pread_at_once(struct bt_file *file, void *data, size_t length, uint64_t offset, bool *ret_waits);
/* The same as the first, asked a second time where the medium gives nothing: for a repair, after which it is too late.
 */
int bt_file_pread_twice(struct bt_file *file, void *data, size_t length, uint64_t offset, struct bt_error *error);

/* Reads and decodes a block into data (block->size bytes). text is scratch, kept by the caller between calls. No
 * content digest is checked here. */
struct bt_decompressor;
int bt_file_block(struct bt_file *file, const struct bt_block *block, struct bt_decompressor *decompressor,
		  struct bt_buf *text, void *data, struct bt_error *error);

/* Checks file_sha256, that each line of blocks and trees stands where the lists say, byte for byte, and that each page
 * has its id (for `check`). Contents are not decoded. */
int bt_file_verify(struct bt_file *file, struct bt_error *error);
/* The same, asking before each part of the file (256 KiB at most); a result != 0 ends it and is returned. */
struct bt_verify_step {
	void *arg;
	int (*take)(void *arg, size_t bytes);
};
int bt_file_verify_in_steps(struct bt_file *file, const struct bt_verify_step *step, struct bt_error *error);

#endif
