/* SPDX-License-Identifier: MIT */
#include <internal/policy.h>
#include <string.h>

int bt_lines_begin(char *text, size_t size, struct bt_lines *ret_lines)
{
	static const char utf8[] = "\xef\xbb\xbf", utf16[] = "\xff\xfe", utf16_big[] = "\xfe\xff";
	bool wide = strncmp(text, utf16, 2) == 0 || strncmp(text, utf16_big, 2) == 0;

	if (wide || memchr(text, '\0', size))
		return BT_E_INVALID;
	*ret_lines = (struct bt_lines){.at = text, .end = text + size};
	if (strncmp(text, utf8, 3) == 0)
		ret_lines->at += 3;
	return 0;
}

char *bt_lines_next(struct bt_lines *lines)
{
	while (lines->at < lines->end) {
		char *line = lines->at, *end = memchr(line, '\n', (size_t)(lines->end - line));

		lines->number++;
		lines->at = end ? end + 1 : lines->end;
		if (end)
			*end = '\0';
		if (*line)
			return line;
	}
	return NULL;
}
