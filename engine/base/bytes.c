/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"

#include <endian.h>
#include <string.h>

void bt_hex_encode(char *text, const unsigned char *data, size_t length)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < length; i++) {
		text[2 * i] = digits[data[i] >> 4];
		text[2 * i + 1] = digits[data[i] & 15];
	}
}

/* 16 and more for what is no digit. */
static unsigned hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

bool bt_hex_decode(unsigned char *data, size_t length, const char *text)
{
	for (size_t i = 0; i < length; i++) {
		unsigned high = hex_value(text[2 * i]);

		if (high > 15) /* what follows may be the text's end */
			return false;
		unsigned low = hex_value(text[2 * i + 1]);
		if (low > 15)
			return false;
		data[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

void bt_digest_text(const struct bt_digest *digest, char text[65])
{
	bt_hex_encode(text, digest->bytes, sizeof(digest->bytes));
	text[64] = 0;
}

int bt_digest_compare(const struct bt_digest *a, const struct bt_digest *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool bt_time_equal(const struct bt_time *a, const struct bt_time *b)
{
	return a->seconds == b->seconds && a->nanoseconds == b->nanoseconds;
}

bool bt_digest_equal(const struct bt_digest *a, const struct bt_digest *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* Length of the ASCII run at the beginning, in steps of eight bytes. */
static size_t ascii_run(const unsigned char *text, size_t length)
{
	size_t i = 0;
	uint64_t word;

	for (; length - i >= sizeof(word); i += sizeof(word)) {
		memcpy(&word, text + i, sizeof(word));
		if (word & 0x8080808080808080)
			break;
	}
	return i;
}

/* Bytes of the character at text, or 0 if there is no valid one. */
static size_t character_length(const unsigned char *text, size_t length)
{
	unsigned char lead = text[0], low = 0x80, high = 0xbf;
	size_t n;

	if (lead < 0x80)
		return 1;
	if (lead < 0xc2 || lead > 0xf4)
		return 0;
	n = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	if (length < n)
		return 0;
	/* Overlong forms, surrogates, and what lies above U+10FFFF show in the second byte. */
	if (lead == 0xe0)
		low = 0xa0;
	else if (lead == 0xed)
		high = 0x9f;
	else if (lead == 0xf0)
		low = 0x90;
	else if (lead == 0xf4)
		high = 0x8f;
	if (text[1] < low || text[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	}
	return n;
}

size_t bt_utf8_length(const char *text, size_t length)
{
	return length > 0 ? character_length((const unsigned char *)text, length) : 0;
}

size_t bt_utf8_next(const char *text, size_t length, uint32_t *ret_character)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t n = bt_utf8_length(text, length);

	if (n < 2) {
		*ret_character = n ? *bytes : 0;
		return n;
	}
	*ret_character = bytes[0] & (0x7fU >> n);
	for (size_t i = 1; i < n; i++)
		*ret_character = *ret_character << 6 | (bytes[i] & 0x3fU);
	return n;
}

bool bt_is_deceptive(uint32_t character)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {{0, 0x1f},	  {0x7f, 0x9f},	      {0xad, 0xad},	 {0x61c, 0x61c},   {0x180e, 0x180e},
		      {0x200b, 0x200f},	  {0x2028, 0x202e},   {0x2060, 0x206f},	 {0xfeff, 0xfeff}, {0xfff9, 0xfffb},
		      {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe007f}};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
		if (character >= ranges[i].first && character <= ranges[i].last)
			return true;
	return false;
}

bool bt_utf8_valid(const char *text, size_t length)
{
	const unsigned char *bytes = (const unsigned char *)text;

	for (size_t i = ascii_run(bytes, length); i < length;) {
		size_t n = character_length(bytes + i, length - i);

		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

bool bt_name_valid(const char *name, size_t length)
{
	if (length == 0 || length > 255)
		return false;
	if (name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.')))
		return false;
	return !memchr(name, '/', length) && !memchr(name, 0, length);
}

int bt_name_compare(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t common = a_length < b_length ? a_length : b_length;
	int r = common > 0 ? memcmp(a, b, common) : 0;

	if (r)
		return r;
	return (a_length > b_length) - (a_length < b_length);
}

uint64_t bt_mix64(uint64_t value)
{
	value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
	value = (value ^ value >> 27) * 0x94d049bb133111eb;
	return value ^ value >> 31;
}

static uint64_t absorb(uint64_t state, uint64_t word)
{
	state ^= word * 0x9fb21c651e98df25;
	return (state << 29 | state >> 35) * 0xd6e8feb86659fd93;
}

uint64_t bt_hash_bytes(const void *data, size_t length, uint64_t seed)
{
	const unsigned char *bytes = data;
	uint64_t state = bt_mix64(seed ^ 0x9e3779b97f4a7c15) ^ length, word;
	size_t left = length;

	for (; left >= sizeof(word); left -= sizeof(word), bytes += sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		state = absorb(state, le64toh(word));
	}
	word = 0;
	if (left > 0)
		memcpy(&word, bytes, left);
	return bt_mix64(absorb(state, le64toh(word)));
}

bool bt_is_one_line(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	return true;
}

bool bt_add_overflows(uint64_t a, uint64_t b, uint64_t *ret_sum)
{
	uint64_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return true;
	*ret_sum = sum;
	return false;
}
