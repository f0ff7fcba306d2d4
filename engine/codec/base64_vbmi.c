/* SPDX-License-Identifier: MIT */
/* 48 bytes are 64 characters are one vector; byte permutations do the look-ups, masks the ends. */
#include "codec/base64_code.h"

#ifdef BT_BASE64_X86
#include <immintrin.h>

#define VBMI __attribute__((target("avx512f,avx512bw,avx512vbmi")))

/* clang-format off */
/* Bytes a b c become b a c b, in which every digit is eight bits in a row with two too many above it. */
static const uint8_t spread[64] = {
	1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10,
	13, 12, 14, 13, 16, 15, 17, 16, 19, 18, 20, 19, 22, 21, 23, 22,
	25, 24, 26, 25, 28, 27, 29, 28, 31, 30, 32, 31, 34, 33, 35, 34,
	37, 36, 38, 37, 40, 39, 41, 40, 43, 42, 44, 43, 46, 45, 47, 46,
};
/* The three bytes of each 32-bit group, most significant first; the rest does not matter. */
static const uint8_t order[64] = {
	2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, 18, 17, 16, 22,
	21, 20, 26, 25, 24, 30, 29, 28, 34, 33, 32, 38, 37, 36, 42, 41,
	40, 46, 45, 44, 50, 49, 48, 54, 53, 52, 58, 57, 56, 62, 61, 60,
};
/* clang-format on */

static inline VBMI __m512i table(const uint8_t *bytes)
{
	return _mm512_loadu_si512(bytes);
}

static inline VBMI __m512i encode_vector(__m512i bytes)
{
	const __m512i places = _mm512_set1_epi64(0x3036242a1016040a); /* of the eight digits in 64 bits */
	__m512i digits = _mm512_multishift_epi64_epi8(places, _mm512_permutexvar_epi8(table(spread), bytes));

	return _mm512_permutexvar_epi8(digits, table(bt_base64_alphabet));
}

VBMI void bt_base64_encode_vbmi(char *text, const unsigned char *data, size_t length)
{
	for (; length >= 64; length -= 48, data += 48, text += 64)
		_mm512_storeu_si512(text, encode_vector(_mm512_loadu_si512(data)));
	while (length >= 3) {
		size_t n = length < 48 ? length / 3 * 3 : 48;
		__m512i bytes = _mm512_maskz_loadu_epi8(((__mmask64)1 << n) - 1, data);

		__mmask64 chars = ~(__mmask64)0 >> (64 - n / 3 * 4);
		_mm512_mask_storeu_epi8(text, chars, encode_vector(bytes));
		length -= n;
		data += n;
		text += n / 3 * 4;
	}
	bt_base64_encode_scalar(text, data, length);
}

/* 64 characters to 48 bytes; *faults gets upper bits where a character is no digit. */
static inline VBMI __m512i decode_vector(__m512i text, __m512i *faults)
{
	__m512i digits = _mm512_permutex2var_epi8(table(bt_base64_values), text, table(bt_base64_values + 64));
	__m512i pairs = _mm512_maddubs_epi16(digits, _mm512_set1_epi32(0x01400140));
	__m512i groups = _mm512_madd_epi16(pairs, _mm512_set1_epi32(0x00011000));

	*faults = _mm512_ternarylogic_epi32(*faults, digits, text, 0xfe); /* or; the text's own bit is not looked up */
	return _mm512_permutexvar_epi8(table(order), groups);
}

/* count chars, a multiple of 4 up to 64. False if there is a fault among them; then nothing is written. */
static inline VBMI bool decode_some(unsigned char *data, const char *text, size_t count)
{
	__mmask64 chars = ~(__mmask64)0 >> (64 - count);
	__m512i faults = _mm512_setzero_si512();
	__m512i bytes = decode_vector(_mm512_mask_loadu_epi8(_mm512_set1_epi8('A'), chars, text), &faults);

	if (_mm512_movepi8_mask(faults) != 0)
		return false;
	_mm512_mask_storeu_epi8(data, ((__mmask64)1 << count / 4 * 3) - 1, bytes);
	return true;
}

/* Four vectors. A store reaches 16 bytes too far. */
static inline VBMI bool decode_four(unsigned char *data, const char *text)
{
	__m512i faults = _mm512_setzero_si512();

	for (size_t i = 0; i < 4; i++) {
		__m512i bytes = decode_vector(_mm512_loadu_si512(text + 64 * i), &faults);

		_mm512_storeu_si512(data + 48 * i, bytes);
	}
	return _mm512_movepi8_mask(faults) == 0;
}

VBMI bool bt_base64_decode_vbmi(unsigned char *data, size_t *ret_size, const char *text, size_t length, size_t *ret_bad)
{
	size_t done = 0;

	while (length - done >= 4 * 64 + 24 && decode_four(data + done / 4 * 3, text + done))
		done += 4 * 64;
	/* The last four characters may be padded; they are left to the scalar code, as is whatever has a fault. */
	while (length - done > 4) {
		size_t count = length - done > 64 ? 64 : (length - done - 1) / 4 * 4;

		if (!decode_some(data + done / 4 * 3, text + done, count))
			break;
		done += count;
	}
	return bt_base64_decode_rest(data, ret_size, text, length, ret_bad, done);
}
#endif
