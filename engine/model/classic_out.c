/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "base/fail.h"
#include "base/io.h"
#include "model/classic_parts.h"
#include "store/lines.h"
#include "json/write.h"
#include <string.h>

#define PENDING_MAX ((size_t)256 << 10)

static int no_memory(struct bt_classic_out *out)
{
	return bt_fail(out->error, BT_E_NOMEM, out->name, "write");
}

static int flush(struct bt_classic_out *out)
{
	int r = bt_write_all(out->fd, out->pending.data, out->pending.length);

	out->pending.length = 0;
	return r ? bt_fail_sys(out->error, -r, out->name, "write the derived file") : 0;
}

/* section: the hasher that covers these bytes besides the whole file's, or NULL. */
static int put(struct bt_classic_out *out, struct bt_hasher *section, const void *data, size_t length)
{
	if (bt_buf_append(&out->pending, data, length))
		return no_memory(out);
	out->size += length;
	bt_hasher_add(out->whole, data, length);
	if (section)
		bt_hasher_add(section, data, length);
	return out->pending.length >= PENDING_MAX ? flush(out) : 0;
}

static int put_text(struct bt_classic_out *out, struct bt_hasher *section, const char *text)
{
	return put(out, section, text, strlen(text));
}

int bt_classic_out_begin(struct bt_classic_out *out, const struct bt_buf *header)
{
	out->whole = bt_hasher_new();
	out->index = bt_hasher_new();
	out->open = bt_hasher_new();
	out->page = bt_hasher_new();
	if (!out->whole || !out->index || !out->open || !out->page)
		return no_memory(out);
	bt_hasher_start(out->whole);
	bt_hasher_start(out->index);
	bt_hasher_start(out->open);
	int r = put(out, out->open, header->data, header->length);
	if (!r)
		r = put_text(out, out->open, ",\n");
	out->sections.blocks = out->size;
	if (!r)
		r = put_text(out, NULL, "\"blocks\":[\n],\n");
	out->sections.contents = out->size;
	return r ? r : put_text(out, out->index, "\"contents\":[");
}

/* The line as it is in out->line. */
static int put_line(struct bt_classic_out *out, struct bt_hasher *section)
{
	return out->line.failed ? no_memory(out) : put(out, section, out->line.data, out->line.length);
}

int bt_classic_out_piece(struct bt_classic_out *out, const struct bt_classic_piece *piece)
{
	bool first = out->size == out->sections.contents + strlen("\"contents\":[");
	const struct bt_block block = {.at = piece->at, .length = piece->length, .size = piece->size};
	const struct bt_held held = {piece->digest, piece->size};

	bt_buf_clear(&out->line);
	bt_json_text(&out->line, first ? "\n" : ",\n");
	bt_line_block(&out->line, &block, &held, 1);
	return put_line(out, out->index);
}

int bt_classic_out_trees(struct bt_classic_out *out)
{
	int r = put_text(out, out->index, "\n],\n");

	out->sections.trees = out->size;
	return r ? r : put_text(out, NULL, "\"trees\":[");
}

int bt_classic_out_page(void *arg, const char *line, size_t length, struct bt_digest *ret_id)
{
	struct bt_classic_out *out = arg;
	struct bt_classic_page page = {.length = (uint32_t)length};

	if (bt_hasher_digest(out->page, line, length, &page.id))
		return no_memory(out);
	*ret_id = page.id;
	int added = bt_digest_set_add(&out->written, &page.id);
	if (added <= 0)
		return added ? no_memory(out) : 0;
	int r = put_text(out, NULL, out->page_count ? ",\n" : "\n");
	page.at = out->size;
	if (!r)
		r = put(out, NULL, line, length);
	if (!r && bt_buf_append(&out->pages, &page, sizeof(page)))
		r = no_memory(out);
	out->page_count++;
	return r;
}

static int put_tree_index(struct bt_classic_out *out)
{
	const struct bt_classic_page *pages = (const void *)out->pages.data;
	int r = put_text(out, NULL, "\n],\n");

	out->sections.tree_index = out->size;
	if (!r)
		r = put_text(out, out->index, "\"tree_index\":[");
	for (size_t i = 0; !r && i < out->page_count; i++) {
		bt_buf_clear(&out->line);
		bt_json_text(&out->line, i ? ",\n" : "\n");
		bt_line_page(&out->line, &pages[i].id, pages[i].at, pages[i].length);
		r = put_line(out, out->index);
	}
	return r ? r : put_text(out, out->index, "\n],\n");
}

/* One of the digests in the last line; section: what still covers these bytes themselves. */
static int put_digest(struct bt_classic_out *out, const char *key, struct bt_hasher *hasher, struct bt_hasher *section)
{
	struct bt_digest digest;

	if (bt_hasher_peek(hasher, &digest))
		return no_memory(out);
	bt_buf_clear(&out->line);
	bt_json_text(&out->line, key);
	bt_json_digest(&out->line, &digest);
	return put_line(out, section);
}

static int put_offsets(struct bt_classic_out *out)
{
	bt_buf_clear(&out->line);
	bt_line_offsets(&out->line, &out->sections);
	return put_line(out, out->open);
}

int bt_classic_out_end(struct bt_classic_out *out, const struct bt_buf *summary)
{
	int r = put_tree_index(out);

	out->sections.summary = out->size;
	if (!r)
		r = put_text(out, out->open, "\"summary\":");
	if (!r)
		r = put(out, out->open, summary->data, summary->length);
	if (!r)
		r = put_text(out, out->open, ",\n");
	if (!r)
		r = put_offsets(out);
	if (!r)
		r = put_digest(out, "\"index_sha256\":", out->index, out->open);
	if (!r)
		r = put_text(out, out->open, ",");
	if (!r)
		r = put_digest(out, "\"open_sha256\":", out->open, NULL);
	if (!r)
		r = put_text(out, NULL, ",");
	if (!r)
		r = put_digest(out, "\"file_sha256\":", out->whole, NULL);
	if (!r)
		r = put_text(out, NULL, "}}\n");
	return r ? r : flush(out);
}

void bt_classic_out_free(struct bt_classic_out *out)
{
	struct bt_hasher *hashers[] = {out->whole, out->index, out->open, out->page};

	for (size_t i = 0; i < sizeof(hashers) / sizeof(hashers[0]); i++) {
		if (hashers[i])
			bt_hasher_free(hashers[i]);
	}
	bt_buf_free(&out->pending);
	bt_buf_free(&out->line);
	bt_buf_free(&out->pages);
	bt_digest_set_free(&out->written);
}
