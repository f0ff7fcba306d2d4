/* SPDX-License-Identifier: MIT */
#include "codec/base64.h"

#include "codec/base64_code.h"
#include <stdint.h>

/* clang-format off */
const uint8_t bt_base64_alphabet[64] = {
	'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P',
	'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'a', 'b', 'c', 'd', 'e', 'f',
	'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v',
	'w', 'x', 'y', 'z', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '+', '/',
};

const uint8_t bt_base64_values[256] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3e, 0xff, 0xff, 0xff, 0x3f,
	0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e,
	0x0f, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28,
	0x29, 0x2a, 0x2b, 0x2c, 0x2d, 0x2e, 0x2f, 0x30, 0x31, 0x32, 0x33, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
};
/* clang-format on */

void bt_base64_encode_scalar(char *text, const unsigned char *data, size_t length)
{
	for (; length >= 3; length -= 3, data += 3, text += 4) {
		unsigned group = (unsigned)data[0] << 16 | (unsigned)data[1] << 8 | data[2];

		text[0] = (char)bt_base64_alphabet[group >> 18];
		text[1] = (char)bt_base64_alphabet[group >> 12 & 63];
		text[2] = (char)bt_base64_alphabet[group >> 6 & 63];
		text[3] = (char)bt_base64_alphabet[group & 63];
	}
	if (length == 0)
		return;
	unsigned group = (unsigned)data[0] << 16 | (length > 1 ? (unsigned)data[1] << 8 : 0);
	text[0] = (char)bt_base64_alphabet[group >> 18];
	text[1] = (char)bt_base64_alphabet[group >> 12 & 63];
	text[2] = length > 1 ? (char)bt_base64_alphabet[group >> 6 & 63] : '=';
	text[3] = '=';
}

/* The last four characters, of which one or two may be padding. Gives the size, or 0 with *ret_bad. */
static size_t decode_last(unsigned char data[3], const char *text, size_t *ret_bad)
{
	const unsigned char *c = (const unsigned char *)text;
	size_t padding = c[3] != '=' ? 0 : c[2] != '=' ? 1 : 2, digits = 4 - padding;
	unsigned group = 0;

	for (size_t i = 0; i < digits; i++) {
		if (bt_base64_values[c[i]] > 63) {
			*ret_bad = i;
			return 0;
		}
		group |= (unsigned)bt_base64_values[c[i]] << (18 - 6 * i);
	}
	if (group & ((1U << 8 * padding) - 1)) {
		*ret_bad = digits - 1;
		return 0;
	}
	for (size_t i = 0; i < digits - 1; i++)
		data[i] = (unsigned char)(group >> (16 - 8 * i));
	return digits - 1;
}

/* Where the first character stands that cannot be at its place; the end, if only something is missing. */
static size_t find_bad(const char *text, size_t length)
{
	size_t i = 0;

	while (i < length && bt_base64_values[(unsigned char)text[i]] < 64)
		i++;
	return i;
}

static bool fail_at(size_t index, size_t *ret_bad)
{
	if (ret_bad)
		*ret_bad = index;
	return false;
}

bool bt_base64_decode_scalar(unsigned char *data, size_t *ret_size, const char *text, size_t length, size_t *ret_bad)
{
	const unsigned char *c = (const unsigned char *)text;
	size_t full = length / 4, bad = 0, last = 0;

	if (length % 4 != 0)
		return fail_at(find_bad(text, length), ret_bad);
	for (size_t i = 0; i + 1 < full; i++, c += 4) {
		unsigned v0 = bt_base64_values[c[0]], v1 = bt_base64_values[c[1]], v2 = bt_base64_values[c[2]],
			 v3 = bt_base64_values[c[3]];

		if ((v0 | v1 | v2 | v3) > 63)
			return fail_at(4 * i + find_bad((const char *)c, 4), ret_bad);
		unsigned group = v0 << 18 | v1 << 12 | v2 << 6 | v3;
		data[3 * i] = (unsigned char)(group >> 16);
		data[3 * i + 1] = (unsigned char)(group >> 8);
		data[3 * i + 2] = (unsigned char)group;
	}
	if (full > 0) {
		last = decode_last(data + 3 * (full - 1), text + 4 * (full - 1), &bad);
		if (last == 0)
			return fail_at(4 * (full - 1) + bad, ret_bad);
	}
	*ret_size = full > 0 ? 3 * (full - 1) + last : 0;
	return true;
}

bool bt_base64_decode_rest(unsigned char *data, size_t *ret_size, const char *text, size_t length, size_t *ret_bad,
			   size_t done)
{
	size_t size, bad;

	if (!bt_base64_decode_scalar(data + done / 4 * 3, &size, text + done, length - done, &bad))
		return fail_at(done + bad, ret_bad);
	*ret_size = done / 4 * 3 + size;
	return true;
}

/* Each wider one needs all that the one before needs. */
static const struct bt_base64_code codes[] = {
	{"scalar", bt_base64_encode_scalar, bt_base64_decode_scalar},
#ifdef BT_BASE64_X86
	{"avx2", bt_base64_encode_avx2, bt_base64_decode_avx2},
	{"avx512vbmi", bt_base64_encode_vbmi, bt_base64_decode_vbmi},
#endif
};

size_t bt_base64_codes(const struct bt_base64_code **ret_codes)
{
	size_t count = 1;

#ifdef BT_BASE64_X86
	if (__builtin_cpu_supports("avx2")) {
		count++;
		if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vbmi"))
			count++;
	}
#endif
	*ret_codes = codes;
	return count;
}

static const struct bt_base64_code *widest(void)
{
	const struct bt_base64_code *all;
	size_t count = bt_base64_codes(&all);

	return &all[count - 1];
}

void bt_base64_encode(char *text, const void *data, size_t length)
{
	widest()->encode(text, data, length);
}

bool bt_base64_decode(void *data, size_t *ret_size, const char *text, size_t length, size_t *ret_bad)
{
	return widest()->decode(data, ret_size, text, length, ret_bad);
}
