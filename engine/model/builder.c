/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "model/lists.h"
#include "model/page.h"
#include "store/file.h"
#include "json/write.h"

#include <endian.h>
#include <string.h>

#define LEAF_OPEN  "{\"entries\":["
#define INDEX_OPEN "{\"pages\":["
#define PAGE_CLOSE "]}"
#define LEAF_FRAME (sizeof(LEAF_OPEN) - 1 + sizeof(PAGE_CLOSE) - 1)

/* Of how many names one has which rank: see rank_of. */
#define RANK_BITS_NEXT 4
#define RANK_MAX       5
/* Least pages that a name of just its rank ends an index page after: few pages are much larger than others, so that one
 * change costs little. */
#define LEAST_PAGES    8

/* How leaves are cut: as above, of entries. */
struct sizes {
	unsigned rank_bits;
	size_t least, most;
};
static const struct sizes usual_leaves = {2, 16, BT_LEAF_ENTRIES}, wide_leaves = {3, 32, BT_LEAF_WIDE};

/* A leaf with this number of entries before it is wide. */
#define WIDE_FROM 2048

#define CHUNKS_LEAST  128 /* after these, one digest of CHUNKS_CUT_BY ends a page: 512 on average */
#define CHUNKS_CUT_BY 384

/* Where a leaf may end: after this length of text and number of entries, whose last name has this rank. */
struct cut {
	size_t length, entries;
	unsigned rank;
};

static void reset_level(struct bt_page_level *level)
{
	bt_buf_clear(&level->text);
	level->count = 0;
	level->entries = 0;
}

static void reset(struct bt_page_builder *builder)
{
	bt_buf_clear(&builder->leaf);
	bt_buf_clear(&builder->cuts);
	bt_buf_clear(&builder->last);
	for (unsigned i = 0; i < builder->height; i++)
		reset_level(&builder->levels[i]);
	builder->leaf_entries = 0;
	builder->passed = 0;
	builder->height = 0;
	builder->large = false;
}

void bt_page_builder_free(struct bt_page_builder *builder)
{
	bt_buf_free(&builder->leaf);
	bt_buf_free(&builder->cuts);
	bt_buf_free(&builder->line);
	bt_buf_free(&builder->last);
	for (unsigned i = 0; i < BT_DIR_LEVELS; i++)
		bt_buf_free(&builder->levels[i].text);
	reset(builder);
}

static int copy_text(struct bt_buf *to, const struct bt_buf *from)
{
	bt_buf_clear(to);
	return from->length ? bt_buf_append(to, from->data, from->length) : 0;
}

static int copy_level(struct bt_page_level *to, const struct bt_page_level *from)
{
	to->count = from->count;
	to->entries = from->entries;
	to->only = from->only;
	return copy_text(&to->text, &from->text);
}

int bt_page_builder_copy(struct bt_page_builder *to, const struct bt_page_builder *from)
{
	int r = copy_text(&to->leaf, &from->leaf);

	if (!r)
		r = copy_text(&to->cuts, &from->cuts);
	if (!r)
		r = copy_text(&to->last, &from->last);
	for (unsigned i = 0; i < from->height && !r; i++)
		r = copy_level(&to->levels[i], &from->levels[i]);
	to->leaf_entries = from->leaf_entries;
	to->passed = from->passed;
	to->height = from->height;
	to->large = from->large;
	if (r)
		reset(to);
	return r;
}

static const struct sizes *leaves_of(const struct bt_page_builder *builder)
{
	return builder->passed >= WIDE_FROM ? &wide_leaves : &usual_leaves;
}

/* How many levels of pages may end after this name. Most names end none. */
static unsigned rank_of(const struct bt_page_builder *builder, const struct bt_entry *entry)
{
	unsigned bits = leaves_of(builder)->rank_bits;
	uint64_t hash = bt_hash_bytes(entry->name, entry->name_length, 0);
	unsigned zeros = hash ? (unsigned)__builtin_ctzll(hash) : 64;

	if (zeros < bits)
		return 0;
	unsigned rank = 1 + (zeros - bits) / RANK_BITS_NEXT;
	return rank < RANK_MAX ? rank : RANK_MAX;
}

/* Whether a page of this level, leaves being 0, ends after a name of this rank. The rare names of higher rank end it
 * however short it is, so that what comes after them depends on nothing before. */
static bool ends(unsigned level, unsigned rank, size_t count, size_t least)
{
	unsigned own = level + 1 < RANK_MAX ? level + 1 : RANK_MAX;

	return rank > own || (rank == own && count >= least);
}

static bool leaf_ends(const struct bt_page_builder *builder, const struct cut *cut)
{
	return ends(0, cut->rank, cut->entries, leaves_of(builder)->least);
}

static int emit_list(struct bt_page_builder *builder, const char *open, const void *text, size_t length,
		     struct bt_digest *ret_id)
{
	struct bt_buf *line = &builder->line;

	bt_buf_clear(line);
	bt_json_text(line, open);
	bt_buf_append(line, text, length);
	bt_json_text(line, PAGE_CLOSE);
	if (line->failed)
		return BT_E_NOMEM;
	return builder->emit(builder->arg, (const char *)line->data, line->length, ret_id);
}

/* A page that was emitted, or the only one that a page would list. */
struct child {
	const unsigned char *text; /* its name is spelled as in what begins with it */
	size_t length;
	uint64_t entries;
	struct bt_digest id;
};

/* Adds the child's line to the index page of this level. The text searched for cannot be part of a name, whose quotes
 * are escaped. */
static int list_child(struct bt_page_builder *builder, unsigned number, const char *after_name,
		      const struct child *child)
{
	const unsigned char *end = memmem(child->text, child->length, after_name, strlen(after_name));
	struct bt_page_level *level = &builder->levels[number];
	struct bt_buf *text = &level->text;

	if (text->length)
		bt_json_text(text, ",");
	bt_buf_append(text, child->text, (size_t)(end - child->text));
	bt_json_add_u64(text, ",\"entries\":", child->entries);
	bt_json_text(text, ",\"tree\":");
	bt_json_digest(text, &child->id);
	bt_json_text(text, "}");
	level->count++;
	level->entries += child->entries;
	level->only = child->id;
	if (builder->height <= number)
		builder->height = number + 1;
	return level->entries > UINT32_MAX ? BT_E_INVALID : bt_buf_result(text);
}

/* Ends the index page of this level: the one above lists it. A page that would list one page is left out. */
static int end_index(struct bt_page_builder *builder, unsigned number)
{
	struct bt_page_level *level = &builder->levels[number];
	struct child child = {level->text.data, level->text.length, level->entries, level->only};
	int r = number + 1 < BT_DIR_LEVELS ? 0 : BT_E_INVALID;

	if (!r && level->count > 1)
		r = emit_list(builder, INDEX_OPEN, child.text, child.length, &child.id);
	if (!r)
		r = list_child(builder, number + 1, ",\"entries\":", &child);
	reset_level(level);
	return r;
}

/* Emits a leaf, and the index pages that end with it. */
static int emit_leaf(struct bt_page_builder *builder, const unsigned char *text, size_t length, const struct cut *cut)
{
	struct child child = {text, length, cut->entries, {{0}}};
	int r = emit_list(builder, LEAF_OPEN, text, length, &child.id);

	if (!r)
		r = list_child(builder, 0, ",\"type\":", &child);
	for (unsigned i = 0; !r; i++) {
		size_t count = builder->levels[i].count;

		if (count < BT_INDEX_PAGES && !ends(i + 1, cut->rank, count, LEAST_PAGES))
			break;
		r = end_index(builder, i);
	}
	return r;
}

/* Emits the beginning of the text as a leaf. What follows, after a comma, becomes the beginning of the next one. */
static int take_leaf(struct bt_page_builder *builder, const struct cut *cut)
{
	struct bt_buf *leaf = &builder->leaf;
	size_t taken = cut->length + (cut->length < leaf->length);
	int r = emit_leaf(builder, leaf->data, cut->length, cut);

	leaf->length -= taken;
	builder->leaf_entries -= cut->entries;
	builder->passed += cut->entries;
	memmove(leaf->data, leaf->data + taken, leaf->length);
	return r;
}

/* The directory has just proven large: the cuts noted so far become leaves. */
static int become_large(struct bt_page_builder *builder)
{
	size_t length = 0, entries = 0;
	int r = 0;

	builder->large = true;
	for (size_t at = 0; at < builder->cuts.length && !r; at += sizeof(struct cut)) {
		struct cut cut;

		memcpy(&cut, builder->cuts.data + at, sizeof(cut));
		cut.length -= length;
		cut.entries -= entries;
		if (!leaf_ends(builder, &cut))
			continue;
		length += cut.length + 1;
		entries += cut.entries;
		r = take_leaf(builder, &cut);
	}
	return r;
}

/* A leaf may end after the last entry added. */
static int cut_here(struct bt_page_builder *builder, unsigned rank)
{
	struct cut here = {builder->leaf.length, builder->leaf_entries, rank};

	if (!builder->large)
		return bt_buf_append(&builder->cuts, &here, sizeof(here));
	return leaf_ends(builder, &here) ? take_leaf(builder, &here) : 0;
}

static bool overflows(const struct bt_page_builder *builder)
{
	size_t most = builder->large ? leaves_of(builder)->most : BT_LEAF_ALONE;

	if (builder->leaf_entries < 2)
		return false;
	return builder->leaf_entries > most || builder->leaf.length + LEAF_FRAME > BT_LEAF_TEXT;
}

/* The last entry, of this size, is too much for the leaf. */
static int make_room(struct bt_page_builder *builder, size_t size)
{
	int r = builder->large ? 0 : become_large(builder);

	if (r || !overflows(builder))
		return r;
	return take_leaf(builder, &(struct cut){builder->leaf.length - size - 1, builder->leaf_entries - 1, 0});
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
	unsigned rank = rank_of(builder, entry);
	return r || !rank ? r : cut_here(builder, rank);
}

/* Ends all pages. The one that is alone on its level is the directory's. */
static int finish_levels(struct bt_page_builder *builder, struct bt_digest *ret_tree)
{
	int r = 0;

	for (unsigned i = 0; i + 1 < builder->height && !r; i++)
		if (builder->levels[i].count)
			r = end_index(builder, i);
	if (r)
		return r;
	const struct bt_page_level *top = &builder->levels[builder->height - 1];
	if (top->count > 1)
		return emit_list(builder, INDEX_OPEN, top->text.data, top->text.length, ret_tree);
	*ret_tree = top->only;
	return 0;
}

static int finish(struct bt_page_builder *builder, struct bt_digest *ret_tree)
{
	const struct bt_buf *leaf = &builder->leaf;
	int r = 0;

	if (!builder->large)
		return emit_list(builder, LEAF_OPEN, leaf->length ? leaf->data : (const void *)"", leaf->length,
				 ret_tree);
	if (builder->leaf_entries)
		r = take_leaf(builder, &(struct cut){leaf->length, builder->leaf_entries, 0});
	return r ? r : finish_levels(builder, ret_tree);
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
