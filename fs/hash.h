/* SPDX-License-Identifier: MIT */
/* A fast 64-bit hash for tables and inode numbers. It is not cryptographic. */
#ifndef FS_HASH_H
#define FS_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HASH_SEED UINT64_C(0x8d1e5c7ba3f20947)

__extension__ typedef unsigned __int128 hash_wide;

static inline uint64_t hash_add(uint64_t hash, uint64_t value)
{
	hash_wide product = (hash_wide)(hash ^ UINT64_C(0xa24baed4963ee407)) * (value ^ UINT64_C(0x9fb21c651e98df25));

	return (uint64_t)product ^ (uint64_t)(product >> 64) ^ (hash << 1 | hash >> 63);
}

static inline uint64_t hash_bytes(uint64_t hash, const void *data, size_t length)
{
	const unsigned char *at = data;
	uint64_t word;

	for (size_t left = length; left > 0;) {
		size_t part = left < sizeof(word) ? left : sizeof(word);

		word = 0;
		memcpy(&word, at, part);
		hash = hash_add(hash, word);
		at += part;
		left -= part;
	}
	return hash_add(hash, length);
}

#endif
