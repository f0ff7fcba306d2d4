/* SPDX-License-Identifier: MIT */
#include "source/cut.h"

#include "codec/chunker.h"
#include <string.h>

#define WINDOW	  (2 * BT_CHUNK_MAX)
#define READ_SIZE ((size_t)1 << 20)

int bt_cutter_window(struct bt_reader *reader)
{
	if (!reader->window)
		reader->window = bt_buffer_get(reader->source->buffers, WINDOW);
	return reader->window ? 0 : BT_E_NOMEM;
}

void bt_cutter_shift(struct bt_cutter *cutter)
{
	unsigned char *window = cutter->reader->window->data;

	memmove(window, window + cutter->start, cutter->end - cutter->start);
	cutter->end -= cutter->start;
	cutter->start = 0;
}

unsigned char *bt_cutter_room(const struct bt_cutter *cutter, size_t *ret_size)
{
	size_t room = WINDOW - cutter->end;

	*ret_size = room < READ_SIZE ? room : READ_SIZE;
	return (unsigned char *)cutter->reader->window->data + cutter->end;
}

void bt_cutter_took(struct bt_cutter *cutter, size_t size)
{
	const unsigned char *window = cutter->reader->window->data;

	if (cutter->hashes)
		bt_hasher_add(cutter->reader->hasher, window + cutter->end, size);
	cutter->end += size;
}

int bt_cutter_cut(struct bt_cutter *cutter, bool last)
{
	const unsigned char *window = cutter->reader->window->data;

	while (cutter->end > cutter->start) {
		size_t length = bt_chunk_cut(window + cutter->start, cutter->end - cutter->start);

		if (!last && length == cutter->end - cutter->start && length < BT_CHUNK_MAX)
			break;
		if (cutter->delayed && length < cutter->end - cutter->start) {
			bt_hasher_add(cutter->reader->hasher, window, cutter->end);
			cutter->hashes = true;
		}
		cutter->delayed = false;
		int r = cutter->sink->chunk(cutter->sink, window + cutter->start, length);
		if (r)
			return r;
		cutter->any = true;
		cutter->start += length;
	}
	return 0;
}
