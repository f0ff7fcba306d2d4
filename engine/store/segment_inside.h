/* SPDX-License-Identifier: MIT */
/* How a segment's file is laid out: header, records, sums of stretches of records, buckets (one more than there are),
 * files, names. */
#ifndef BT_STORE_SEGMENT_INSIDE_H
#define BT_STORE_SEGMENT_INSIDE_H

#include "store/segment.h"

#define BT_SEGMENT_MAGIC    "btindex2"
#define BT_SEGMENT_ENDIAN   UINT32_C(0x01020304)
#define BT_SEGMENT_BITS_MAX 26
#define BT_SEGMENT_STRETCH  32			 /* records under one checksum: a lookup reads all of a stretch */
#define BT_SEGMENT_SMALL    ((uint64_t)16 << 20) /* kept in memory up to this many bytes: 300,000 records */

struct bt_segment_header {
	char magic[8];
	uint32_t endian, record_size;
	uint64_t count;
	uint32_t bits, file_count;
	uint64_t names_size;
	uint64_t checksum; /* of the header, with 0 here, and of all after the records */
};

struct bt_segment_entry { /* a file in the table */
	uint64_t size;
	int64_t seconds;
	uint32_t nanoseconds, records;
	uint64_t name; /* offset in names */
};
_Static_assert(sizeof(struct bt_segment_header) == 48 && sizeof(struct bt_segment_entry) == 32 &&
		       sizeof(struct bt_record) == 60,
	       "a segment's file has no gaps");

static inline uint64_t bt_segment_stretches(uint64_t count)
{
	return count / BT_SEGMENT_STRETCH + (count % BT_SEGMENT_STRETCH != 0);
}

static inline struct bt_record bt_record_of_content(const struct bt_block *block, const struct bt_digest *digest,
						    uint32_t offset, uint32_t size, uint32_t file)
{
	return (struct bt_record){*digest,
				  (uint32_t)block->at,
				  (uint32_t)(block->at >> 32),
				  block->length,
				  block->size,
				  offset,
				  size,
				  file | (block->plain ? BT_RECORD_PLAIN : 0)};
}

static inline struct bt_record bt_record_of_page(const struct bt_digest *id, uint64_t at, uint32_t length,
						 uint32_t file)
{
	return (struct bt_record){.digest = *id,
				  .at_low = (uint32_t)at,
				  .at_high = (uint32_t)(at >> 32),
				  .length = length,
				  .file = file | BT_RECORD_PAGE};
}

/* segment_read.c. Checksum of the records of one stretch at most. It covers their position, too. */
uint64_t bt_stretch_sum(const struct bt_record *records, size_t count, uint64_t stretch);
/* Reads count records, beginning with the one at lo, into window: whole stretches, or up to the end. 0 or BT_E_DAMAGED.
 */
int bt_records_read(const struct bt_segment *segment, uint64_t lo, size_t count, struct bt_record *window);
/* Reads a small segment into memory and closes its file. On BT_E_NOMEM it is unchanged. */
int bt_records_keep(struct bt_segment *segment);

/* All records in order. Zero-initialised but for the segment; free(window) at the end. */
struct bt_records {
	const struct bt_segment *segment;
	struct bt_record *window;
	uint64_t next; /* record to be read next */
	size_t at, filled;
};
/* *ret_record is NULL at the end. 0, BT_E_NOMEM or BT_E_DAMAGED. */
int bt_records_next(struct bt_records *records, const struct bt_record **ret_record);

/* Buckets of about 16 records. */
static inline unsigned bt_segment_bits(uint64_t count)
{
	unsigned bits = 0;

	while (bits < BT_SEGMENT_BITS_MAX && count >> bits > 16)
		bits++;
	return bits;
}

static inline uint32_t bt_segment_bucket(const struct bt_digest *digest, unsigned bits)
{
	const unsigned char *b = digest->bytes;
	uint64_t top = (uint64_t)b[0] << 24 | (uint64_t)b[1] << 16 | (uint64_t)b[2] << 8 | b[3];

	return (uint32_t)(top >> (32 - bits));
}

#endif
