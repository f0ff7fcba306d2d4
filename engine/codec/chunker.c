/* SPDX-License-Identifier: MIT */
#include "codec/chunker.h"

#include "codec/gear.h"

/*
 * A cut is where the upper bits of the hash are zero, which depend on the last 64 bytes. Up to the average
 * size two bits more must be zero than give that average, after it two fewer, which keeps the sizes near it.
 */
#define STRICT_LIMIT (UINT64_MAX / (BT_CHUNK_AVERAGE * 4) + 1)
#define LOOSE_LIMIT  (UINT64_MAX / (BT_CHUNK_AVERAGE / 4) + 1)

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t bt_chunk_cut_reference(const unsigned char *data, size_t length)
{
	size_t end = smaller(length, BT_CHUNK_MAX);
	uint64_t hash = 0;

	for (size_t i = BT_CHUNK_MIN; i < end; i++) {
		hash = (hash << 1) + bt_gear[data[i]];
		if (hash < (i < BT_CHUNK_AVERAGE ? STRICT_LIMIT : LOOSE_LIMIT))
			return i + 1;
	}
	return end;
}

/* The first cut in data[from, to), or 0. In steps of eight, so that loads run ahead of the one chain of additions. */
static size_t find_cut(const unsigned char *data, size_t from, size_t to, uint64_t limit, uint64_t *hash)
{
	uint64_t h = *hash;
	size_t i = from;

#define STEP(n)                                                                                                        \
	h = (h << 1) + bt_gear[data[i + (n)]];                                                                         \
	if (h < limit)                                                                                                 \
	return i + (n) + 1

	for (; to - i >= 8; i += 8) {
		STEP(0);
		STEP(1);
		STEP(2);
		STEP(3);
		STEP(4);
		STEP(5);
		STEP(6);
		STEP(7);
	}
	for (; i < to; i++) {
		STEP(0);
	}
#undef STEP
	*hash = h;
	return 0;
}

size_t bt_chunk_cut(const unsigned char *data, size_t length)
{
	size_t end = smaller(length, BT_CHUNK_MAX), strict_end = smaller(end, BT_CHUNK_AVERAGE), cut;
	uint64_t hash = 0;

	if (end <= BT_CHUNK_MIN)
		return end;
	cut = find_cut(data, BT_CHUNK_MIN, strict_end, STRICT_LIMIT, &hash);
	if (cut == 0)
		cut = find_cut(data, strict_end, end, LOOSE_LIMIT, &hash);
	return cut > 0 ? cut : end;
}
