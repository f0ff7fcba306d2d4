/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "base/fail.h"
#include "base/vec.h"
#include "model/classic_parts.h"
#include "model/page.h"
#include <stdlib.h>
#include <string.h>

/* Order of paths in which a directory is followed by what lies in it: "/" before every other byte. */
static int compare_bytes(const struct bt_classic_path *a, const struct bt_classic_path *b)
{
	uint32_t shorter = a->length < b->length ? a->length : b->length;

	for (uint32_t i = 0; i < shorter; i++) {
		if (a->bytes[i] == b->bytes[i])
			continue;
		unsigned x = a->bytes[i] == '/' ? 0 : (unsigned char)a->bytes[i];
		unsigned y = b->bytes[i] == '/' ? 0 : (unsigned char)b->bytes[i];
		return x < y ? -1 : 1;
	}
	return a->length < b->length ? -1 : a->length > b->length;
}

static int compare_paths(const void *left, const void *right)
{
	const struct bt_classic_path *a = left, *b = right;
	int order = compare_bytes(a, b);

	return order ? order : a->at < b->at ? -1 : a->at > b->at;
}

static int compare_contents(const void *left, const void *right)
{
	const struct bt_classic_content *a = left, *b = right;
	int order = bt_digest_compare(&a->digest, &b->digest);

	return order ? order : a->at < b->at ? -1 : a->at > b->at;
}

static int find_content(const void *key, const void *element)
{
	return bt_digest_compare(key, &((const struct bt_classic_content *)element)->digest);
}

static int refuse(struct bt_classic *classic, enum bt_reason reason, uint64_t at)
{
	return bt_fail_damaged(classic->error, reason, classic->name, at);
}

static int check_neighbours(struct bt_classic *classic)
{
	const struct bt_classic_content *contents = bt_classic_contents(classic);

	for (size_t i = 1; i < classic->content_count; i++) {
		if (bt_digest_equal(&contents[i - 1].digest, &contents[i].digest))
			return refuse(classic, BT_R_DUPLICATE_KEY, contents[i].at);
	}
	const struct bt_classic_path *paths = bt_classic_paths(classic);
	for (size_t i = 1; i < classic->path_count; i++) {
		const struct bt_classic_path *a = &paths[i - 1], *b = &paths[i];

		if (a->length > b->length || memcmp(a->bytes, b->bytes, a->length) != 0)
			continue;
		if (a->length == b->length)
			return refuse(classic, BT_R_DUPLICATE_KEY, b->at);
		if (b->bytes[a->length] == '/') /* a file and a directory */
			return refuse(classic, BT_R_BAD_TARGET, a->at > b->at ? a->at : b->at);
	}
	return 0;
}

int bt_classic_sort(struct bt_classic *classic, struct bt_buf *target)
{
	struct bt_classic_path *paths = bt_classic_paths(classic);

	if (classic->content_count)
		qsort(classic->contents.data, classic->content_count, sizeof(struct bt_classic_content),
		      compare_contents);
	if (classic->path_count)
		qsort(paths, classic->path_count, sizeof(*paths), compare_paths);
	int r = check_neighbours(classic);
	if (r || !classic->path_count)
		return r;
	/* All paths have in common what the first and the last have. */
	const struct bt_classic_path *first = &paths[0], *last = &paths[classic->path_count - 1];
	if (first->bytes[0] == '/' && last->bytes[0] != '/')
		return refuse(classic, BT_R_BAD_TARGET, last->at);
	uint32_t common = 0, prefix = 0;
	while (common < first->length && common < last->length && first->bytes[common] == last->bytes[common]) {
		if (first->bytes[common++] == '/')
			prefix = common;
	}
	if (bt_buf_append(target, first->bytes, prefix))
		return bt_fail(classic->error, BT_E_NOMEM, classic->name, "read");
	return 0;
}

/* A directory that is being written: its entries go to its builder, its own to the one before. */
struct level {
	struct bt_page_builder builder;
	const char *name;
	uint32_t name_length;
};

struct tree {
	struct bt_classic *classic;
	struct bt_classic_out *out;
	struct bt_snapshot_info *info;
	struct level *levels; /* all that were ever open: builders are used again */
	size_t depth, capacity;
	struct bt_buf chunks, line;
};

static int no_memory(struct tree *tree)
{
	return bt_fail(tree->classic->error, BT_E_NOMEM, tree->classic->name, "read");
}

/* The builder tells only that it failed: out has filled the error unless memory ran out. */
static int built(struct tree *tree, int result)
{
	return result ? bt_fail(tree->classic->error, (enum bt_code)result, tree->classic->name, "write") : 0;
}

static int push(struct tree *tree, const char *name, uint32_t length)
{
	size_t had = tree->capacity;

	if (bt_vec_room(tree->levels, tree->depth, tree->capacity))
		return no_memory(tree);
	memset(tree->levels + had, 0, (tree->capacity - had) * sizeof(*tree->levels));
	struct level *level = &tree->levels[tree->depth++];
	level->builder.arg = tree->out;
	level->builder.emit = bt_classic_out_page;
	level->name = name;
	level->name_length = length;
	tree->info->directories++;
	return 0;
}

/* What all entries share. */
static struct bt_entry plain_entry(const struct tree *tree, uint8_t type, const char *name, uint32_t length)
{
	const struct bt_entry *root = &tree->info->root;

	return (struct bt_entry){
		.name = name,
		.name_length = (uint16_t)length,
		.type = type,
		.mode = type == BT_DIR ? 0755 : 0644,
		.mtime = root->mtime,
		.uid = root->uid,
		.gid = root->gid,
	};
}

/* Closes the last directory; its entry goes to the one before, or becomes the root. */
static int pop(struct tree *tree)
{
	struct level *level = &tree->levels[--tree->depth];
	struct bt_entry entry = plain_entry(tree, BT_DIR, level->name, level->name_length);
	int r = bt_classic_cancelled(tree->classic);

	if (!r)
		r = built(tree, bt_page_builder_finish(&level->builder, &entry.digest));
	if (r)
		return r;
	if (!tree->depth) {
		tree->info->root = entry;
		return 0;
	}
	return built(tree, bt_page_builder_add(&tree->levels[tree->depth - 1].builder, &entry));
}

static int list_chunks(struct tree *tree, const struct bt_classic_content *content)
{
	const struct bt_classic_piece *piece = bt_classic_pieces(tree->classic) + content->first_piece;

	tree->chunks.length = 0;
	for (size_t i = 0; i < content->piece_count; i++) {
		struct bt_chunk chunk = {.digest = piece[i].digest, .size = piece[i].size};

		if (bt_buf_append(&tree->chunks, &chunk, sizeof(chunk)))
			return no_memory(tree);
	}
	return 0;
}

/* The chunk pages of tree->chunks, written once for each content. */
static int write_chunk_pages(struct tree *tree, struct bt_classic_content *content)
{
	struct bt_buf pages = {0};
	const struct bt_chunk *chunks = (const void *)tree->chunks.data;
	size_t left = content->piece_count;
	int r = 0;

	while (!r && left) {
		struct bt_chunk page = {.size = 0};
		size_t count = bt_chunk_page_cut(chunks, left);

		for (size_t i = 0; i < count; i++)
			page.size += chunks[i].size;
		tree->line.length = 0;
		r = built(tree, bt_chunk_page_write(&tree->line, chunks, count));
		if (!r)
			r = bt_classic_out_page(tree->out, (const char *)tree->line.data, tree->line.length,
						&page.digest);
		if (!r && bt_buf_append(&pages, &page, sizeof(page)))
			r = no_memory(tree);
		chunks += count;
		left -= count;
	}
	if (!r) {
		content->chunk_pages = bt_arena_copy(&tree->classic->arena, pages.data, pages.length);
		content->chunk_page_count = (uint32_t)(pages.length / sizeof(struct bt_chunk));
		if (!content->chunk_pages)
			r = no_memory(tree);
	}
	bt_buf_free(&pages);
	return r;
}

static int describe_content(struct tree *tree, struct bt_classic_content *content, struct bt_extra *extra)
{
	int r = 0;

	if (content->piece_count <= 1)
		return 0;
	if (!content->chunk_page_count)
		r = list_chunks(tree, content);
	if (!r && !content->chunk_page_count && content->piece_count > BT_INLINE_CHUNKS)
		r = write_chunk_pages(tree, content);
	extra->chunk_pages = content->chunk_pages;
	extra->chunk_page_count = content->chunk_page_count;
	if (!content->chunk_page_count) {
		extra->has_chunks = true;
		extra->chunks = (const void *)tree->chunks.data;
		extra->chunk_count = (uint32_t)content->piece_count;
	}
	return r;
}

static int add_file(struct tree *tree, const struct bt_classic_path *path, const char *name, uint32_t length)
{
	struct bt_entry entry = plain_entry(tree, BT_FILE, name, length);
	struct bt_extra extra = {0};
	struct bt_classic_content *content = NULL;

	if (tree->classic->content_count)
		content = bsearch(&path->digest, tree->classic->contents.data, tree->classic->content_count,
				  sizeof(*content), find_content);
	tree->info->files++;
	if (!content || content->wrong) {
		extra.error = "EIO";
		entry.extra = &extra;
		tree->info->errors++;
	} else {
		int r = describe_content(tree, content, &extra);

		if (r)
			return r;
		entry.has_digest = true;
		entry.digest = content->digest;
		entry.size = content->size;
		if (content->piece_count > 1)
			entry.extra = &extra;
		tree->info->directory_size += content->size;
	}
	return built(tree, bt_page_builder_add(&tree->levels[tree->depth - 1].builder, &entry));
}

static bool same_level(const struct tree *tree, size_t depth, const char *name, uint32_t length)
{
	return depth < tree->depth && tree->levels[depth].name_length == length &&
	       memcmp(tree->levels[depth].name, name, length) == 0;
}

static const char *slash_in(const char *name, const char *end)
{
	return memchr(name, '/', (size_t)(end - name));
}

/* Closes and opens directories until the last open one is that of the path, and adds the file. */
static int add_path(struct tree *tree, const struct bt_classic_path *path, size_t prefix)
{
	const char *name = path->bytes + prefix, *end = path->bytes + path->length;
	size_t depth = 1;
	int r = 0;
	bool same = true;

	for (const char *slash = slash_in(name, end); slash; name = slash + 1, slash = slash_in(name, end), depth++) {
		uint32_t length = (uint32_t)(slash - name);

		if (same && same_level(tree, depth, name, length))
			continue;
		same = false;
		if (!bt_name_valid(name, length))
			return refuse(tree->classic, BT_R_BAD_NAME, path->at);
		while (!r && tree->depth > depth)
			r = pop(tree);
		if (!r)
			r = push(tree, name, length);
		if (r)
			return r;
	}
	if (!bt_name_valid(name, (size_t)(end - name)))
		return refuse(tree->classic, BT_R_BAD_NAME, path->at);
	while (!r && tree->depth > depth)
		r = pop(tree);
	return r ? r : add_file(tree, path, name, (uint32_t)(end - name));
}

int bt_classic_tree(struct bt_classic *classic, size_t prefix, struct bt_classic_out *out,
		    struct bt_snapshot_info *info)
{
	struct tree tree = {.classic = classic, .out = out, .info = info};
	const struct bt_classic_path *paths = bt_classic_paths(classic);
	int r = push(&tree, "", 0);

	for (size_t i = 0; !r && i < classic->path_count; i++)
		r = add_path(&tree, &paths[i], prefix);
	while (!r && tree.depth)
		r = pop(&tree);
	info->created = info->files;
	for (size_t i = 0; i < tree.capacity; i++)
		bt_page_builder_free(&tree.levels[i].builder);
	free(tree.levels);
	bt_buf_free(&tree.chunks);
	bt_buf_free(&tree.line);
	return r;
}
