/* SPDX-License-Identifier: MIT */
/* Names, and the lists inside entries and pages (FORMAT.md §4). The readers return lists in the arena, whose length is
 * bounded by the text. */
#ifndef BT_MODEL_LISTS_H
#define BT_MODEL_LISTS_H

#include "base/arena.h"
#include "base/buf.h"
#include "json/read.h"
#include <backuptool/view.h>

/* As bt_json_read_bytes, but scratch is not advanced. *ret_at is where the value begins. */
int bt_model_read_bytes(struct bt_json *json, const char *key, bool first, char *scratch, struct bt_text *ret_text,
			const char **ret_at);
/* Reads the member name or name_b64, first in its object, into the arena. */
int bt_model_read_name(struct bt_json *json, char *scratch, struct bt_arena *arena, struct bt_text *ret_name);
/* Reads "," or "]" after an element; *ret_more is true for ",". */
/* A time as in a header, in nanoseconds of UTC; else BT_R_BAD_TIME. */
int bt_model_read_timestamp(struct bt_json *json, char *scratch, struct bt_time *ret_time);
int bt_list_more(struct bt_json *json, bool *ret_more);
/* Copies a finished list from the buffer that gathered it into the arena. */
int bt_list_keep(struct bt_arena *arena, const struct bt_buf *items, const void **ret_list);

/* BT_R_TOO_LARGE beyond max, BT_R_BAD_SIZE for a size of 0 or a sum beyond 2^63-1. */
int bt_chunks_read(struct bt_json *json, struct bt_arena *arena, size_t max, const struct bt_chunk **ret_chunks,
		   uint32_t *ret_count, uint64_t *ret_sum);
/* Reads the holes of a file of this size, with their sums, into extra. BT_R_TOO_LARGE beyond max. */
int bt_holes_read(struct bt_json *json, struct bt_arena *arena, size_t max, uint64_t size, struct bt_extra *extra);
int bt_xattrs_read(struct bt_json *json, char *scratch, struct bt_arena *arena, const struct bt_xattr **ret_xattrs,
		   uint32_t *ret_count);

int bt_chunks_write(struct bt_buf *out, const struct bt_chunk *chunks, size_t count);
int bt_holes_write(struct bt_buf *out, const struct bt_extent *holes, size_t count);
int bt_xattrs_write(struct bt_buf *out, const struct bt_xattr *xattrs, size_t count);

#endif
