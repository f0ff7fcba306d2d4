/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "model/lists.h"
#include "model/page.h"
#include "store/file.h"
#include "json/write.h"

#include <endian.h>
#include <string.h>

#define LEAF_OPEN  "{\"entries\":["
#define LEAF_CLOSE "]}"
#define LEAF_FRAME (sizeof(LEAF_OPEN) - 1 + sizeof(LEAF_CLOSE) - 1)
#define CUT_MASK   255 /* one name of 256 ends a leaf */

#define CHUNKS_LEAST  128 /* after these, one digest of CHUNKS_CUT_BY ends a page: 512 on average */
#define CHUNKS_CUT_BY 384

/* Where a leaf ends: after this length of text and number of entries. */
struct cut {
	size_t length, entries;
};

static void reset(struct bt_page_builder *builder)
{
	bt_buf_clear(&builder->leaf);
	bt_buf_clear(&builder->cuts);
	bt_buf_clear(&builder->index);
	bt_buf_clear(&builder->last);
	builder->leaf_entries = 0;
	builder->leaves = 0;
}

void bt_page_builder_free(struct bt_page_builder *builder)
{
	bt_buf_free(&builder->leaf);
	bt_buf_free(&builder->cuts);
	bt_buf_free(&builder->line);
	bt_buf_free(&builder->index);
	bt_buf_free(&builder->last);
	reset(builder);
}

static bool ends_leaf(const struct bt_entry *entry)
{
	return (bt_hash_bytes(entry->name, entry->name_length, 0) & CUT_MASK) == 0;
}

static int emit_list(struct bt_page_builder *builder, const char *open, const void *text, size_t length,
		     struct bt_digest *ret_id)
{
	struct bt_buf *line = &builder->line;

	bt_buf_clear(line);
	bt_json_text(line, open);
	bt_buf_append(line, text, length);
	bt_json_text(line, LEAF_CLOSE);
	if (line->failed)
		return BT_E_NOMEM;
	return builder->emit(builder->arg, (const char *)line->data, line->length, ret_id);
}

/* The leaf's line of the index page. Its name is spelled as in the first entry, which begins with it; the text searched
 * for cannot be part of a name, whose quotes are escaped. */
static int index_leaf(struct bt_page_builder *builder, const unsigned char *text, size_t length, size_t entries,
		      const struct bt_digest *id)
{
	static const char after[] = ",\"type\":";
	const unsigned char *end = memmem(text, length, after, sizeof(after) - 1);
	struct bt_buf *index = &builder->index;

	if (builder->leaves)
		bt_json_text(index, ",");
	bt_buf_append(index, text, (size_t)(end - text));
	bt_json_add_u64(index, ",\"entries\":", entries);
	bt_json_text(index, ",\"tree\":");
	bt_json_digest(index, id);
	bt_json_text(index, "}");
	builder->leaves++;
	return bt_buf_result(index);
}

/* Emits the entries from one cut to another as a leaf. */
static int emit_leaf(struct bt_page_builder *builder, const struct cut *from, const struct cut *to)
{
	size_t comma = from->length ? 1 : 0;
	const unsigned char *text = builder->leaf.data + from->length + comma;
	size_t length = to->length - from->length - comma;
	struct bt_digest id;
	int r = emit_list(builder, LEAF_OPEN, text, length, &id);

	return r ? r : index_leaf(builder, text, length, to->entries - from->entries, &id);
}

/* Emits what the cuts say and keeps the rest as the beginning of the next leaf. */
static int emit_cuts(struct bt_page_builder *builder)
{
	struct cut from = {0}, to;
	int r;

	for (size_t at = 0; at < builder->cuts.length; at += sizeof(to), from = to) {
		memcpy(&to, builder->cuts.data + at, sizeof(to));
		r = emit_leaf(builder, &from, &to);
		if (r)
			return r;
	}
	builder->cuts.length = 0;
	if (!from.length)
		return 0;
	from.length += from.length < builder->leaf.length;
	builder->leaf.length -= from.length;
	builder->leaf_entries -= from.entries;
	memmove(builder->leaf.data, builder->leaf.data + from.length, builder->leaf.length);
	return 0;
}

/* A leaf ends after the last entry added. */
static int cut_here(struct bt_page_builder *builder)
{
	struct cut here = {builder->leaf.length, builder->leaf_entries};

	return bt_buf_append(&builder->cuts, &here, sizeof(here));
}

static bool overflows(const struct bt_page_builder *builder)
{
	if (builder->leaf_entries < 2)
		return false;
	return builder->leaf_entries > BT_LEAF_ENTRIES || builder->leaf.length + LEAF_FRAME > BT_LEAF_TEXT;
}

/* The last entry, of this size, is too much for the leaf. If it is the first leaf, the directory has just proven
 * large, and the cuts noted so far become leaves. */
static int make_room(struct bt_page_builder *builder, size_t size)
{
	struct cut before;
	int r = emit_cuts(builder);

	if (r || !overflows(builder))
		return r;
	before = (struct cut){builder->leaf.length - size - 1, builder->leaf_entries - 1};
	r = bt_buf_append(&builder->cuts, &before, sizeof(before));
	return r ? r : emit_cuts(builder);
}

static bool may_follow(const struct bt_page_builder *builder, const struct bt_entry *entry)
{
	if (entry->type < BT_FILE || entry->type > BT_BLOCKDEV || !bt_name_valid(entry->name, entry->name_length))
		return false;
	return !builder->last.length || bt_name_compare((const char *)builder->last.data, builder->last.length,
							entry->name, entry->name_length) < 0;
}

/* Appends the entry's text, or leaves the builder as it was. */
static int append_entry(struct bt_page_builder *builder, const struct bt_entry *entry, size_t *ret_size)
{
	struct bt_buf *leaf = &builder->leaf;
	size_t before = leaf->length;
	int r = builder->leaf_entries ? bt_json_text(leaf, ",") : 0;

	if (!r)
		r = bt_entry_write(leaf, entry);
	*ret_size = leaf->length - before - (builder->leaf_entries ? 1 : 0);
	if (!r && *ret_size + LEAF_FRAME > BT_PAGE_MAX)
		r = BT_E_INVALID;
	if (!r) {
		builder->leaf_entries++;
		return 0;
	}
	leaf->length = before;
	leaf->failed = false;
	return r;
}

int bt_page_builder_add(struct bt_page_builder *builder, const struct bt_entry *entry)
{
	size_t size;
	int r;

	if (!may_follow(builder, entry))
		return BT_E_INVALID;
	r = append_entry(builder, entry, &size);
	if (r)
		return r;
	builder->last.length = 0;
	r = bt_buf_append(&builder->last, entry->name, entry->name_length);
	if (r)
		return r;
	r = overflows(builder) ? make_room(builder, size) : 0;
	if (r)
		return r;
	if (!ends_leaf(entry))
		return 0;
	r = cut_here(builder);
	return r || !builder->leaves ? r : emit_cuts(builder);
}

static int finish(struct bt_page_builder *builder, struct bt_digest *ret_tree)
{
	const struct bt_buf *leaf = &builder->leaf;
	int r = 0;

	if (!builder->leaves)
		return emit_list(builder, LEAF_OPEN, leaf->length ? leaf->data : (const void *)"", leaf->length,
				 ret_tree);
	if (builder->leaf_entries)
		r = cut_here(builder);
	if (!r)
		r = emit_cuts(builder);
	if (r)
		return r;
	if (builder->index.length + LEAF_FRAME > BT_PAGE_MAX)
		return BT_E_INVALID;
	return emit_list(builder, "{\"pages\":[", builder->index.data, builder->index.length, ret_tree);
}

int bt_page_builder_finish(struct bt_page_builder *builder, struct bt_digest *ret_tree)
{
	int r = finish(builder, ret_tree);

	reset(builder);
	return r;
}

int bt_chunk_page_write(struct bt_buf *out, const struct bt_chunk *chunks, size_t count)
{
	bt_json_text(out, "{\"chunks\":");
	bt_chunks_write(out, chunks, count);
	bt_json_text(out, "}");
	return bt_buf_result(out);
}

size_t bt_chunk_page_cut(const struct bt_chunk *chunks, size_t count)
{
	for (size_t i = CHUNKS_LEAST; i < count && i <= BT_CHUNK_PAGE_MAX; i++) {
		uint64_t bytes;

		memcpy(&bytes, chunks[i - 1].digest.bytes, sizeof(bytes));
		if (i == BT_CHUNK_PAGE_MAX || le64toh(bytes) % CHUNKS_CUT_BY == 0)
			return i;
	}
	return count;
}
