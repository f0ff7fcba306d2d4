/* SPDX-License-Identifier: MIT */
/* 24 bytes are 32 characters are one vector. */
#include "codec/base64_code.h"

#ifdef BT_BASE64_X86
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

/* The same 16 bytes in both lanes, as the byte shuffle wants its tables. */
#define BOTH(...) _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)

/* 12 bytes in each lane to 16 digits. */
static inline AVX2 __m256i to_digits(__m256i bytes)
{
	/* Bytes a b c become the 16-bit words a:b and b:c, in which multiplications shift each digit to its place. */
	const __m256i spread = BOTH(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
	__m256i words = _mm256_shuffle_epi8(bytes, spread);
	__m256i even = _mm256_and_si256(words, _mm256_set1_epi32(0x0fc0fc00));
	__m256i odd = _mm256_and_si256(words, _mm256_set1_epi32(0x003f03f0));

	return _mm256_or_si256(_mm256_mulhi_epu16(even, _mm256_set1_epi32(0x04000040)),
			       _mm256_mullo_epi16(odd, _mm256_set1_epi32(0x01000010)));
}

static inline AVX2 __m256i to_text(__m256i digits)
{
	/* What is to be added: at 0 for a-z, from 1 for 0-9, + and /, at 13 for A-Z. */
	const __m256i shifts = BOTH('a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
				    '0' - 52, '0' - 52, '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0);
	__m256i class = _mm256_subs_epu8(digits, _mm256_set1_epi8(51));
	__m256i upper = _mm256_cmpgt_epi8(_mm256_set1_epi8(26), digits);

	class = _mm256_or_si256(class, _mm256_and_si256(upper, _mm256_set1_epi8(13)));
	return _mm256_add_epi8(digits, _mm256_shuffle_epi8(shifts, class));
}

AVX2 void bt_base64_encode_avx2(char *text, const unsigned char *data, size_t length)
{
	/* The upper half is loaded from byte 12, 16 bytes of which 12 are used. */
	for (; length >= 28; length -= 24, data += 24, text += 32) {
		__m128i low = _mm_loadu_si128((const __m128i *)data);
		__m128i high = _mm_loadu_si128((const __m128i *)(data + 12));
		__m256i digits = to_digits(_mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1));

		_mm256_storeu_si256((__m256i *)text, to_text(digits));
	}
	bt_base64_encode_scalar(text, data, length);
}

/* The digits of 32 characters; *faults gets bits for characters that are not digits. */
static inline AVX2 __m256i from_text(__m256i text, __m256i *faults)
{
	/* A bit for each class of upper halves, and which classes a lower half cannot go with: 2x, 3x, 4x and 6x, 5x
	 * and 7x, all others. */
	const __m256i classes = BOTH(16, 16, 1, 2, 4, 8, 4, 8, 16, 16, 16, 16, 16, 16, 16, 16);
	const __m256i clashes = BOTH(21, 17, 17, 17, 17, 17, 17, 17, 17, 17, 19, 26, 27, 27, 27, 26);
	/* What is to be added by upper half; at 1 for the slash, which shares 2 with the plus. */
	const __m256i shifts =
		BOTH(0, 63 - '/', 62 - '+', 52 - '0', -'A', -'A', 26 - 'a', 26 - 'a', 0, 0, 0, 0, 0, 0, 0, 0);
	const __m256i half = _mm256_set1_epi8(15);
	__m256i upper = _mm256_and_si256(_mm256_srli_epi32(text, 4), half);
	__m256i lower = _mm256_and_si256(text, half);
	__m256i slash = _mm256_cmpeq_epi8(text, _mm256_set1_epi8('/')); /* -1 where it is */
	__m256i clash = _mm256_and_si256(_mm256_shuffle_epi8(classes, upper), _mm256_shuffle_epi8(clashes, lower));

	*faults = _mm256_or_si256(*faults, clash);
	return _mm256_add_epi8(text, _mm256_shuffle_epi8(shifts, _mm256_add_epi8(upper, slash)));
}

/* 32 digits to 24 bytes, followed by 8 of no meaning. */
static inline AVX2 __m256i to_bytes(__m256i digits)
{
	const __m256i order = BOTH(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1);
	__m256i pairs = _mm256_maddubs_epi16(digits, _mm256_set1_epi32(0x01400140));
	__m256i groups = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x00011000));

	groups = _mm256_shuffle_epi8(groups, order);
	return _mm256_permutevar8x32_epi32(groups, _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7));
}

static inline AVX2 void decode_vector(unsigned char *data, const char *text, __m256i *faults)
{
	__m256i digits = from_text(_mm256_loadu_si256((const __m256i *)text), faults);

	_mm256_storeu_si256((__m256i *)data, to_bytes(digits));
}

AVX2 bool bt_base64_decode_avx2(unsigned char *data, size_t *ret_size, const char *text, size_t length, size_t *ret_bad)
{
	unsigned char *out = data;
	size_t done = 0;

	/* A store reaches 8 bytes too far: 12 more characters must follow. The last four, which may be padded, are left
	 * in any case, and so is a vector with a fault: the scalar code says where it is. */
	for (; length - done >= 4 * 32 + 12; done += 4 * 32, out += 4 * 24) {
		__m256i faults = _mm256_setzero_si256();

		decode_vector(out, text + done, &faults);
		decode_vector(out + 24, text + done + 32, &faults);
		decode_vector(out + 48, text + done + 64, &faults);
		decode_vector(out + 72, text + done + 96, &faults);
		if (!_mm256_testz_si256(faults, faults))
			break;
	}
	for (; length - done >= 32 + 12; done += 32, out += 24) {
		__m256i faults = _mm256_setzero_si256();

		decode_vector(out, text + done, &faults);
		if (!_mm256_testz_si256(faults, faults))
			break;
	}
	return bt_base64_decode_rest(data, ret_size, text, length, ret_bad, done);
}
#endif
