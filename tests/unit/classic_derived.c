/* SPDX-License-Identifier: MIT */
#include "classic_derived.h"

int memory_file(const void *data, size_t length)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(bt_write_all(fd, data, length), 0);
	return fd;
}

static int keep_content(void *arg, const struct bt_block *block, const struct bt_digest *digest, uint32_t offset,
			uint32_t size)
{
	struct derived *derived = arg;

	assert_int_equal(offset, 0);
	assert_int_equal(size, block->size);
	assert_true(block->plain);
	derived->contents = reallocarray(derived->contents, derived->content_count + 1, sizeof(*derived->contents));
	derived->contents[derived->content_count++] = (struct located){*digest, *block};
	return 0;
}

static int keep_page(void *arg, const struct bt_digest *id, uint64_t at, uint32_t length)
{
	struct derived *derived = arg;

	derived->pages = reallocarray(derived->pages, derived->page_count + 1, sizeof(*derived->pages));
	derived->pages[derived->page_count++] = (struct located){*id, {.at = at, .length = length}};
	return 0;
}

static struct bt_object *object_of(int fd)
{
	struct bt_object *object;

	assert_int_equal(bt_object_of_fd(dup(fd), "test", &object, NULL), 0);
	return object;
}

void load(struct derived *derived)
{
	struct bt_index_visitor visitor = {derived, keep_content, keep_page};
	struct bt_error *error = &derived->error;
	int r = bt_file_open_classic(object_of(derived->out), object_of(derived->source), "test", &derived->file,
				     error);

	if (!r)
		r = bt_document_read(derived->file, &derived->arena, &derived->info, error);
	if (!r)
		r = bt_file_visit(derived->file, &visitor, error);
	if (r) {
		char text[640];

		bt_error_text(error, text, sizeof(text));
		fail_msg("derived file refused: %s", text);
	}
	derived->decompressor = bt_decompressor_new();
}

struct derived derive_fd(int source)
{
	struct derived derived = {.source = source, .out = memory_file("", 0)};

	derived.result = bt_classic_derive(source, "old.json", derived.out, NULL, &derived.error);
	if (derived.result)
		assert_int_equal(derived.result, derived.error.code);
	else
		load(&derived);
	return derived;
}

struct derived derive(const char *text)
{
	return derive_fd(memory_file(text, strlen(text)));
}

void drop(struct derived *derived)
{
	if (derived->file)
		bt_file_free(derived->file);
	bt_arena_free(&derived->arena);
	bt_decompressor_free(derived->decompressor);
	bt_buf_free(&derived->text);
	free(derived->pages);
	free(derived->contents);
	close(derived->source);
	close(derived->out);
	*derived = (struct derived){0};
}

static struct bt_page *load_page(struct derived *derived, const struct bt_digest *id)
{
	for (size_t i = 0; i < derived->page_count; i++) {
		struct located *page = &derived->pages[i];
		struct bt_error error = {0};
		struct bt_page *parsed = NULL;
		size_t weight;

		if (!bt_digest_equal(&page->digest, id))
			continue;
		char *line = malloc(page->block.length);
		assert_int_equal(pread(derived->out, line, page->block.length, (off_t)page->block.at),
				 page->block.length);
		assert_int_equal(bt_page_parse(line, page->block.length, 0, &parsed, &weight, &error), 0);
		free(line);
		return parsed;
	}
	fail_msg("a page is missing");
	return NULL;
}

static void hash_content(struct derived *derived, const struct bt_digest *digest, uint64_t size,
			 struct bt_hasher *hasher)
{
	for (size_t i = 0; i < derived->content_count; i++) {
		struct located *content = &derived->contents[i];
		struct bt_error error = {0};
		struct bt_hasher *alone = bt_hasher_new();
		struct bt_digest found;

		if (!bt_digest_equal(&content->digest, digest)) {
			bt_hasher_free(alone);
			continue;
		}
		assert_int_equal(content->block.size, size);
		char *data = malloc(content->block.size);
		assert_int_equal(bt_file_block(derived->file, &content->block, derived->decompressor, &derived->text,
					       data, &error),
				 0);
		bt_hasher_add(hasher, data, content->block.size);
		bt_hasher_digest(alone, data, content->block.size, &found);
		assert_true(bt_digest_equal(&found, digest));
		bt_hasher_free(alone);
		free(data);
		return;
	}
	fail_msg("a content is missing");
}

static uint64_t hash_chunks(struct derived *derived, const struct bt_chunk *chunks, size_t count,
			    struct bt_hasher *hasher)
{
	uint64_t size = 0;

	for (size_t i = 0; i < count; i++) {
		hash_content(derived, &chunks[i].digest, chunks[i].size, hasher);
		size += chunks[i].size;
	}
	return size;
}

/* Reads the file's data by its pieces. */
static void check_content(struct derived *derived, const struct bt_entry *entry)
{
	struct bt_hasher *hasher = bt_hasher_new();
	struct bt_digest found;
	uint64_t size = 0;

	bt_hasher_start(hasher);
	const struct bt_extra *extra = entry->extra;
	if (!extra && entry->size) {
		hash_content(derived, &entry->digest, entry->size, hasher);
		size = entry->size;
	} else if (extra && extra->has_chunks) {
		size = hash_chunks(derived, extra->chunks, extra->chunk_count, hasher);
	} else if (extra) {
		for (size_t i = 0; i < extra->chunk_page_count; i++) {
			struct bt_page *page = load_page(derived, &extra->chunk_pages[i].digest);

			assert_int_equal(page->kind, BT_PAGE_CHUNKS);
			uint64_t bytes = hash_chunks(derived, page->chunks, page->count, hasher);
			assert_int_equal(bytes, extra->chunk_pages[i].size);
			size += bytes;
			bt_page_free(page);
		}
	}
	bt_hasher_finish(hasher, &found);
	assert_true(bt_digest_equal(&found, &entry->digest));
	assert_int_equal(size, entry->size);
	bt_hasher_free(hasher);
}

/* All files below tree as lines "sha256 path\n" (or the name of its error for the digest). Small trees only. */
static void list_tree(struct derived *derived, const struct bt_digest *tree, const char *above, struct bt_buf *out)
{
	struct bt_page *page = load_page(derived, tree);

	if (page->kind == BT_PAGE_LEAVES) {
		for (size_t i = 0; i < page->count; i++)
			list_tree(derived, &page->leaves[i].id, above, out);
		bt_page_free(page);
		return;
	}
	for (size_t i = 0; i < page->count; i++) {
		const struct bt_entry *entry = &page->entries[i];
		char hex[65], *path = NULL;

		assert_true(asprintf(&path, "%s%s%s", above, *above ? "/" : "", entry->name) > 0);
		assert_int_equal(entry->mtime.seconds, derived->info.time.seconds);
		assert_int_equal(entry->mode, entry->type == BT_DIR ? 0755 : 0644);
		if (entry->type == BT_DIR) {
			list_tree(derived, &entry->digest, path, out);
			free(path);
			continue;
		}
		assert_int_equal(entry->type, BT_FILE);
		if (entry->extra && entry->extra->error) {
			assert_int_equal(entry->size, 0);
			bt_buf_append(out, entry->extra->error, strlen(entry->extra->error));
		} else {
			check_content(derived, entry);
			bt_digest_text(&entry->digest, hex);
			bt_buf_append(out, hex, 64);
		}
		bt_buf_append(out, " ", 1);
		bt_buf_append(out, path, strlen(path));
		bt_buf_append(out, "\n", 1);
		free(path);
	}
	bt_page_free(page);
}

char *listing(struct derived *derived)
{
	struct bt_buf out = {0};

	assert_int_equal(derived->result, 0);
	list_tree(derived, &derived->info.root.digest, "", &out);
	bt_buf_append(&out, "", 1);
	return (char *)out.data;
}

void assert_listing(const char *json, const char *target, const char *expected)
{
	struct derived derived = derive(json);

	if (derived.result) {
		char text[640];

		bt_error_text(&derived.error, text, sizeof(text));
		fail_msg("%s: %s", json, text);
	}
	char *found = listing(&derived);
	assert_string_equal(found, expected);
	assert_string_equal(derived.info.target, target);
	free(found);
	drop(&derived);
}
