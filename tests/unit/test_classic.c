/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the above first */
#include "base/bytes.h"
#include "base/io.h"
#include "codec/base64.h"
#include "codec/frame.h"
#include "codec/hash.h"
#include "model/classic.h"
#include "model/document.h"
#include "model/page.h"
#include "store/file.h"
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define EMPTY_DIGEST "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define HELLO_DIGEST "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" /* "hello" */
#define HELLO_BASE64 "aGVsbG8="
#define PIECE	     ((size_t)3 << 20)

/* A version 1 file and what was derived from it. */
struct derived {
	int source, out, result;
	struct bt_error error;
	struct bt_file *file;
	struct bt_arena arena;
	struct bt_snapshot_info info;
	struct located *pages, *contents;
	size_t page_count, content_count;
	struct bt_decompressor *decompressor;
	struct bt_buf text;
};

struct located {
	struct bt_digest digest;
	struct bt_block block;
};

static int memory_file(const void *data, size_t length)
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

/* Reads the derived file as any other: everything in it is checked. */
static void load(struct derived *derived)
{
	struct bt_index_visitor visitor = {derived, keep_content, keep_page};
	struct bt_error *error = &derived->error;
	int result = bt_file_open_classic(dup(derived->out), dup(derived->source), "test", &derived->file, error);
	if (!result)
		result = bt_document_read(derived->file, &derived->arena, &derived->info, error);
	if (!result)
		result = bt_file_visit(derived->file, &visitor, error);
	if (result) {
		char text[640];
		bt_error_text(error, text, sizeof(text));
		fail_msg("derived file refused: %s", text);
	}
	derived->decompressor = bt_decompressor_new();
}

static struct derived derive_fd(int source)
{
	struct derived derived = {.source = source, .out = memory_file("", 0)};
	derived.result = bt_classic_derive(source, "old.json", derived.out, NULL, &derived.error);
	if (derived.result)
		assert_int_equal(derived.result, derived.error.code);
	else
		load(&derived);
	return derived;
}

static struct derived derive(const char *text)
{
	return derive_fd(memory_file(text, strlen(text)));
}

static void drop(struct derived *derived)
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

static char *listing(struct derived *derived)
{
	struct bt_buf out = {0};
	assert_int_equal(derived->result, 0);
	list_tree(derived, &derived->info.root.digest, "", &out);
	bt_buf_append(&out, "", 1);
	return (char *)out.data;
}

static void assert_listing(const char *json, const char *target, const char *expected)
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

static char *data_path(const char *name)
{
	char *path = NULL, *here = strdup(__FILE__);
	*strrchr(here, '/') = 0;
	assert_true(asprintf(&path, "%s/../data/classic/%s", here, name) > 0);
	free(here);
	return path;
}

/* The manifest's lines that begin with the snapshot's name, without it. */
static char *manifest_of(const char *snapshot)
{
	char *path = data_path("manifest.txt"), *line = NULL;
	size_t size = 0;
	ssize_t length;
	struct bt_buf out = {0};
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	while ((length = getline(&line, &size, file)) > 0) {
		size_t skip = strlen(snapshot) + 1;
		if (strncmp(line, snapshot, skip - 1) == 0)
			bt_buf_append(&out, line + skip, (size_t)length - skip);
	}
	bt_buf_append(&out, "", 1);
	fclose(file);
	free(line);
	free(path);
	return (char *)out.data;
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted by lines, in place. */
static size_t sort_lines(char *text, char ***ret_lines)
{
	char **lines = NULL;
	size_t count = 0;
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		lines = reallocarray(lines, count + 1, sizeof(*lines));
		lines[count++] = line;
	}
	qsort(lines, count, sizeof(*lines), compare_lines);
	*ret_lines = lines;
	return count;
}

static void test_examples(void **state)
{
	static const char *const names[] = {"snapshot_2026-11-22T11-38-24.json", "snapshot_2026-11-22T11-38-44.json",
					    "snapshot_2026-11-22T11-38-45.json"};
	for (size_t i = 0; i < 3; i++) {
		char *path = data_path(names[i]), **found, **wanted;
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		assert_true(fd >= 0);
		assert_true(bt_classic_detect(fd));
		struct derived derived = derive_fd(fd);
		char *text = listing(&derived), *manifest = manifest_of(names[i]);
		size_t count = sort_lines(text, &found);
		assert_true(count > 30);
		assert_int_equal(count, sort_lines(manifest, &wanted));
		for (size_t k = 0; k < count; k++)
			assert_string_equal(found[k], wanted[k]);
		assert_int_equal(derived.info.files, count);
		assert_int_equal(derived.info.created, count);
		assert_int_equal(derived.info.errors, 0);
		assert_true(derived.info.classic);
		assert_true(bt_file_verify(derived.file, &derived.error) == 0);
		free(found);
		free(wanted);
		free(text);
		free(manifest);
		free(path);
		drop(&derived);
	}
}

#define CONTENTS    "\"file_contents\":{\"" HELLO_DIGEST "\":\"" HELLO_BASE64 "\",\"" EMPTY_DIGEST "\":\"\"}"
#define STAMP	    "\"timestamp\":\"2024-12-01T10-00-00\""
#define SIZES	    "\"directory_size\":5,\"snapshot_size\":5"
#define WITH(files) "{" STAMP ",\"files\":{" files "}," CONTENTS "," SIZES "}"
#define HELLO(path) "\"" path "\":\"" HELLO_DIGEST "\""
#define EMPTY(path) "\"" path "\":\"" EMPTY_DIGEST "\""

static void test_trees(void **state)
{
	assert_listing(WITH(HELLO("docs/a") "," EMPTY("docs/b/c")), "docs", HELLO_DIGEST " a\n" EMPTY_DIGEST " b/c\n");
	assert_listing(WITH(HELLO("../d/a") "," HELLO("../d/b")), "../d", HELLO_DIGEST " a\n" HELLO_DIGEST " b\n");
	assert_listing(WITH(HELLO("/a") "," HELLO("/b/c")), "/", HELLO_DIGEST " a\n" HELLO_DIGEST " b/c\n");
	assert_listing(WITH(HELLO("a") "," HELLO("b/c")), ".", HELLO_DIGEST " a\n" HELLO_DIGEST " b/c\n");
	assert_listing(WITH(HELLO("./a") "," HELLO("./b/c")), ".", HELLO_DIGEST " a\n" HELLO_DIGEST " b/c\n");
	assert_listing(WITH(HELLO("x//y/a") "," HELLO("x//y/b")), "x//y", HELLO_DIGEST " a\n" HELLO_DIGEST " b\n");
	assert_listing(WITH(HELLO("/home/me/only.txt")), "/home/me", HELLO_DIGEST " only.txt\n");
	assert_listing(WITH(""), ".", "");
	/* A common beginning of names is no common directory. */
	assert_listing(WITH(HELLO("d/ab") "," HELLO("d/ac")), "d", HELLO_DIGEST " ab\n" HELLO_DIGEST " ac\n");
	/* Names that sort between a directory's name and its slash. */
	assert_listing(WITH(HELLO("d/a-b") "," HELLO("d/a/x") "," HELLO("d/a.b/x") "," HELLO("d/a0")), "d",
		       HELLO_DIGEST " a/x\n" HELLO_DIGEST " a-b\n" HELLO_DIGEST " a.b/x\n" HELLO_DIGEST " a0\n");
	assert_listing(WITH(HELLO("a/b/c/d/e") "," HELLO("a/b/c2/d/e") "," HELLO("a/b/c/d2")), "a/b",
		       HELLO_DIGEST " c/d/e\n" HELLO_DIGEST " c/d2\n" HELLO_DIGEST " c2/d/e\n");
}

/* Directories of equal contents are one page. */
static void test_equal_directories(void **state)
{
	struct derived derived = derive(WITH(HELLO("a/x/f") "," HELLO("b/x/f") "," HELLO("c/x/f") "," HELLO("c/g")));
	assert_int_equal(derived.result, 0);
	assert_int_equal(derived.page_count, 4); /* x, a and b, c, the root */
	drop(&derived);
}

struct patience {
	unsigned asked, most;
};

static bool is_over(void *arg)
{
	struct patience *patience = arg;
	return patience->asked++ >= patience->most;
}

/* It can be ended wherever it asks. */
static void test_cancelled(void **state)
{
	static const char json[] = WITH(HELLO("a/f") "," HELLO("b/c/f"));
	int result = BT_E_CANCELLED;
	unsigned most;
	for (most = 0; result == BT_E_CANCELLED; most++) {
		struct patience patience = {.most = most};
		struct bt_observer observer = {.arg = &patience, .cancelled = is_over};
		struct bt_error error = {0};
		int source = memory_file(json, sizeof(json) - 1), out = memory_file("", 0);
		result = bt_classic_derive(source, "old.json", out, &observer, &error);
		assert_int_equal(result, error.code);
		close(source);
		close(out);
	}
	assert_int_equal(result, 0);
	assert_in_range(most, 6, 12);
}

static void test_names(void **state)
{
	assert_listing(WITH(HELLO("\\udcff\\udc80") "," HELLO("\\ud83d\\ude00") "," HELLO("\\u00e9\\/x")), ".",
		       HELLO_DIGEST " \xc3\xa9/x\n" HELLO_DIGEST " \xf0\x9f\x98\x80\n" HELLO_DIGEST " \xff\x80\n");
	assert_listing(WITH(HELLO("a\\\"\\\\\\b\\f\\r\\t\\u000a\xc3\xa9") "," HELLO("\\uDCC3x")), ".",
		       HELLO_DIGEST " a\"\\\b\f\r\t\n\xc3\xa9\n" HELLO_DIGEST " \xc3x\n");
}

static void test_order_and_space(void **state)
{
	static const char *const same[] = {
		WITH(HELLO("d/a") "," EMPTY("d/b")),
		"{" CONTENTS "," SIZES ",\"files\":{" EMPTY("d/b") "," HELLO("d/a") "}," STAMP "}",
		" \t\r\n{ \"more\" : [ 1 , -2.5e+3 , true , false , null , \"\\u0000\\n\" , { } , [ ] , {\"a\":[{}]} ] "
		",\n"
		"\"files\":{ " HELLO("d/a") " , \n" EMPTY("d/\\u0062") " } , " STAMP " , " CONTENTS " } \n\n",
	};
	struct bt_digest first = {0};
	for (size_t i = 0; i < 3; i++) {
		struct derived derived = derive(same[i]);
		assert_int_equal(derived.result, 0);
		assert_int_equal(derived.info.time.seconds, 1733047200);
		assert_int_equal(derived.info.directory_size, 5);
		assert_int_equal(derived.info.stored_size, 8);
		assert_int_equal(derived.info.directories, 1);
		assert_string_equal(derived.info.host, "");
		assert_int_equal(derived.info.root.mode, 0755);
		if (i)
			assert_memory_equal(&first, &derived.info.root.digest, sizeof(first));
		first = derived.info.root.digest;
		drop(&derived);
	}
}

static void test_wrong_contents(void **state)
{
	static const char *const texts[] = {
		"aGVsbG9=", /* tail bits */
		"aGVsbG8",
		"aGVsbG8==",
		"aGVs*G8=",
		"aGVsbG84",
		"aGVs bG8=",
		"aGVsbG8=aGVsbG8=",
		"aGVs\xff\xff\xff\xff",
		"a",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		char *json = NULL;
		assert_true(asprintf(&json,
				     "{" STAMP ",\"files\":{" HELLO("d/a") "," EMPTY(
					     "d/b") ",\"d/c\":\"%064d\"},"
						    "\"file_contents\":{\"" HELLO_DIGEST "\":\"%s\",\"" EMPTY_DIGEST
						    "\":\"\"}}",
				     0, texts[i]) > 0);
		assert_listing(json, "d", "EIO a\n" EMPTY_DIGEST " b\nEIO c\n");
		struct derived derived = derive(json);
		assert_int_equal(derived.info.errors, 2);
		assert_int_equal(derived.info.files, 3);
		assert_int_equal(derived.content_count, 0);
		drop(&derived);
		free(json);
	}
}

#define DEEP15 "[[[[[[[[[[[[[[["
#define END15  "]]]]]]]]]]]]]]]"
static const struct {
	const char *json;
	enum bt_reason reason;
	const char *at; /* the rest of the text from where it is refused; NULL: not looked at */
} hostile[] = {
	{"", BT_R_TRUNCATED, ""},
	{"\xef\xbb\xbf" WITH(""), BT_R_BYTE_ORDER_MARK, NULL},
	{"[]", BT_R_NOT_JSON, "[]"},
	{"{" STAMP "}x", BT_R_MISSING_KEY, "x"},
	{"{" STAMP ",\"files\":{}}", BT_R_MISSING_KEY, ""},
	{"{\"files\":{}," CONTENTS "}", BT_R_MISSING_KEY, ""},
	{"{" STAMP "," CONTENTS "}", BT_R_MISSING_KEY, ""},
	{WITH("") "x", BT_R_TRAILING_BYTES, "x"},
	{WITH("") "{}", BT_R_TRAILING_BYTES, "{}"},
	{"{" STAMP "," STAMP "}", BT_R_DUPLICATE_KEY, STAMP "}"},
	{"{\"files\":{},\"files\":{}}", BT_R_DUPLICATE_KEY, "\"files\":{}}"},
	{WITH(HELLO("a") "," HELLO("b") "," HELLO("a")), BT_R_DUPLICATE_KEY, NULL},
	{WITH(HELLO("a") "," HELLO("\\u0061")), BT_R_DUPLICATE_KEY, NULL},
	{"{" STAMP ",\"files\":{},\"file_contents\":{\"" EMPTY_DIGEST "\":\"\",\"" EMPTY_DIGEST "\":\"\"}}",
	 BT_R_DUPLICATE_KEY, "\"}}"},
	{"{" STAMP " \"files\":{}}", BT_R_NOT_JSON, "\"files\":{}}"},
	{"{" STAMP ",}", BT_R_NOT_JSON, "}"},
	{"{,}", BT_R_NOT_JSON, ",}"},
	{"{timestamp:1}", BT_R_NOT_JSON, NULL},
	{"{\"files\" {}}", BT_R_NOT_JSON, "{}}"},
	{"{'files':{}}", BT_R_NOT_JSON, NULL},
	{"{\"timestamp\":5}", BT_R_WRONG_TYPE, "5}"},
	{"{\"files\":[]}", BT_R_WRONG_TYPE, "[]}"},
	{"{\"files\":null}", BT_R_WRONG_TYPE, "null}"},
	{"{\"file_contents\":\"\"}", BT_R_WRONG_TYPE, NULL},
	{"{\"files\":}", BT_R_NOT_JSON, "}"},
	{"{\"files\":{\"a\":null}}", BT_R_WRONG_TYPE, "null}}"},
	{"{\"file_contents\":{\"" EMPTY_DIGEST "\":7}}", BT_R_WRONG_TYPE, "7}}"},
	{"{\"directory_size\":\"5\"}", BT_R_WRONG_TYPE, "\"5\"}"},
	{"{\"directory_size\":-5}", BT_R_BAD_NUMBER, NULL},
	{"{\"directory_size\":5.5}", BT_R_BAD_NUMBER, "5.5}"},
	{"{\"directory_size\":5e3}", BT_R_BAD_NUMBER, "5e3}"},
	{"{\"snapshot_size\":05}", BT_R_BAD_NUMBER, NULL},
	{"{\"snapshot_size\":18446744073709551616}", BT_R_BAD_NUMBER, NULL},
	{"{\"x\":01}", BT_R_BAD_NUMBER, NULL},
	{"{\"x\":1.}", BT_R_BAD_NUMBER, "}"},
	{"{\"x\":1e}", BT_R_BAD_NUMBER, "}"},
	{"{\"x\":-}", BT_R_BAD_NUMBER, "}"},
	{"{\"x\":+1}", BT_R_NOT_JSON, "+1}"},
	{"{\"x\":NaN}", BT_R_NOT_JSON, "NaN}"},
	{"{\"x\":trux}", BT_R_NOT_JSON, "x}"},
	{"{\"x\":[1,]}", BT_R_NOT_JSON, "]}"},
	{"{\"x\":[1 2]}", BT_R_NOT_JSON, "2]}"},
	{"{\"x\":[}", BT_R_NOT_JSON, "}"},
	{"{\"x\":{\"a\":1]}", BT_R_NOT_JSON, "]}"},
	{"{\"x\":" DEEP15 "[" END15 "]}", BT_R_TOO_DEEP, "[" END15 "]}"},
	{"{\"x\":\"a\x01\"}", BT_R_NOT_JSON, "\x01\"}"},
	{"{\"x\":\"\\x\"}", BT_R_BAD_ESCAPE, "\\x\"}"},
	{"{\"x\":\"\\u12g4\"}", BT_R_BAD_ESCAPE, "g4\"}"},
	{"{\"x\":\"\\ud800\"}", BT_R_BAD_UTF8, "\\ud800\"}"},
	{"{\"x\":\"\\ud800\\u0041\"}", BT_R_BAD_UTF8, NULL},
	{"{\"x\":\"\\ud800\\n\"}", BT_R_BAD_UTF8, NULL},
	{"{\"x\":\"\\udc7f\"}", BT_R_BAD_UTF8, NULL},
	{"{\"x\":\"\\udd00\"}", BT_R_BAD_UTF8, NULL},
	{"{\"x\":\"\xff\"}", BT_R_BAD_UTF8, "\xff\"}"},
	{"{\"x\":\"\xc0\x80\"}", BT_R_BAD_UTF8, NULL},
	{"{\"x\":\"\xed\xa0\x80\"}", BT_R_BAD_UTF8, NULL},
	{"{\"x\":\"\x80\"}", BT_R_BAD_UTF8, NULL},
	{"{\"timestamp\":\"2024-13-01T10-00-00\"}", BT_R_BAD_TIME, NULL},
	{"{\"timestamp\":\"2024-12-01T10:00:00\"}", BT_R_BAD_TIME, NULL},
	{"{\"timestamp\":\"\"}", BT_R_BAD_TIME, NULL},
	{"{\"files\":{\"a\":\"\"}}", BT_R_BAD_DIGEST, NULL},
	{"{\"files\":{\"a\":\"" EMPTY_DIGEST "0\"}}", BT_R_BAD_DIGEST, NULL},
	{"{\"files\":{\"a\":\"E3B0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}}", BT_R_BAD_DIGEST,
	 NULL},
	{"{\"file_contents\":{\"abc\":\"\"}}", BT_R_BAD_DIGEST, "\"abc\":\"\"}}"},
	{"{\"file_contents\":{\"" HELLO_DIGEST "\":\"aGVs\\u0062G8=\"}}", BT_R_BAD_ESCAPE, "\\u0062G8=\"}}"},
	{"{\"file_contents\":{\"" HELLO_DIGEST "\":\"aGVsbG8=\\/\"}}", BT_R_BAD_ESCAPE, "\\/\"}}"},
	{"{\"file_contents\":{\"" HELLO_DIGEST "\":\"aGVs\nbG8=\"}}", BT_R_NOT_JSON, "\nbG8=\"}}"},
	{"{\"file_contents\":{\"" HELLO_DIGEST "\":\"aGVsbG8=\n\"}}", BT_R_NOT_JSON, "\n\"}}"},
	{WITH(HELLO("")), BT_R_BAD_NAME, NULL},
	{WITH(HELLO("a\\u0000b")), BT_R_BAD_NAME, NULL},
	{WITH(HELLO("a/")), BT_R_BAD_NAME, NULL},
	{WITH(HELLO("..")), BT_R_BAD_NAME, NULL},
	{WITH(HELLO("a/x") "," HELLO("a/../b")), BT_R_BAD_NAME, NULL},
	{WITH(HELLO("a/x") "," HELLO("a/./b")), BT_R_BAD_NAME, NULL},
	{WITH(HELLO("a/x") "," HELLO("a//b")), BT_R_BAD_NAME, NULL},
	{WITH(HELLO("a/x") "," HELLO("../b")), BT_R_BAD_NAME, NULL},
	{WITH(HELLO("/a") "," HELLO("b")), BT_R_BAD_TARGET, NULL},
	{WITH(HELLO("d/a") "," HELLO("d/a/b")), BT_R_BAD_TARGET, NULL},
	{WITH(HELLO("d/a/b") "," HELLO("d/a-") "," HELLO("d/a")), BT_R_BAD_TARGET, NULL},
};

static void test_hostile(void **state)
{
	for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++) {
		const char *json = hostile[i].json;
		struct derived derived = derive(json);
		if (derived.result != BT_E_DAMAGED || derived.error.reason != hostile[i].reason)
			fail_msg("%s: %d %s", json, derived.result, bt_reason_name(derived.error.reason));
		if (hostile[i].at && derived.error.offset != strlen(json) - strlen(hostile[i].at))
			fail_msg("%s: refused at %llu", json, (unsigned long long)derived.error.offset);
		assert_string_equal(derived.error.file, "old.json");
		drop(&derived);
	}
}

static void test_long_names(void **state)
{
	struct bt_buf json = {0};
	char *name = malloc(256);
	memset(name, 'n', 256);
	for (size_t length = 255; length <= 256; length++) {
		json.length = 0;
		bt_buf_append(&json, "{" STAMP ",\"files\":{\"", strlen("{" STAMP ",\"files\":{\""));
		bt_buf_append(&json, name, length);
		bt_buf_append(&json, "\":\"" HELLO_DIGEST "\"}," CONTENTS "}",
			      strlen("\":\"" HELLO_DIGEST "\"}," CONTENTS "}") + 1);
		struct derived derived = derive((const char *)json.data);
		assert_int_equal(derived.result, length == 255 ? 0 : BT_E_DAMAGED);
		if (length == 256)
			assert_int_equal(derived.error.reason, BT_R_BAD_NAME);
		drop(&derived);
	}
	bt_buf_free(&json);
	free(name);
}

static void test_truncations(void **state)
{
	static const char json[] = WITH(HELLO("d/a\\n\\udcff\\ud83d\\ude00\xc3\xa9") "," EMPTY("d/b"));
	for (size_t length = 0; length < sizeof(json) - 1; length++) {
		struct derived derived = derive_fd(memory_file(json, length));
		assert_int_equal(derived.result, BT_E_DAMAGED);
		assert_int_equal(derived.error.reason, BT_R_TRUNCATED);
		drop(&derived);
	}
}

/* Every byte changed in every bit: it is refused, or what is shown is still true to its digests (load checks). */
static void test_flips(void **state)
{
	static const char json[] = WITH(HELLO("d/a") "," EMPTY("d/b"));
	char changed[sizeof(json)];
	for (size_t bit = 0; bit < (sizeof(json) - 1) * 8; bit++) {
		memcpy(changed, json, sizeof(json));
		changed[bit / 8] = (char)(changed[bit / 8] ^ 1 << bit % 8);
		struct derived derived = derive_fd(memory_file(changed, sizeof(json) - 1));
		if (!derived.result)
			free(listing(&derived));
		else
			assert_int_equal(derived.result, BT_E_DAMAGED);
		drop(&derived);
	}
}

static void test_detect(void **state)
{
	static const struct {
		const char *text;
		bool classic;
	} cases[] = {
		{"{\"timestamp\"", true},
		{"{\n    \"timestamp\"", true},
		{" {\"files\"", true},
		{"{\"format\":\"backuptool\",\"version\":2", false},
		{"{\"version\":2", false},
		{"", false},
		{"{", false},
		{"{}", false},
		{"[1]", false},
		{"\xef\xbb\xbf{\"files\"", false},
		{"hello", false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int fd = memory_file(cases[i].text, strlen(cases[i].text));
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		assert_int_equal(bt_classic_detect(fd), cases[i].classic);
		assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
		close(fd);
	}
}

static void write_text(FILE *file, const char *text)
{
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
}

/* One content of size bytes whose value depends on the place, in a file "big"; contents come first. */
static int large_source(uint64_t size, char hex[65])
{
	FILE *file = tmpfile();
	struct bt_hasher *hasher = bt_hasher_new();
	struct bt_digest digest;
	size_t step = 3 * 65536;
	unsigned char *data = malloc(step);
	char *text = malloc(BT_BASE64_SIZE(step));
	for (int pass = 0; pass < 2; pass++) {
		bt_hasher_start(hasher);
		for (uint64_t at = 0; at < size; at += step) {
			size_t length = size - at < step ? (size_t)(size - at) : step;
			memset(data, (int)(at / step % 251), length);
			bt_hasher_add(hasher, data, length);
			if (pass) {
				bt_base64_encode(text, data, length);
				assert_int_equal(fwrite(text, 1, BT_BASE64_SIZE(length), file), BT_BASE64_SIZE(length));
			}
		}
		bt_hasher_finish(hasher, &digest);
		bt_digest_text(&digest, hex);
		if (!pass) {
			write_text(file, "{\n    \"file_contents\": {\n        \"");
			write_text(file, hex);
			write_text(file, "\": \"");
		}
	}
	write_text(file, "\"}, \"files\": {\"d/big\": \"");
	write_text(file, hex);
	write_text(file, "\"}, " STAMP "}");
	assert_int_equal(fflush(file), 0);
	int fd = dup(fileno(file));
	fclose(file);
	bt_hasher_free(hasher);
	free(data);
	free(text);
	return fd;
}

static void test_pieces(void **state)
{
	static const uint64_t sizes[] = {1, 2, 3, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE - 1, 2 * PIECE, 2 * PIECE + 2};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		char hex[65], *expected = NULL;
		struct derived derived = derive_fd(large_source(sizes[i], hex));
		char *found = listing(&derived);
		assert_true(asprintf(&expected, "%s big\n", hex) > 0);
		assert_string_equal(found, expected);
		assert_int_equal(derived.content_count, (sizes[i] + PIECE - 1) / PIECE);
		assert_int_equal(derived.info.directory_size, sizes[i]);
		free(found);
		free(expected);
		drop(&derived);
	}
}

static long peak_kib(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

/* More than 64 pieces, so that chunk pages are needed; memory must not follow the content. */
static void test_large(void **state)
{
	char hex[65], *expected = NULL;
	int source = large_source(66 * PIECE + 5, hex);
	long before = peak_kib();
	struct derived derived = derive_fd(source);
	assert_true(peak_kib() - before < 24 << 10);
	char *found = listing(&derived);
	assert_true(asprintf(&expected, "%s big\n", hex) > 0);
	assert_string_equal(found, expected);
	assert_int_equal(derived.content_count, 67);
	free(found);
	free(expected);
	drop(&derived);
}

/* A file's digest is right and its content not: bit rot in the middle of a long one stays local to it. */
static void test_rot_in_large(void **state)
{
	char hex[65];
	int source = large_source(2 * PIECE, hex);
	assert_int_equal(pwrite(source, "Q", 1, (off_t)PIECE), 1);
	struct derived derived = derive_fd(source);
	char *found = listing(&derived);
	assert_string_equal(found, "EIO big\n");
	assert_int_equal(derived.content_count, 0);
	free(found);
	drop(&derived);
}

static void test_many_names(void **state)
{
	struct bt_buf json = {0};
	char line[160];
	size_t count = 5000;
	bt_buf_append(&json, "{" STAMP "," CONTENTS ",\"files\":{", strlen("{" STAMP "," CONTENTS ",\"files\":{"));
	for (size_t i = 0; i < count; i++) {
		/* In no order, in three directories. */
		size_t k = i * 3847 % count;
		int length =
			snprintf(line, sizeof(line), "%s\"r/%zu/f%zu\":\"" HELLO_DIGEST "\"", i ? "," : "", k % 3, k);
		bt_buf_append(&json, line, (size_t)length);
	}
	bt_buf_append(&json, "}}", 3);
	struct derived derived = derive((const char *)json.data);
	char *found = listing(&derived);
	size_t lines = 0;
	for (const char *at = found; (at = strchr(at, '\n')); at++)
		lines++;
	assert_int_equal(lines, count);
	assert_int_equal(derived.info.directories, 4);
	free(found);
	drop(&derived);
	bt_buf_free(&json);
}

static void test_deep(void **state)
{
	struct bt_buf json = {0};
	bt_buf_append(&json, "{" STAMP "," CONTENTS ",\"files\":{\"f\":\"" HELLO_DIGEST "\",\"",
		      strlen("{" STAMP "," CONTENTS ",\"files\":{\"f\":\"" HELLO_DIGEST "\",\""));
	for (int i = 0; i < 3000; i++)
		bt_buf_append(&json, "dd/", 3);
	bt_buf_append(&json, "x\":\"" HELLO_DIGEST "\"}}", strlen("x\":\"" HELLO_DIGEST "\"}}") + 1);
	struct derived derived = derive((const char *)json.data);
	assert_int_equal(derived.result, 0);
	assert_int_equal(derived.info.directories, 3001);
	assert_int_equal(derived.page_count, 3001);
	drop(&derived);
	bt_buf_free(&json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),       cmocka_unit_test(test_trees),
		cmocka_unit_test(test_names),	       cmocka_unit_test(test_order_and_space),
		cmocka_unit_test(test_wrong_contents), cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_long_names),     cmocka_unit_test(test_truncations),
		cmocka_unit_test(test_flips),	       cmocka_unit_test(test_detect),
		cmocka_unit_test(test_pieces),	       cmocka_unit_test(test_large),
		cmocka_unit_test(test_rot_in_large),   cmocka_unit_test(test_many_names),
		cmocka_unit_test(test_deep),	       cmocka_unit_test(test_equal_directories),
		cmocka_unit_test(test_cancelled),
	};
	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
