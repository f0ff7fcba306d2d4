/* SPDX-License-Identifier: MIT */
/* Puts the checksums of a segment of the index right, as far as there is room for them. */
#ifndef BT_TESTS_PUT_SUMS_H
#define BT_TESTS_PUT_SUMS_H

#include "base/bytes.h"
#include "store/segment_inside.h"
#include <string.h>

static inline void put_stretch(uint8_t *data, size_t size, uint64_t count, uint64_t stretch)
{
	struct bt_record records[BT_SEGMENT_STRETCH];
	uint64_t from = stretch * BT_SEGMENT_STRETCH, some = count - from, sum;
	uint64_t at = sizeof(struct bt_segment_header) + count * sizeof(*records) + stretch * sizeof(sum);

	some = some < BT_SEGMENT_STRETCH ? some : BT_SEGMENT_STRETCH;
	if (at > size || size - at < sizeof(sum))
		return;
	memcpy(records, data + sizeof(struct bt_segment_header) + from * sizeof(*records), some * sizeof(*records));
	sum = bt_stretch_sum(records, (size_t)some, stretch);
	memcpy(data + at, &sum, sizeof(sum));
}

static inline void put_sums(uint8_t *data, size_t size)
{
	struct bt_segment_header header;
	uint64_t at, sum;

	if (size < sizeof(header))
		return;
	memcpy(&header, data, sizeof(header));
	at = sizeof(header) + header.count * sizeof(struct bt_record);
	if (header.count > size || at > size)
		return;
	for (uint64_t i = 0; i < bt_segment_stretches(header.count); i++)
		put_stretch(data, size, header.count, i);
	header.checksum = 0;
	sum = bt_hash_bytes(&header, sizeof(header), 0);
	header.checksum = bt_hash_bytes(data + at, size - at, sum);
	memcpy(data, &header, sizeof(header));
}

#endif
