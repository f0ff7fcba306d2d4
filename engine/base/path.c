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
