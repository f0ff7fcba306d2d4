/* SPDX-License-Identifier: MIT */
/* The bytes of files. */
#include "base/bytes.h"
#include "base/fail.h"
#include "view/pages.h"
#include <internal/text.h>
#include <internal/view.h>
#include <stdio.h>
#include <string.h>

/* The content that holds one byte of a file, or the hole. */
struct piece {
	struct bt_digest digest;
	uint64_t size;	 /* of the content; 0: a hole, or the end */
	uint64_t skip;	 /* where in the content the byte lies */
	uint64_t length; /* bytes from there on that belong together */
	uint64_t before; /* the same before it */
};

static int damaged(const struct bt_entry *file, enum bt_reason reason, struct bt_error *error)
{
	return bt_fail_damaged(error, reason, file->name, BT_NO_OFFSET);
}

int bt_fail_unread(struct bt_error *error, const struct bt_entry *entry)
{
	char text[160] = "its content is not in the snapshot", words[BT_ERRNO_WORDS_SIZE];

	if (entry->extra && entry->extra->error) {
		bt_errno_words(entry->extra->error, words);
		snprintf(text, sizeof(text), "it could not be read when the snapshot was taken (%s)", words);
	}
	return bt_fail(error, BT_E_INCOMPLETE, entry->name, text);
}

static int check_file(const struct bt_entry *file, struct bt_error *error)
{
	if (file->type != BT_FILE)
		return bt_fail(error, BT_E_INVALID, file->name, "not a file");
	if (file->extra && file->extra->error)
		return bt_fail_unread(error, file);
	return 0;
}

/* How many holes begin at or before the offset. */
static uint32_t count_holes(const struct bt_extra *extra, uint64_t offset)
{
	uint32_t low = 0, high = extra ? extra->hole_count : 0;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (extra->holes[middle].offset <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Converts an offset in the file to one in its data, which is the file without its holes. True if it is in a hole. */
static bool skip_holes(const struct bt_entry *file, uint64_t offset, uint64_t *ret_data, struct piece *piece)
{
	const struct bt_extra *extra = file->extra;
	uint32_t count = count_holes(extra, offset);
	struct bt_extent hole = {0};
	uint64_t before = 0, end = file->size;

	if (extra && count) {
		hole = extra->holes[count - 1];
		before = extra->hole_sums[count - 1];
	}
	if (extra && count < extra->hole_count)
		end = extra->holes[count].offset;
	if (offset - hole.offset < hole.length) {
		piece->length = hole.length - (offset - hole.offset);
		return true;
	}
	*ret_data = offset - before;
	piece->length = end - offset;
	piece->before = offset - (hole.offset + hole.length);
	return false;
}

/* Finds the chunk with byte *data of a list, and sets *data to the offset in it. NULL: the list ends before. */
static const struct bt_chunk *find_chunk(const struct bt_chunk *chunks, size_t count, uint64_t *data)
{
	for (size_t i = 0; i < count; i++) {
		if (*data < chunks[i].size)
			return &chunks[i];
		*data -= chunks[i].size;
	}
	return NULL;
}

static bool adds_up(const struct bt_page *page, uint64_t bytes)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < page->count; i++) {
		if (bt_add_overflows(sum, page->chunks[i].size, &sum))
			return false;
	}
	return sum == bytes;
}

int bt_chunk_page_get(struct bt_store *store, const struct bt_chunk *stated, const struct bt_page **ret_page,
		      struct bt_error *error)
{
	const struct bt_page *page;
	int r = bt_page_get_kind(store, &stated->digest, BT_PAGE_CHUNKS, &page, error);

	if (!r && !adds_up(page, stated->size)) {
		r = bt_page_fail(store, page, BT_R_BAD_SIZE, error);
		bt_page_put(store, page);
	}
	if (!r)
		*ret_page = page;
	return r;
}

static int find_in_page(struct bt_store *store, const struct bt_chunk *stated, uint64_t *data,
			struct bt_chunk *ret_chunk, struct bt_error *error)
{
	const struct bt_page *page;
	int r = bt_chunk_page_get(store, stated, &page, error);

	if (r)
		return r;
	const struct bt_chunk *chunk = find_chunk(page->chunks, page->count, data);
	if (chunk)
		*ret_chunk = *chunk;
	else
		r = bt_page_fail(store, page, BT_R_BAD_SIZE, error);
	bt_page_put(store, page);
	return r;
}

static bool is_one_content(const struct bt_entry *file)
{
	return !file->extra || (!file->extra->has_chunks && !file->extra->chunk_page_count);
}

static int find_content(struct bt_store *store, const struct bt_entry *file, uint64_t *data, struct bt_chunk *ret_chunk,
			struct bt_error *error)
{
	const struct bt_chunk *chunk;

	if (is_one_content(file)) {
		if (!file->has_digest)
			return damaged(file, BT_R_MISSING_KEY, error);
		*ret_chunk = (struct bt_chunk){file->digest, file->size};
		return 0;
	}
	const struct bt_extra *extra = file->extra;
	if (extra->chunk_page_count) {
		chunk = find_chunk(extra->chunk_pages, extra->chunk_page_count, data);
		return chunk ? find_in_page(store, chunk, data, ret_chunk, error) : damaged(file, BT_R_BAD_SIZE, error);
	}
	chunk = find_chunk(extra->chunks, extra->chunk_count, data);
	if (!chunk)
		return damaged(file, BT_R_BAD_SIZE, error);
	*ret_chunk = *chunk;
	return 0;
}

static int find_piece(struct bt_store *store, const struct bt_entry *file, uint64_t offset, struct piece *ret_piece,
		      struct bt_error *error)
{
	struct piece piece = {.length = 0};
	struct bt_chunk chunk = {.size = 0};
	uint64_t data = 0;
	int r = check_file(file, error);

	if (r)
		return r;
	if (offset < file->size && !skip_holes(file, offset, &data, &piece)) {
		r = find_content(store, file, &data, &chunk, error);
		if (r)
			return r;
		piece.digest = chunk.digest;
		piece.size = chunk.size;
		piece.skip = data;
		if (piece.length > chunk.size - data)
			piece.length = chunk.size - data;
		if (piece.before > data)
			piece.before = data;
	}
	*ret_piece = piece;
	return 0;
}

uint64_t bt_entry_lost(struct bt_store *store, const struct bt_entry *file, uint64_t offset)
{
	struct piece piece = {.length = 0};
	uint64_t data = 0;

	if (!find_piece(store, file, offset, &piece, NULL))
		return piece.length ? piece.length : 1;
	if (check_file(file, NULL) || offset >= file->size || skip_holes(file, offset, &data, &piece))
		return piece.length ? piece.length : 1;
	const struct bt_extra *extra = file->extra;
	const struct bt_chunk *stated = extra ? find_chunk(extra->chunk_pages, extra->chunk_page_count, &data) : NULL;
	return stated && stated->size - data < piece.length ? stated->size - data : piece.length;
}

int bt_slice_start(struct bt_store *store, const struct bt_entry *file, uint64_t offset, unsigned flags,
		   struct bt_slice *ret_slice, struct bt_error *error)
{
	struct piece piece;
	struct bt_pin pin;
	int r = find_piece(store, file, offset, &piece, error);

	if (r)
		return r;
	struct bt_slice slice = {.length = piece.length};
	if (piece.size) {
		r = bt_store_pin(store, &piece.digest, piece.size, flags, &pin, error);
		if (r)
			return r;
		slice.data = pin.data + piece.skip;
		slice.before = piece.before;
		slice.block = pin.cached;
		slice.fresh = pin.fresh;
	}
	*ret_slice = slice;
	return 0;
}

void bt_slice_end(struct bt_store *store, struct bt_slice *slice)
{
	struct bt_pin pin = {.cached = (void *)(uintptr_t)slice->block};

	bt_store_unpin(store, &pin);
	*slice = (struct bt_slice){0};
}

int bt_entry_pread(struct bt_store *store, const struct bt_entry *file, void *data, size_t size, uint64_t offset,
		   size_t *ret_size, struct bt_error *error)
{
	unsigned char *to = data;
	size_t done = 0;
	int r = check_file(file, error);

	if (r)
		return r;
	uint64_t left = offset < file->size ? file->size - offset : 0;
	if (size > left)
		size = (size_t)left;
	while (done < size) {
		struct bt_slice slice;

		r = bt_slice_start(store, file, offset + done, 0, &slice, error);
		if (r)
			return r;
		size_t part = slice.length < size - done ? (size_t)slice.length : size - done;
		if (slice.data)
			memcpy(to + done, slice.data, part);
		else
			memset(to + done, 0, part);
		bt_slice_end(store, &slice);
		done += part;
	}
	if (ret_size)
		*ret_size = done;
	return 0;
}

/* A content's share of its block's Base64, by size. */
static int add_stored(struct bt_store *store, const struct bt_chunk *chunks, size_t count, uint64_t *sum,
		      struct bt_error *error)
{
	for (size_t i = 0; i < count; i++) {
		struct bt_location location;
		int r = bt_store_find(store, &chunks[i].digest, false, &location, error);

		if (r == BT_E_NOT_FOUND)
			r = bt_store_missing(store, &chunks[i].digest, false, error);
		if (r)
			return r;
		if (location.block.size)
			*sum += (uint64_t)location.block.length * location.size / location.block.size;
	}
	return 0;
}

static int add_stored_pages(struct bt_store *store, const struct bt_extra *extra, uint64_t *sum, struct bt_error *error)
{
	int r = 0;

	for (uint32_t i = 0; i < extra->chunk_page_count && !r; i++) {
		const struct bt_page *page;

		r = bt_chunk_page_get(store, &extra->chunk_pages[i], &page, error);
		if (r)
			break;
		r = add_stored(store, page->chunks, page->count, sum, error);
		bt_page_put(store, page);
	}
	return r;
}

int bt_entry_stored(struct bt_store *store, const struct bt_entry *file, uint64_t *ret_bytes, struct bt_error *error)
{
	uint64_t sum = 0;
	int r = check_file(file, error);

	if (!r && is_one_content(file)) {
		struct bt_chunk chunk = {file->digest, file->size};

		r = file->size ? add_stored(store, &chunk, 1, &sum, error) : 0;
	} else if (!r) {
		r = add_stored(store, file->extra->chunks, file->extra->chunk_count, &sum, error);
		if (!r)
			r = add_stored_pages(store, file->extra, &sum, error);
	}
	if (!r)
		*ret_bytes = sum;
	return r;
}
