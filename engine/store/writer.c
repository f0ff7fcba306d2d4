/* SPDX-License-Identifier: MIT */
#include "store/writer.h"
#include "base/bytes.h"
#include "base/fail.h"
#include "codec/hash.h"
#include "store/file.h"
#include "store/rest.h"
#include "json/write.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define OUT_BUFFER   ((size_t)256 << 10)
#define SPOOL_BUFFER ((size_t)1 << 20)

struct written_block {
	struct bt_block block;
	uint32_t count; /* contents */
};

struct written_page {
	struct bt_digest id;
	uint32_t length;
};

struct bt_writer {
	struct bt_upload *out, *spool; /* out: NULL once it is published; spool: NULL while pages fit in memory */
	bool written;		       /* all but the name */
	int failure;		       /* errno of the first failed write: the file can no longer become whole */
	struct bt_hasher *hasher;      /* of index_sha256, then of open_sha256 */
	struct bt_buf header, buffer, line;
	uint64_t size;	 /* buffer included */
	uint64_t stored; /* of the file as it lies, once it is published */
	bool at_rest;
	struct bt_sections sections; /* of those that were begun; else 0 */
	size_t listed;		     /* lines of contents */
	struct bt_buf blocks, held;  /* arrays of written_block and bt_held */
	struct bt_buf pages;	     /* array of written_page */
	struct bt_buf text;	     /* of pages, not yet spooled */
	uint64_t spooled;
};

static size_t block_count(const struct bt_writer *writer)
{
	return writer->blocks.length / sizeof(struct written_block);
}

static size_t page_count(const struct bt_writer *writer)
{
	return writer->pages.length / sizeof(struct written_page);
}

static int broken(struct bt_writer *writer, int result, struct bt_error *error)
{
	if (!writer->failure)
		writer->failure = -result;
	return bt_upload_failed(writer->out, writer->failure, error);
}

static int write_out(struct bt_writer *writer, const void *data, size_t length, struct bt_error *error)
{
	if (writer->failure)
		return broken(writer, 0, error);
	int r = bt_upload_write(writer->out, data, length);
	return r ? broken(writer, r, error) : 0;
}

static int flush(struct bt_writer *writer, struct bt_error *error)
{
	size_t length = writer->buffer.length;

	writer->buffer.length = 0;
	return length ? write_out(writer, writer->buffer.data, length, error) : 0;
}

static int put(struct bt_writer *writer, const void *data, size_t length, struct bt_error *error)
{
	int r = 0;

	if (writer->buffer.length + length > OUT_BUFFER)
		r = flush(writer, error);
	if (r || !length)
		return r;
	writer->size += length;
	if (length > OUT_BUFFER)
		return write_out(writer, data, length, error);
	memcpy(writer->buffer.data + writer->buffer.length, data, length);
	writer->buffer.length += length;
	return 0;
}

static int put_text(struct bt_writer *writer, const char *text, struct bt_error *error)
{
	return put(writer, text, strlen(text), error);
}

static int begin(struct bt_writer *writer, const struct bt_buf *header, struct bt_error *error)
{
	if (header->length + 1 > BT_HEADER_MAX)
		return bt_fail(error, BT_E_INVALID, NULL, "header over 64 KiB");
	writer->hasher = bt_hasher_new();
	if (!writer->hasher || bt_buf_reserve(&writer->buffer, OUT_BUFFER) ||
	    bt_buf_append(&writer->header, header->data, header->length) || bt_buf_append(&writer->header, ",\n", 2))
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	writer->sections.blocks = writer->header.length;
	int r = put(writer, writer->header.data, writer->header.length, error);
	return r ? r : put_text(writer, "\"blocks\":[\n", error);
}

int bt_writer_new(struct bt_upload *upload, const struct bt_buf *header, struct bt_writer **ret_writer,
		  struct bt_error *error)
{
	struct bt_writer *writer = calloc(1, sizeof(*writer));

	if (!writer) {
		bt_upload_close(upload);
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	}
	writer->out = upload;
	writer->at_rest = bt_is_rest_upload(upload);
	int r = begin(writer, header, error);
	if (r) {
		bt_writer_free(writer);
		return r;
	}
	*ret_writer = writer;
	return 0;
}

void bt_writer_free(struct bt_writer *writer)
{
	if (!writer)
		return;
	bt_upload_close(writer->spool);
	bt_upload_close(writer->out);
	bt_hasher_free(writer->hasher);
	struct bt_buf *all[] = {&writer->header, &writer->buffer, &writer->line, &writer->blocks,
				&writer->held,	 &writer->pages,  &writer->text};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		bt_buf_free(all[i]);
	free(writer);
}

static bool block_valid(size_t length, const struct bt_held *held, size_t count, uint64_t *ret_size)
{
	uint64_t size = 0;

	for (size_t i = 0; i < count; i++) {
		if (!held[i].size || held[i].size > BT_BLOCK_MAX - size)
			return false;
		size += held[i].size;
	}
	*ret_size = size;
	return size && length && length % 4 == 0 && length <= BT_BLOCK_TEXT_MAX;
}

int bt_writer_block(struct bt_writer *writer, const struct bt_block_text *text, const struct bt_held *held,
		    size_t count, struct bt_error *error)
{
	uint64_t size = 0;

	if (writer->written || writer->sections.contents || !block_valid(text->length, held, count, &size))
		return bt_fail(error, BT_E_INVALID, NULL, "block outside the format's limits");
	if (bt_buf_reserve(&writer->blocks, sizeof(struct written_block)) ||
	    bt_buf_reserve(&writer->held, count * sizeof(*held)))
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	int r = put_text(writer, block_count(writer) ? ",\n{\"zstd\":\"" : "{\"zstd\":\"", error);
	struct written_block block = {.block = {.at = writer->size,
						.length = (uint32_t)text->length,
						.size = (uint32_t)size,
						.has_xxh3 = true,
						.xxh3 = text->xxh3},
				      .count = (uint32_t)count};
	if (!r)
		r = put(writer, text->text, text->length, error);
	if (!r)
		r = put_text(writer, "\"}", error);
	if (r)
		return r;
	bt_buf_append(&writer->blocks, &block, sizeof(block));
	bt_buf_append(&writer->held, held, count * sizeof(*held));
	return 0;
}

uint64_t bt_writer_size(const struct bt_writer *writer)
{
	return writer->size;
}

uint64_t bt_writer_stored(const struct bt_writer *writer)
{
	return writer->stored;
}

bool bt_writer_at_rest(const struct bt_writer *writer)
{
	return writer->at_rest;
}

size_t bt_writer_contents(const struct bt_writer *writer)
{
	return writer->held.length / sizeof(struct bt_held);
}

/* A part of the two sections that index_sha256 covers. */
static int put_index(struct bt_writer *writer, const void *data, size_t length, struct bt_error *error)
{
	bt_hasher_add(writer->hasher, data, length);
	return put(writer, data, length, error);
}

static int put_index_line(struct bt_writer *writer, struct bt_error *error)
{
	if (writer->line.failed)
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	return put_index(writer, writer->line.data, writer->line.length, error);
}

static int begin_contents(struct bt_writer *writer, struct bt_error *error)
{
	int r = put_text(writer, block_count(writer) ? "\n],\n" : "],\n", error);

	if (r)
		return r;
	writer->sections.contents = writer->size;
	bt_hasher_start(writer->hasher);
	return put_index(writer, "\"contents\":[", 12, error);
}

static int put_content(struct bt_writer *writer, const struct bt_block *block, const struct bt_held *held, size_t count,
		       struct bt_error *error)
{
	struct bt_buf *line = &writer->line;

	bt_buf_clear(line);
	bt_json_add_u64(line, writer->listed++ ? ",\n{\"at\":" : "\n{\"at\":", block->at);
	bt_json_add_u64(line, ",\"length\":", block->length);
	if (block->has_xxh3) {
		bt_json_text(line, ",\"xxh3\":");
		bt_json_xxh3(line, &block->xxh3);
	}
	bt_json_add_u64(line, ",\"size\":", block->size);
	bt_json_text(line, ",\"holds\":[");
	for (size_t i = 0; i < count; i++) {
		bt_json_text(line, i ? ",[" : "[");
		bt_json_digest(line, &held[i].digest);
		bt_json_add_u64(line, ",", held[i].size);
		bt_json_text(line, "]");
	}
	bt_json_text(line, "]}");
	return put_index_line(writer, error);
}

int bt_writer_elsewhere(struct bt_writer *writer, const struct bt_block *block, const struct bt_held *held,
			size_t count, struct bt_error *error)
{
	if (writer->written || block_count(writer) || page_count(writer))
		return bt_fail(error, BT_E_INVALID, NULL, "a block of another file after one of its own");
	int r = writer->sections.contents ? 0 : begin_contents(writer, error);
	return r ? r : put_content(writer, block, held, count, error);
}

/* Writes all that comes before the first page, once. */
static int begin_trees(struct bt_writer *writer, struct bt_error *error)
{
	const struct written_block *blocks = (const struct written_block *)writer->blocks.data;
	const struct bt_held *held = (const struct bt_held *)writer->held.data;

	if (writer->sections.trees)
		return 0;
	int r = writer->sections.contents ? 0 : begin_contents(writer, error);
	for (size_t i = 0; i < block_count(writer) && !r; i++) {
		r = put_content(writer, &blocks[i].block, held, blocks[i].count, error);
		held += blocks[i].count;
	}
	if (!r)
		r = put_index(writer, "\n],\n", 4, error);
	writer->sections.trees = writer->size;
	return r ? r : put_text(writer, "\"trees\":[\n", error);
}

static int spool_out(struct bt_writer *writer, struct bt_error *error)
{
	int r = writer->spool ? 0 : bt_upload_spool(writer->out, &writer->spool, error);

	if (r)
		return r;
	r = bt_upload_write(writer->spool, writer->text.data, writer->text.length);
	if (r)
		return broken(writer, r, error);
	writer->spooled += writer->text.length;
	writer->text.length = 0;
	return 0;
}

/* Pages need not wait if no block can follow. */
static int move_pages(struct bt_writer *writer, struct bt_error *error)
{
	if (!writer->sections.contents)
		return spool_out(writer, error);
	int r = begin_trees(writer, error);
	if (!r)
		r = put(writer, writer->text.data, writer->text.length, error);
	writer->text.length = 0;
	return r;
}

int bt_writer_page(struct bt_writer *writer, const char *line, size_t length, const struct bt_digest *id,
		   struct bt_error *error)
{
	if (writer->written || !length || length > BT_PAGE_MAX)
		return bt_fail(error, BT_E_INVALID, NULL, "page outside the format's limits");
	if (writer->failure)
		return broken(writer, 0, error);
	struct written_page page = {*id, (uint32_t)length};
	if (bt_buf_reserve(&writer->pages, sizeof(page)) || bt_buf_reserve(&writer->text, length + 2))
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	if (page_count(writer))
		bt_buf_append(&writer->text, ",\n", 2);
	bt_buf_append(&writer->text, line, length);
	bt_buf_append(&writer->pages, &page, sizeof(page));
	return writer->text.length >= SPOOL_BUFFER ? move_pages(writer, error) : 0;
}

static int put_spooled(struct bt_writer *writer, struct bt_error *error)
{
	int r = spool_out(writer, error);

	writer->text.length = 0;
	if (!r && bt_buf_reserve(&writer->text, OUT_BUFFER))
		r = bt_fail(error, BT_E_NOMEM, NULL, NULL);
	for (uint64_t done = 0; !r && done < writer->spooled;) {
		ssize_t n = bt_upload_pread(writer->spool, writer->text.data, OUT_BUFFER, done);

		if (n <= 0)
			return broken(writer, n ? (int)n : -EIO, error);
		r = put(writer, writer->text.data, (size_t)n, error);
		done += (uint64_t)n;
	}
	return r;
}

static int put_trees(struct bt_writer *writer, struct bt_error *error)
{
	int r = begin_trees(writer, error);

	if (!r && writer->spool)
		r = put_spooled(writer, error);
	else if (!r)
		r = put(writer, writer->text.data, writer->text.length, error);
	return r ? r : put_text(writer, page_count(writer) ? "\n],\n" : "],\n", error);
}

static uint64_t first_page(const struct bt_writer *writer)
{
	return writer->sections.trees + strlen("\"trees\":[\n");
}

static int put_tree_index(struct bt_writer *writer, struct bt_error *error)
{
	const struct written_page *pages = (const struct written_page *)writer->pages.data;
	size_t count = page_count(writer);
	struct bt_buf *line = &writer->line;
	uint64_t at = first_page(writer);

	writer->sections.tree_index = writer->size;
	int r = put_index(writer, "\"tree_index\":[", 14, error);
	for (size_t i = 0; i < count && !r; i++) {
		bt_buf_clear(line);
		bt_json_text(line, i ? ",\n[" : "\n[");
		bt_json_digest(line, &pages[i].id);
		bt_json_add_u64(line, ",", at);
		bt_json_add_u64(line, ",", pages[i].length);
		bt_json_text(line, "]");
		at += pages[i].length + 2;
		r = put_index_line(writer, error);
	}
	return r ? r : put_index(writer, "\n],\n", 4, error);
}

static int put_summary(struct bt_writer *writer, const struct bt_buf *summary, struct bt_error *error)
{
	struct bt_buf *line = &writer->line;

	writer->sections.summary = writer->size;
	bt_buf_clear(line);
	bt_json_text(line, "\"summary\":");
	bt_buf_append(line, summary->data, summary->length);
	bt_json_text(line, ",\n");
	if (line->failed)
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	bt_hasher_start(writer->hasher);
	bt_hasher_add(writer->hasher, writer->header.data, writer->header.length);
	bt_hasher_add(writer->hasher, line->data, line->length);
	return put(writer, line->data, line->length, error);
}

static void add_digest(struct bt_buf *line, const char *key, const struct bt_digest *digest, const char *after)
{
	bt_json_text(line, key);
	bt_json_digest(line, digest);
	bt_json_text(line, after);
}

static int put_end(struct bt_writer *writer, const struct bt_digest *index, struct bt_error *error)
{
	const struct bt_sections *at = &writer->sections;
	struct bt_buf *line = &writer->line;
	struct bt_digest digest;

	bt_buf_clear(line);
	bt_json_add_u64(line, "\"end\":{\"blocks\":", at->blocks);
	bt_json_add_u64(line, ",\"contents\":", at->contents);
	bt_json_add_u64(line, ",\"trees\":", at->trees);
	bt_json_add_u64(line, ",\"tree_index\":", at->tree_index);
	bt_json_add_u64(line, ",\"summary\":", at->summary);
	bt_json_text(line, ",");
	add_digest(line, "\"index_sha256\":", index, ",");
	bt_hasher_add(writer->hasher, line->data, line->length);
	if (bt_hasher_finish(writer->hasher, &digest))
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	add_digest(line, "\"open_sha256\":", &digest, "}}\n");
	if (line->failed)
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	int r = put(writer, line->data, line->length, error);
	return r ? r : flush(writer, error);
}

static int put_rest(struct bt_writer *writer, const struct bt_buf *summary, struct bt_error *error)
{
	struct bt_digest index;
	int r = put_trees(writer, error);

	if (!r)
		r = put_tree_index(writer, error);
	if (r)
		return r;
	if (bt_hasher_finish(writer->hasher, &index))
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	r = put_summary(writer, summary, error);
	return r ? r : put_end(writer, &index, error);
}

int bt_writer_finish(struct bt_writer *writer, const struct bt_buf *summary, struct bt_error *error)
{
	if (writer->failure)
		return broken(writer, 0, error);
	if (writer->written)
		return 0;
	writer->written = true;
	int r = put_rest(writer, summary, error);
	/* a part of it is written: trying again would write it twice */
	if (r && !writer->failure)
		writer->failure = ENOMEM;
	return r;
}

int bt_writer_seal(struct bt_writer *writer, const struct bt_buf *summary, const char *name, struct bt_error *error)
{
	int r = writer->out ? bt_writer_finish(writer, summary, error)
			    : bt_fail(error, BT_E_INVALID, name, "the file was sealed before");

	if (!r)
		r = bt_upload_publish(writer->out, name, error);
	if (r)
		return r;
	writer->stored = writer->at_rest ? bt_rest_upload_size(writer->out) : writer->size;
	bt_upload_close(writer->out);
	writer->out = NULL;
	return 0;
}

static int visit_contents(const struct bt_writer *writer, const struct bt_index_visitor *visitor)
{
	const struct written_block *blocks = (const struct written_block *)writer->blocks.data;
	const struct bt_held *held = (const struct bt_held *)writer->held.data;

	for (size_t i = 0; i < block_count(writer); i++) {
		uint32_t offset = 0;

		for (uint32_t k = 0; k < blocks[i].count; k++, held++) {
			int r = visitor->content(visitor->arg, &blocks[i].block, &held->digest, offset, held->size);

			if (r)
				return r;
			offset += held->size;
		}
	}
	return 0;
}

int bt_writer_visit(const struct bt_writer *writer, const struct bt_index_visitor *visitor)
{
	const struct written_page *pages = (const struct written_page *)writer->pages.data;
	uint64_t at = first_page(writer);
	int r = visitor->content ? visit_contents(writer, visitor) : 0;

	for (size_t i = 0; i < page_count(writer) && !r && visitor->page; i++) {
		r = visitor->page(visitor->arg, &pages[i].id, at, pages[i].length);
		at += pages[i].length + 2;
	}
	return r;
}
