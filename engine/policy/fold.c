/* SPDX-License-Identifier: MIT */
#include "policy/fold.h"

/* Capital letters from first to last; a step of 2 where the small one of each follows it. */
struct range {
	unsigned short first, last;
	unsigned char step;
	short distance; /* from a capital letter to its small one */
};

static const struct range ranges[] = {
	{0x00c0, 0x00d6, 1, 32}, {0x00d8, 0x00de, 1, 32}, {0x0100, 0x012e, 2, 1},    {0x0132, 0x0136, 2, 1},
	{0x0139, 0x0147, 2, 1},	 {0x014a, 0x0176, 2, 1},  {0x0178, 0x0178, 1, -121}, {0x0179, 0x017d, 2, 1},
	{0x01cd, 0x01db, 2, 1},	 {0x01de, 0x01ee, 2, 1},  {0x01f8, 0x021e, 2, 1},    {0x0222, 0x0232, 2, 1},
	{0x0386, 0x0386, 1, 38}, {0x0388, 0x038a, 1, 37}, {0x038c, 0x038c, 1, 64},   {0x038e, 0x038f, 1, 63},
	{0x0391, 0x03a1, 1, 32}, {0x03a3, 0x03ab, 1, 32}, {0x03c2, 0x03c2, 1, 1},    {0x0400, 0x040f, 1, 80},
	{0x0410, 0x042f, 1, 32}, {0x0460, 0x0480, 2, 1},  {0x048a, 0x04be, 2, 1},    {0x04c1, 0x04cd, 2, 1},
	{0x04d0, 0x052e, 2, 1},
};

static unsigned small_of(unsigned letter)
{
	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
		const struct range *range = &ranges[i];

		if (letter >= range->first && letter <= range->last)
			return (letter - range->first) % range->step ? letter : letter + (unsigned)range->distance;
	}
	return letter;
}

static bool begins_pair(unsigned char byte)
{
	return byte >= 0xc3 && byte <= 0xd4;
}

void bt_fold(char *text, size_t length, bool ascii)
{
	unsigned char *at = (unsigned char *)text, *end = at + length;

	for (; at < end; at++) {
		if (ascii && *at >= 'A' && *at <= 'Z')
			*at += 'a' - 'A';
		if (!begins_pair(*at) || end - at < 2 || (at[1] & 0xc0) != 0x80)
			continue;
		unsigned letter = small_of((at[0] & 0x1fu) << 6 | (at[1] & 0x3fu));

		at[0] = (unsigned char)(0xc0 | letter >> 6);
		at[1] = (unsigned char)(0x80 | (letter & 0x3f));
		at++;
	}
}
