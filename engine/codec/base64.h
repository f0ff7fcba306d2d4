/* SPDX-License-Identifier: MIT */
/* Base64 of RFC 4648 §4, strict: padding required, no white space, zero tail bits. The scalar code defines the result;
 * AVX2 and AVX-512 VBMI give the same, chosen once for each call from what the processor has. */
#ifndef BT_CODEC_BASE64_H
#define BT_CODEC_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#define BT_BASE64_SIZE(n) (((n) + 2) / 3 * 4)

void bt_base64_encode(char *text, const void *data, size_t length); /* writes BT_BASE64_SIZE(length) chars, no NUL */
/* text of length chars into data, which has room for length / 4 * 3 bytes and is never written beyond that.
 * False, with *ret_bad the index of the first char at fault, if it is not canonical. ret_bad may be NULL. */
bool bt_base64_decode(void *data, size_t *ret_size, const char *text, size_t length, size_t *ret_bad);

/* The implementations, for tests and benchmarks: those the processor has. The first is the scalar reference. */
struct bt_base64_code {
	const char *name;
	void (*encode)(char *text, const unsigned char *data, size_t length);
	bool (*decode)(unsigned char *data, size_t *ret_size, const char *text, size_t length, size_t *ret_bad);
};
size_t bt_base64_codes(const struct bt_base64_code **ret_codes);

#endif
