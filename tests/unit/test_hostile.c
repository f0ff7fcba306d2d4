/* SPDX-License-Identifier: MIT */
/* Reads the broken snapshot files of tests/data/hostile (its directory is the argument) as a whole, and checks a store
 * of each: it must be refused for the reason that its name begins with. */
#include "base/fail.h"
#include "model/document.h"
#include "model/page.h"
#include "store/file.h"
#include "store/rest.h"
#include "store_samples.h"
#include <backuptool/check.h>

#include <dirent.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STRIDE 61
#else
#define STRIDE 1
#endif

static const char *directory;

struct reading {
	struct bt_file *file;
	struct bt_hasher *hasher;
	struct bt_decompressor *decompressor;
	struct bt_buf text, plain, line;
	struct bt_error *error;
	size_t contents, pages;
};

static int digest_must_be(struct reading *reading, const void *data, size_t size, const struct bt_digest *expected,
			  uint64_t offset)
{
	struct bt_digest digest;

	assert_int_equal(bt_hasher_digest(reading->hasher, data, size, &digest), 0);
	if (bt_digest_equal(&digest, expected))
		return 0;
	return bt_fail_damaged(reading->error, BT_R_DIGEST_MISMATCH, NULL, offset);
}

static int read_content(void *arg, const struct bt_block *block, const struct bt_digest *digest, uint32_t offset,
			uint32_t size)
{
	struct reading *reading = arg;
	int r;

	reading->contents++;
	reading->plain.length = 0;
	assert_int_equal(bt_buf_reserve(&reading->plain, block->size), 0);
	r = bt_file_block(reading->file, block, reading->decompressor, &reading->text, reading->plain.data,
			  reading->error);
	return r ? r : digest_must_be(reading, reading->plain.data + offset, size, digest, block->at);
}

static int read_page(void *arg, const struct bt_digest *id, uint64_t at, uint32_t length)
{
	struct reading *reading = arg;
	struct bt_page *page;
	size_t weight;
	int r;

	reading->pages++;
	reading->line.length = 0;
	assert_int_equal(bt_buf_reserve(&reading->line, length), 0);
	r = bt_file_pread(reading->file, reading->line.data, length, at, reading->error);
	if (!r)
		r = digest_must_be(reading, reading->line.data, length, id, at);
	if (!r)
		r = bt_page_parse((char *)reading->line.data, length, at, &page, &weight, reading->error);
	if (!r)
		bt_page_free(page);
	return r;
}

static int pass_content(void *arg, const struct bt_block *block, const struct bt_digest *digest, uint32_t offset,
			uint32_t size)
{
	return 0;
}

static int pass_page(void *arg, const struct bt_digest *id, uint64_t at, uint32_t length)
{
	return 0;
}

/* The lists are checked whole before anything is read from where they say. */
static int read_opened(struct reading *reading)
{
	const struct bt_index_visitor pass = {.content = pass_content, .page = pass_page},
				      visitor = {.arg = reading, .content = read_content, .page = read_page};
	struct bt_snapshot_info info;
	struct bt_arena arena = {0};
	int r = bt_document_read(reading->file, &arena, &info, reading->error);

	bt_arena_free(&arena);
	if (!r)
		r = bt_file_visit(reading->file, &pass, reading->error);
	if (!r)
		r = bt_file_visit(reading->file, &visitor, reading->error);
	return r ? r : bt_file_verify(reading->file, reading->error);
}

static bool lies_compressed(const char *name)
{
	return strstr(name, ".zst");
}

/* The whole file, as a snapshot, its pages, and its contents. */
static int read_file(const char *name, struct bt_error *error, size_t *ret_contents, size_t *ret_pages)
{
	struct reading reading = {.hasher = bt_hasher_new(), .decompressor = bt_decompressor_new(), .error = error};
	char path[4096];
	struct bt_object *object;
	struct bt_rest rest;
	int fd, r;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0 && reading.hasher && reading.decompressor);
	assert_int_equal(bt_rest_init(&rest), 0);
	assert_int_equal(bt_object_of_fd(fd, name, &object, NULL), 0);
	r = lies_compressed(name) ? bt_rest_open(&rest, object, name, false, &object, error) : 0;
	if (!r)
		r = bt_file_open(object, name, &reading.file, error);
	if (!r) {
		r = read_opened(&reading);
		bt_error_in_file(error, name, 0);
		bt_file_free(reading.file);
	}
	bt_rest_destroy(&rest);
	*ret_contents = reading.contents;
	*ret_pages = reading.pages;
	bt_hasher_free(reading.hasher);
	bt_decompressor_free(reading.decompressor);
	bt_buf_free(&reading.text);
	bt_buf_free(&reading.plain);
	bt_buf_free(&reading.line);
	return r;
}

static void note_first(void *arg, const struct bt_finding *finding)
{
	struct bt_error *error = arg;

	if (!error->code)
		*error = *finding->error;
}

/* Pages may fit their own digests and not each other: that shows in the tree that they make. */
static int check_tree(const char *name, struct bt_error *error)
{
	const struct bt_check_options serial = {.size = sizeof(serial), .threads = 1};
	struct sample sample = sample_new();
	struct bt_store *store;
	size_t size;
	int from = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	unsigned char *data = sample_read(from, name, &size);

	sample_write(sample.dirfd, lies_compressed(name) ? SNAPSHOT BT_REST_SUFFIX : SNAPSHOT, data, size);
	assert_int_equal(bt_store_open(sample.path, NULL, &store, NULL), 0);
	int r = bt_check(store, &serial, note_first, error, NULL, NULL, NULL);
	bt_store_close(store);
	sample_free(&sample);
	free(data);
	close(from);
	return r;
}

static enum bt_reason reason_of(const char *name)
{
	size_t length = strcspn(name, "_.");

	for (int reason = 0; reason < BT_REASONS; reason++) {
		const char *text = bt_reason_name((enum bt_reason)reason);

		if (strlen(text) == length && !strncmp(text, name, length))
			return (enum bt_reason)reason;
	}
	fail_msg("%s is named after no reason", name);
	return BT_R_NONE;
}

static bool is_refused(const char *name, int r, const struct bt_error *error)
{
	bool newer = error->reason == BT_R_UNKNOWN_NEED || error->reason == BT_R_UNKNOWN_VERSION;

	if ((r == BT_E_DAMAGED || (newer && r == BT_E_INCOMPLETE)) && error->code == BT_E_DAMAGED &&
	    error->reason == reason_of(name))
		return true;
	print_error("%s: %d %s at %lld of %s\n", name, r, bt_reason_name(error->reason), (long long)error->offset,
		    error->file);
	return false;
}

/* Returns whether it is as its name says. */
static bool check_file(const char *name, bool seen[BT_REASONS])
{
	bool lies = strstr(name, "_index-page") || strstr(name, "_chunk-page") || strstr(name, "_names-page") ||
		    strstr(name, "_whole");
	struct bt_error read_error = {0}, error = {0};
	size_t contents, pages;
	int read = read_file(name, &read_error, &contents, &pages), r = check_tree(name, &error);

	seen[reason_of(name)] = true;
	if (reason_of(name) == BT_R_NONE)
		return read == 0 && !r && contents == 3 && pages >= 2;
	if (!(lies && !read) && !(is_refused(name, read, &read_error) && strstr(read_error.file, name)))
		return false;
	return is_refused(name, r, &error);
}

/* Reasons that concern more than one file, another file than a snapshot, or one that changes while it is open. */
static bool has_no_file(int reason)
{
	return reason == BT_R_MISSING_PAGE || reason == BT_R_MISSING_CONTENT || reason == BT_R_CHANGED ||
	       reason == BT_R_BAD_ID || reason == BT_R_NOT_A_FILE;
}

static void test_broken_files_are_refused_for_their_reason(void **state)
{
	DIR *dir = opendir(directory);
	bool seen[BT_REASONS] = {0};
	struct dirent *entry;
	int wrong = 0;

	assert_non_null(dir);
	for (entry = readdir(dir); entry; entry = readdir(dir))
		if (entry->d_name[0] != '.')
			wrong += !check_file(entry->d_name, seen);
	closedir(dir);
	assert_int_equal(wrong, 0);
	for (int reason = 0; reason < BT_REASONS; reason++)
		if (!seen[reason] && !has_no_file(reason))
			fail_msg("no file for %s", bt_reason_name((enum bt_reason)reason));
}

static int check_store(const char *path)
{
	const struct bt_store_options how = {.size = sizeof(how), .read_only = true};
	const struct bt_check_options serial = {.size = sizeof(serial), .threads = 1};
	struct bt_store *store;

	assert_int_equal(bt_store_open(path, &how, &store, NULL), 0);
	int r = bt_check(store, &serial, NULL, NULL, NULL, NULL, NULL);
	bt_store_close(store);
	return r;
}

/* Of files with several blocks, contents and pages, which are all right as they are. */
static void flip_every_bit(const char *name)
{
	struct sample sample = sample_new();
	size_t size;
	int from = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	unsigned char *data = sample_read(from, name, &size);

	sample_write(sample.dirfd, SNAPSHOT, data, size);
	int fd = openat(sample.dirfd, SNAPSHOT, O_RDWR | O_CLOEXEC);
	assert_int_equal(check_store(sample.path), 0);
	for (size_t bit = 0; bit < size * 8; bit += STRIDE) {
		unsigned char changed = data[bit / 8] ^ (unsigned char)(1 << bit % 8);

		assert_int_equal(pwrite(fd, &changed, 1, (off_t)(bit / 8)), 1);
		int r = check_store(sample.path);
		if (r != BT_E_DAMAGED && r != BT_E_INCOMPLETE) /* the version may have become a newer one */
			fail_msg("bit %zu of %s was not found", bit, name);
		assert_int_equal(pwrite(fd, &data[bit / 8], 1, (off_t)(bit / 8)), 1);
	}
	close(fd);
	sample_free(&sample);
	free(data);
	close(from);
}

static void test_every_bit(void **state)
{
	flip_every_bit("none.json");
	flip_every_bit("none_index-page.json");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_broken_files_are_refused_for_their_reason),
		cmocka_unit_test(test_every_bit),
	};

	if (argc != 2)
		return 2;
	directory = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
