/* SPDX-License-Identifier: MIT */
/* Runs of bytes that need no escape in a string, eight bytes at a time: shared by reader and writer. */
#ifndef BT_JSON_PLAIN_H
#define BT_JSON_PLAIN_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline bool bt_plain(unsigned char byte)
{
	return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

/* The high bit of every byte that is zero; bytes above the lowest such one may be wrong. */
static inline uint64_t bt_zero_bytes(uint64_t word)
{
	return (word - UINT64_C(0x0101010101010101)) & ~word & UINT64_C(0x8080808080808080);
}

static inline uint64_t bt_special_bytes(uint64_t word)
{
	const uint64_t each = UINT64_C(0x0101010101010101);
	uint64_t low = (word - each * 0x20) & ~word;

	return ((low | word) & (each * 0x80)) | bt_zero_bytes(word ^ (each * '"')) |
	       bt_zero_bytes(word ^ (each * '\\')) | bt_zero_bytes(word ^ (each * 0x7f));
}

/* Number of bytes at the beginning that are ASCII and need no escape. */
static inline size_t bt_plain_run(const char *text, size_t length)
{
	size_t at = 0;

	for (; length - at >= 8; at += 8) {
		uint64_t word, special;

		memcpy(&word, text + at, 8);
		special = bt_special_bytes(le64toh(word));
		if (special)
			return at + (size_t)__builtin_ctzll(special) / 8;
	}
	while (at < length && bt_plain((unsigned char)text[at]))
		at++;
	return at;
}

#endif
