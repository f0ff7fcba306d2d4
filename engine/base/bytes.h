/* SPDX-License-Identifier: MIT */
/* Small pure helpers over bytes. */
#ifndef BT_BASE_BYTES_H
#define BT_BASE_BYTES_H

#include <backuptool/types.h>
#include <internal/text.h>
#include <stdbool.h>

void bt_hex_encode(char *text, const unsigned char *data, size_t length); /* 2*length chars, no NUL */
bool bt_hex_decode(unsigned char *data, size_t length, const char *text); /* lower case only */
void bt_digest_text(const struct bt_digest *digest, char text[65]);	  /* with NUL */
int bt_digest_compare(const struct bt_digest *a, const struct bt_digest *b);
bool bt_time_equal(const struct bt_time *a, const struct bt_time *b);
bool bt_digest_equal(const struct bt_digest *a, const struct bt_digest *b);
/* Length of the UTF-8 character at the beginning of text; 0 if it is invalid or length is 0. */
size_t bt_utf8_length(const char *text, size_t length);
bool bt_is_one_line(const char *text, size_t length); /* no control characters of ASCII */
bool bt_name_valid(const char *name, size_t length); /* of a directory entry: 1–255 bytes, not . or .., no / or NUL */
int bt_name_compare(const char *a, size_t a_length, const char *b,
		    size_t b_length); /* by bytes; of two that begin alike, the shorter comes first */
uint64_t bt_mix64(uint64_t value);    /* a bijective finaliser (splitmix64) */
uint64_t bt_hash_bytes(const void *data, size_t length, uint64_t seed); /* for tables and fingerprints, not for trust */
bool bt_add_overflows(uint64_t a, uint64_t b, uint64_t *ret_sum);

#endif
