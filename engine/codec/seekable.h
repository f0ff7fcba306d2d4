/* SPDX-License-Identifier: MIT */
/*
 * A text that is compressed so that any part of it can be read alone (FORMAT.md §8; the seekable format of zstd):
 * frames, each of which stands for a part of the text; a frame that decoders skip, with the digest of all bytes before
 * it; and a table with the sizes of these frames, which decoders skip, too. The table comes from outside: nothing is
 * allocated from what it declares before the bytes that declare it were read and fit the size of the file.
 */
#ifndef BT_CODEC_SEEKABLE_H
#define BT_CODEC_SEEKABLE_H

#include "base/buf.h"
#include <backuptool/error.h>
#include <backuptool/types.h>
#include <stdbool.h>
#include <stdint.h>

#define BT_SEEK_PART	 ((size_t)256 << 10) /* bytes of text that a writer puts into a frame */
#define BT_SEEK_PART_MAX ((size_t)1 << 20)   /* bytes of text that a frame may stand for */
#define BT_SEEK_RATIO	 ((size_t)256)	     /* bytes of text for each byte of a frame, at most */
#define BT_SEEK_DIGEST	 ((size_t)40)	     /* bytes of the frame with the digest */

/* Where a frame begins: in the file, and its part in the text. */
struct bt_seek_point {
	uint64_t stored, plain;
};

/* Zero-initialised is empty, and is what a writer begins with. */
struct bt_seek_table {
	struct bt_buf points; /* of all frames with text, and where the next one would begin */
};

/* Reads exactly length bytes at an offset of the file, or fails. */
struct bt_seek_source {
	void *arg;
	int (*read)(void *arg, void *data, size_t length, uint64_t offset, struct bt_error *error);
};

/* Reads the table of a file of this size. BT_E_DAMAGED [bad-seek-table] if there is none, or not exactly what the
 * format says; what is in the frames is not looked at. Other failures are those of read. */
int bt_seek_table_read(struct bt_seek_table *table, const struct bt_seek_source *source, uint64_t size,
		       struct bt_error *error);
/* For a file whose table is damaged: finds the frames one after the other, and passes over all else. Only BT_E_NOMEM
 * is a failure; what cannot be read is passed over. */
int bt_seek_table_search(struct bt_seek_table *table, const struct bt_seek_source *source, uint64_t size,
			 struct bt_error *error);
void bt_seek_table_free(struct bt_seek_table *table);

size_t bt_seek_frames(const struct bt_seek_table *table);
uint64_t bt_seek_plain_size(const struct bt_seek_table *table);
/* index may be the number of frames: where the last one ends. */
struct bt_seek_point bt_seek_point(const struct bt_seek_table *table, size_t index);
/* The frame that has this byte of the text, which is less than its size. */
size_t bt_seek_find(const struct bt_seek_table *table, uint64_t offset);

/* Notes a frame that was written after the others: 0 or BT_E_NOMEM. */
int bt_seek_table_add(struct bt_seek_table *table, size_t stored, size_t plain);
/* Appends what comes after the frames. digest is that of all their bytes. 0 or BT_E_NOMEM. */
int bt_seek_table_write(const struct bt_seek_table *table, const struct bt_digest *digest, struct bt_buf *out);
/* The digest in the BT_SEEK_DIGEST bytes after the last frame; false: they are something else. */
bool bt_seek_digest(const unsigned char *frame, struct bt_digest *ret_digest);

#endif
