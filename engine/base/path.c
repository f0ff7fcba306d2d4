/* SPDX-License-Identifier: MIT */
#include "base/path.h"
#include <backuptool/error.h>
#include <string.h>

static char *put_before(char *at, const char *name, size_t length)
{
	if (*at)
		*--at = '/';
	return memcpy(at - length, name, length);
}

int bt_path_of(struct bt_buf *path, bt_path_up *up, const void *dir, const char *name)
{
	size_t part, last = name ? strlen(name) : 0, length = last ? last + 1 : 0;
	const char *text;

	for (const void *at = up(dir, &text, &part); at; at = up(at, &text, &part))
		length += part + 1;
	length -= length > 0;
	path->length = 0;
	if (bt_buf_reserve(path, length + 1))
		return BT_E_NOMEM;
	path->length = length;
	char *end = (char *)path->data + length;
	*end = 0;
	if (last)
		end = put_before(end, name, last);
	for (const void *at = up(dir, &text, &part); at; at = up(at, &text, &part))
		end = put_before(end, text, part);
	return 0;
}

char *bt_path_new(bt_path_up *up, const void *dir, const char *name)
{
	struct bt_buf path = {0};

	return bt_path_of(&path, up, dir, name) ? NULL : (char *)path.data;
}

/* The end of a path, a slash, and all other bytes, in this order. */
static int rank(unsigned char byte)
{
	return !byte ? 0 : byte == '/' ? 1 : byte + 1;
}

int bt_path_order(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return rank((unsigned char)*a) - rank((unsigned char)*b);
}

bool bt_path_covers(const char *above, const char *path)
{
	size_t length = strlen(above);

	return strncmp(above, path, length) == 0 && (path[length] == '/' || !path[length]);
}

void bt_path_tidy(const char *path, char *ret_tidy)
{
	char *end = ret_tidy;

	while (*path) {
		size_t length = strcspn(path, "/");

		if (length && !(length == 1 && *path == '.')) {
			if (end > ret_tidy)
				*end++ = '/';
			memcpy(end, path, length);
			end += length;
		}
		path += length;
		path += *path == '/';
	}
	*end = 0;
}
