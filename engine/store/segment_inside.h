/* SPDX-License-Identifier: MIT */
/* How a segment's file is laid out: header, records, buckets (one more than there are), files, names. */
#ifndef BT_STORE_SEGMENT_INSIDE_H
#define BT_STORE_SEGMENT_INSIDE_H

#include "store/segment.h"

#define BT_SEGMENT_MAGIC    "btindex1"
#define BT_SEGMENT_ENDIAN   UINT32_C(0x01020304)
#define BT_SEGMENT_BITS_MAX 26
#define BT_SEGMENT_SMALL    ((uint64_t)16 << 20) /* kept in memory up to this many bytes: 300,000 records */

struct bt_segment_header {
	char magic[8];
	uint32_t endian, record_size;
	uint64_t count;
	uint32_t bits, file_count;
	uint64_t names_size;
	uint64_t checksum; /* of the header, in which it is 0 then, and all behind the records */
};

struct bt_segment_entry { /* a file in the table */
	uint64_t size;
	int64_t seconds;
	uint32_t nanoseconds, records;
	uint64_t name; /* offset in names */
};

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
