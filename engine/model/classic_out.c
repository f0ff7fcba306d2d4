/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "base/fail.h"
#include "base/io.h"
#include "model/classic_parts.h"
#include "json/write.h"
#include <string.h>

#define PENDING_MAX ((size_t)256 << 10)

enum { BLOCKS, CONTENTS, TREES, TREE_INDEX, SUMMARY };

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
	out->sections[BLOCKS] = out->size;
	if (!r)
		r = put_text(out, NULL, "\"blocks\":[\n],\n");
	out->sections[CONTENTS] = out->size;
	return r ? r : put_text(out, out->index, "\"contents\":[");
}

int bt_classic_out_piece(struct bt_classic_out *out, const struct bt_classic_piece *piece)
{
	struct bt_buf *line = &out->line;
	bool first = out->size == out->sections[CONTENTS] + strlen("\"contents\":[");

	line->length = 0;
	int r = bt_json_text(line, first ? "\n{\"at\":" : ",\n{\"at\":");
	r |= bt_json_u64(line, piece->at);
	r |= bt_json_text(line, ",\"length\":");
	r |= bt_json_u64(line, piece->length);
	r |= bt_json_text(line, ",\"size\":");
	r |= bt_json_u64(line, piece->size);
	r |= bt_json_text(line, ",\"holds\":[[");
	r |= bt_json_digest(line, &piece->digest);
	r |= bt_json_text(line, ",");
	r |= bt_json_u64(line, piece->size);
	r |= bt_json_text(line, "]]}");
	return r ? no_memory(out) : put(out, out->index, line->data, line->length);
}

int bt_classic_out_trees(struct bt_classic_out *out)
{
	int r = put_text(out, out->index, "\n],\n");

	out->sections[TREES] = out->size;
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
	struct bt_buf *line = &out->line;
	int r = put_text(out, NULL, "\n],\n");

	out->sections[TREE_INDEX] = out->size;
	if (!r)
		r = put_text(out, out->index, "\"tree_index\":[");
	for (size_t i = 0; !r && i < out->page_count; i++) {
		line->length = 0;
		r = bt_json_text(line, i ? ",\n[" : "\n[");
		r |= bt_json_digest(line, &pages[i].id);
		r |= bt_json_text(line, ",");
		r |= bt_json_u64(line, pages[i].at);
		r |= bt_json_text(line, ",");
		r |= bt_json_u64(line, pages[i].length);
		r |= bt_json_text(line, "]");
		r = r ? no_memory(out) : put(out, out->index, line->data, line->length);
	}
	return r ? r : put_text(out, out->index, "\n],\n");
}

/* One of the digests in the last line; section: what still covers these bytes themselves. */
static int put_digest(struct bt_classic_out *out, const char *key, struct bt_hasher *hasher, struct bt_hasher *section)
{
	struct bt_digest digest;
	struct bt_buf *line = &out->line;

	line->length = 0;
	if (bt_hasher_peek(hasher, &digest) || bt_json_text(line, key) || bt_json_digest(line, &digest))
		return no_memory(out);
	return put(out, section, line->data, line->length);
}

static int put_offsets(struct bt_classic_out *out)
{
	static const char *const keys[] = {
		"\"end\":{\"blocks\":", ",\"contents\":", ",\"trees\":", ",\"tree_index\":", ",\"summary\":"};
	struct bt_buf *line = &out->line;
	int r = 0;

	line->length = 0;
	for (size_t i = 0; i < 5; i++) {
		r |= bt_json_text(line, keys[i]);
		r |= bt_json_u64(line, out->sections[i]);
	}
	return r ? no_memory(out) : put(out, out->open, line->data, line->length);
}

int bt_classic_out_end(struct bt_classic_out *out, const struct bt_buf *summary)
{
	int r = put_tree_index(out);

	out->sections[SUMMARY] = out->size;
	if (!r)
		r = put_text(out, out->open, "\"summary\":");
	if (!r)
		r = put(out, out->open, summary->data, summary->length);
	if (!r)
		r = put_text(out, out->open, ",\n");
	if (!r)
		r = put_offsets(out);
	if (!r)
		r = put_text(out, out->open, ",");
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
