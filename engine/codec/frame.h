/* SPDX-License-Identifier: MIT */
/* One block's zstd frame (RFC 8878): content size and checksum on, no dictionary. Contexts belong to one thread at a
 * time. */
#ifndef BT_CODEC_FRAME_H
#define BT_CODEC_FRAME_H

#include "base/buf.h"
#include <backuptool/error.h>
#include <stdint.h>

struct bt_compressor;
struct bt_decompressor;

/* The level is 1 to 19, or BT_LEVEL_AUTO: 3, but a sample is tried first, and data that does not compress is stored
 * raw. */
#define BT_LEVEL_AUTO 0
#define BT_LEVEL_MAX  19

struct bt_compressor *bt_compressor_new(int level); /* NULL on out of memory or bad level */
void bt_compressor_free(struct bt_compressor *compressor);
size_t bt_frame_bound(size_t size); /* the largest frame for size bytes */
/* dst has room for bt_frame_bound(size); *ret_size gets the frame's size. 0 or BT_E_NOMEM. */
int bt_compress(struct bt_compressor *compressor, const void *data, size_t size, void *dst, size_t *ret_size);
/* The same, but a frame never stands for more than 256 times its bytes, so that a reader can refuse those that do. */
int bt_compress_modestly(struct bt_compressor *compressor, const void *data, size_t size, void *dst, size_t *ret_size);

struct bt_decompressor *bt_decompressor_new(void);
void bt_decompressor_free(struct bt_decompressor *decompressor);
/* Decodes exactly one frame of exactly size plain bytes into dst. Else BT_E_DAMAGED with BT_R_BAD_FRAME,
 * BT_R_FRAME_SIZE or BT_R_TRAILING_FRAME at offset 0 (see bt_error_in_file). */
int bt_decompress(struct bt_decompressor *decompressor, const void *frame, size_t length, void *dst, size_t size,
		  struct bt_error *error);
/* The plain size that a frame, given as Base64, declares; BT_E_DAMAGED unless it declares one from 1 to max. */
int bt_frame_plain_size(const char *text, size_t length, uint32_t max, uint32_t *ret_size);

#endif
