/* SPDX-License-Identifier: MIT */
#include <internal/policy.h>
#include <string.h>

struct folding {
	const char *at;
	char *to;
	bool letters[26]; /* of the class */
};

static bool is_letter(unsigned char byte)
{
	return (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
}

static void copy(struct folding *folding, size_t length)
{
	memcpy(folding->to, folding->at, length);
	folding->at += length;
	folding->to += length;
}

static void put_letter(struct folding *folding, unsigned char letter)
{
	*folding->to++ = (char)(letter | 0x20);
	*folding->to++ = (char)(letter & ~0x20);
}

static void note_letters(struct folding *folding, unsigned first, unsigned last)
{
	for (unsigned byte = first; byte <= last; byte++)
		if (is_letter((unsigned char)byte))
			folding->letters[(byte | 0x20) - 'a'] = true;
}

/* "[:name:]" at the cursor; false if there is none. */
static bool copy_named(struct folding *folding)
{
	const char *at = folding->at, *close = at[0] == '[' && at[1] == ':' ? strchr(at + 2, ']') : NULL;

	if (!close || close == at + 2 || close[-1] != ':')
		return false;
	if (strncmp(at, "[:upper:]", 9) == 0 || strncmp(at, "[:lower:]", 9) == 0)
		note_letters(folding, 'a', 'z');
	copy(folding, (size_t)(close + 1 - at));
	return true;
}

/* One member, or the end of a range that begins with the previous one; gives what a range could begin with. */
static unsigned char copy_member(struct folding *folding, unsigned char previous)
{
	bool dash = *folding->at == '-', range = dash && previous && folding->at[1] && folding->at[1] != ']';

	if (copy_named(folding))
		return 0;
	if (dash && !range)
		*folding->to++ = '\\'; /* letters will follow */
	if (range)
		copy(folding, 1);
	if (*folding->at == '\\' && folding->at[1])
		copy(folding, 1);
	unsigned char byte = (unsigned char)*folding->at;
	copy(folding, 1);
	note_letters(folding, range ? previous : byte, byte);
	return range ? 0 : byte;
}

/* The class at the cursor keeps its members, and gets both cases of the letters among them. */
static void fold_class(struct folding *folding)
{
	unsigned char previous = 0;
	bool first = true;

	memset(folding->letters, 0, sizeof(folding->letters));
	copy(folding, 1);
	if (*folding->at == '!' || *folding->at == '^')
		copy(folding, 1);
	for (; *folding->at && (first || *folding->at != ']'); first = false)
		previous = copy_member(folding, previous);
	for (unsigned i = 0; *folding->at && i < 26; i++)
		if (folding->letters[i])
			put_letter(folding, (unsigned char)('a' + i));
	if (*folding->at)
		copy(folding, 1);
}

static void fold_byte(struct folding *folding)
{
	bool escaped = *folding->at == '\\' && folding->at[1];

	if (!is_letter((unsigned char)folding->at[escaped])) {
		copy(folding, escaped ? 2 : 1);
		return;
	}
	*folding->to++ = '[';
	put_letter(folding, (unsigned char)folding->at[escaped]);
	*folding->to++ = ']';
	folding->at += escaped ? 2 : 1;
}

void bt_pattern_caseless(const char *pattern, char *ret_folded)
{
	struct folding folding = {.at = pattern, .to = ret_folded};

	if (*pattern == '#')
		copy(&folding, strlen(pattern));
	while (*folding.at)
		if (*folding.at == '[')
			fold_class(&folding);
		else
			fold_byte(&folding);
	*folding.to = '\0';
}
