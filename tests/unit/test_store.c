/* SPDX-License-Identifier: MIT */
/* A store: what makes one, and what is found in it as files come, go and are replaced. */
#include "remote_backend.h"
#include "store_opened.h"
#include <backuptool/view.h>
#include <errno.h>

static void test_open(void **state)
{
	SKIP_IF_REMOTE();

	struct sample sample = sample_new();
	struct bt_store *store;
	char path[128];

	snprintf(path, sizeof(path), "%s/new", sample.path);
	assert_int_equal(bt_store_open_with(path, NULL, NULL, &store, NULL), BT_E_NO_STORE);
	struct bt_store_options create = {.size = sizeof(create), .create = true};
	assert_int_equal(bt_store_open_with(path, &create, NULL, &store, NULL), 0);
	struct stat st;
	assert_int_equal(fstat(bt_store_local_fd(store), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(bt_store_snapshot_count(store), 0);
	assert_null(bt_store_snapshot_name(store, 0));
	bt_store_close(store);
	struct bt_store_options read_only = {.size = sizeof(read_only), .create = true, .read_only = true};
	snprintf(path, sizeof(path), "%s/other", sample.path);
	assert_int_equal(bt_store_open_with(path, &read_only, NULL, &store, NULL), BT_E_NO_STORE);
	sample_write(sample.dirfd, "plain", "", 0);
	snprintf(path, sizeof(path), "%s/plain", sample.path);
	struct bt_error error = {0};
	assert_int_equal(bt_store_open_with(path, NULL, NULL, &store, &error), BT_E_NO_STORE);
	assert_int_equal(error.sys, ENOTDIR);
	error = (struct bt_error){0};
	assert_int_equal(bt_store_open_with(path, &create, NULL, &store, &error), BT_E_NO_STORE);
	assert_int_equal(error.sys, ENOTDIR);
	sample_free(&sample);
}

static void assert_store(const struct sample *sample, int expected, const char *mark)
{
	struct bt_store *store = NULL;
	int code = bt_store_open_with(sample->path, NULL, NULL, &store, NULL);

	bt_store_close(store);
	if (code != expected)
		fail_msg("%s: %d", mark, code);
}

/* What makes a directory a store. */
static void test_no_store(void **state)
{
	static const char *const files[] = {"lock", SNAPSHOT};
	struct sample sample = sample_new();
	struct bt_store *store;
	const struct bt_store_options nothing_made = {.size = sizeof(nothing_made), .create = true, .read_only = true};

	assert_store(&sample, BT_E_NO_STORE, "empty");
	sample_write(sample.dirfd, "snapshot_of_something.json", "{}", 2);
	sample_write(sample.dirfd, "contents", "", 0);
	assert_int_equal(mkdirat(sample.dirfd, "lock", 0700), 0);
	assert_store(&sample, BT_E_NO_STORE, "others");
	assert_int_equal(bt_store_open_with(sample.path, &nothing_made, NULL, &store, NULL), 0);
	assert_int_equal(bt_store_snapshot_count(store), 0);
	bt_store_close(store);
	assert_int_equal(unlinkat(sample.dirfd, "contents", 0), 0);
	assert_int_equal(unlinkat(sample.dirfd, "lock", AT_REMOVEDIR), 0);
	for (size_t i = 0; i < 2; i++) {
		sample_write(sample.dirfd, files[i], "", 0);
		assert_store(&sample, 0, files[i]);
		assert_int_equal(unlinkat(sample.dirfd, files[i], 0), 0);
		assert_store(&sample, BT_E_NO_STORE, "others");
	}
	assert_int_equal(mkdirat(sample.dirfd, "contents", 0700), 0);
	assert_store(&sample, 0, "contents");
	sample_free(&sample);
}

static void write_snapshot(const struct sample *sample, const char *name)
{
	struct bt_writer *writer = sample_writer(sample->dirfd, SNAPSHOT_HEADER);

	sample_page(writer, "{\"entries\":[]}");
	sample_seal(writer, "{}", name);
	bt_writer_free(writer);
}

static void test_catalogue(void **state)
{
	static const char *const names[] = {
		"snapshot_2026-11-22T10-30-00Z-2.json", "snapshot_2026-11-22T10-30-00Z-10.json",
		"snapshot_2026-11-22T10-30-00Z.json",	"snapshot_2026-11-21T23-59-59Z.json",
		"snapshot_2027-01-01T00-00-00Z.json",	"snapshot_2026-11-22T10-30-00Z-1.json"};
	static const char *const sorted[] = {
		"snapshot_2026-11-21T23-59-59Z.json",	 "snapshot_2026-11-22T10-30-00Z.json",
		"snapshot_2026-11-22T10-30-00Z-1.json",	 "snapshot_2026-11-22T10-30-00Z-2.json",
		"snapshot_2026-11-22T10-30-00Z-10.json", "snapshot_2027-01-01T00-00-00Z.json"};
	struct sample sample = sample_new();

	for (size_t i = 0; i < 6; i++)
		write_snapshot(&sample, names[i]);
	sample_write(sample.dirfd, "snapshot_2026-11-22T10-30-00Z.json~", "x", 1);
	sample_write(sample.dirfd, "notes.txt", "x", 1);
	struct bt_store *store = open_store(&sample);
	assert_int_equal(bt_store_snapshot_count(store), 6);
	for (size_t i = 0; i < 6; i++) {
		uint32_t ordinal;

		assert_string_equal(bt_store_snapshot_name(store, i), sorted[i]);
		assert_int_equal(bt_store_file_named(store, sorted[i], &ordinal), 0);
		assert_string_equal(bt_store_file_id(store, ordinal)->name, sorted[i]);
		assert_true(bt_store_file_id(store, ordinal)->snapshot);
	}
	uint32_t ordinal;
	assert_int_equal(bt_store_file_named(store, "snapshot_2026-11-22T10-30-01Z.json", &ordinal), BT_E_NOT_FOUND);
	assert_int_equal(bt_store_file_named(store, "notes.txt", &ordinal), BT_E_NOT_FOUND);
	bt_store_close(store);
	sample_free(&sample);
}

/* What has the name of a snapshot is one that cannot be opened: whatever it is, it is not as good as absent. */
static void test_no_files(void **state)
{
	static const char *const names[] = {SNAPSHOT, "snapshot_2028-11-22T10-30-00Z.json",
					    "snapshot_2029-11-22T10-30-00Z.json"};
	static const char *const kinds[] = {"it is a directory", "it is a symbolic link", "it is a pipe"};
	struct sample sample = sample_new();

	write_snapshot(&sample, "snapshot_2026-11-21T23-59-59Z.json");
	assert_int_equal(mkdirat(sample.dirfd, names[0], 0700), 0);
	assert_int_equal(symlinkat("snapshot_2026-11-21T23-59-59Z.json", sample.dirfd, names[1]), 0);
	assert_int_equal(mkfifoat(sample.dirfd, names[2], 0600), 0);
	struct bt_store *store = open_store(&sample);
	assert_int_equal(bt_store_snapshot_count(store), 4);
	for (size_t i = 0; i < 3; i++) {
		struct bt_error error = {0};
		struct bt_file *file;
		uint32_t ordinal;

		assert_string_equal(bt_store_snapshot_name(store, i + 1), names[i]);
		assert_int_equal(bt_store_file_named(store, names[i], &ordinal), 0);
		assert_int_equal(bt_store_file(store, ordinal, &file, &error), BT_E_DAMAGED);
		assert_int_equal(error.reason, BT_R_NOT_A_FILE);
		assert_string_equal(error.file, names[i]);
		assert_string_equal(error.detail, kinds[i]);
	}
	unsigned version = bt_store_version(store);
	assert_int_equal(bt_store_refresh(store, NULL), 0);
	assert_int_equal(bt_store_version(store), version);
	bt_store_close(store);
	sample_free(&sample);
}

/* Neither of the directories in a store may lie elsewhere. */
static void test_directories_are_no_links(void **state)
{
	struct sample sample = sample_new(), outside = sample_new();

	write_snapshot(&sample, SNAPSHOT);
	sample_volume(&outside, VOLUME, 1, 1);
	char contents[80];
	snprintf(contents, sizeof(contents), "%s/contents", outside.path);
	assert_int_equal(symlinkat(contents, sample.dirfd, "contents"), 0);
	assert_int_equal(symlinkat(outside.path, sample.dirfd, "cache"), 0);
	struct bt_store *store;
	struct bt_error error = {0};
	assert_int_equal(bt_store_open_with(sample.path, NULL, NULL, &store, &error), BT_E_UNSUPPORTED);
	assert_string_equal(error.file, "contents");
	const struct bt_store_options salvage = {.size = sizeof(salvage), .salvage = true};
	assert_int_equal(bt_store_open_with(sample.path, &salvage, NULL, &store, NULL), 0);
	assert_int_equal(bt_store_file_count(store), 1);
	error = (struct bt_error){0};
	assert_int_equal(bt_backend_reach(store->backend, BT_AREA_CONTENTS, &error), BT_E_UNSUPPORTED);
	assert_string_equal(error.file, "contents");
	assert_int_equal(bt_store_local_cache_fd(store), -1);
	bt_store_close(store);
	sample_free(&sample);
	sample_free(&outside);
}

static bool is_decoded(struct bt_store *store, const struct bt_digest *digest, uint64_t size)
{
	struct bt_pin pin;

	if (bt_store_pin(store, digest, size, BT_SLICE_DECODED, &pin, NULL))
		return false;
	assert_int_equal(pin.size, size);
	bt_store_unpin(store, &pin);
	return true;
}

static void test_contents_and_pages(void **state)
{
	struct sample sample = sample_new();
	struct bt_writer *writer = write_small(sample.dirfd, SNAPSHOT_HEADER);

	sample_seal(writer, "{}", SNAPSHOT);
	bt_writer_free(writer);
	sample_volume(&sample, VOLUME, 1000, 2500);
	struct bt_store *store = open_store(&sample);
	assert_content(store, 1, 50);
	assert_content(store, 3, 50);
	assert_content(store, 10, 200);
	assert_content(store, 1000, 8);
	assert_content(store, 3499, 8);
	assert_content(store, 3499, 8);
	struct bt_error error = {0};
	assert_int_equal(try_content(store, 4000, 8, &error), BT_E_DAMAGED);
	assert_int_equal(error.reason, BT_R_MISSING_CONTENT);
	assert_int_equal(strlen(error.detail), 64);
	struct bt_digest digest = sample_content_digest(1, 50);
	struct bt_pin pin;
	error = (struct bt_error){0};
	assert_int_equal(bt_store_pin(store, &digest, 51, 0, &pin, &error), BT_E_DAMAGED);
	assert_int_equal(error.reason, BT_R_BAD_SIZE);

	struct bt_buf line = {0};
	struct bt_location location;
	struct bt_digest id = sample_digest("{\"entries\":[2,3]}", 17);
	assert_int_equal(bt_store_page(store, NULL, &id, &line, &location, NULL), 0);
	assert_int_equal(line.length, 17);
	assert_memory_equal(line.data, "{\"entries\":[2,3]}", 17);
	id.bytes[31] ^= 1;
	error = (struct bt_error){0};
	assert_int_equal(bt_store_page(store, NULL, &id, &line, &location, &error), BT_E_DAMAGED);
	assert_int_equal(error.reason, BT_R_MISSING_PAGE);
	/* a content is not a page, nor the other way round */
	assert_int_equal(bt_store_find(store, &digest, true, &location, NULL), BT_E_NOT_FOUND);
	assert_int_equal(bt_store_find(store, &digest, false, &location, NULL), 0);
	assert_true(is_decoded(store, &digest, 50));
	digest = sample_content_digest(2500, 8);
	assert_false(is_decoded(store, &digest, 8));
	bt_store_prefetch(store, &digest);
	assert_true(is_decoded(store, &digest, 8));
	bt_buf_free(&line);
	bt_store_close(store);
	sample_free(&sample);
}

static void test_add_and_refresh(void **state)
{
	struct sample sample = sample_new();
	struct bt_store *store = open_store(&sample), *other = open_store(&sample);
	struct bt_error error = {0};
	struct bt_digest digest = sample_content_digest(1, 50);
	struct bt_location location;

	assert_int_equal(bt_store_find(store, &digest, false, &location, NULL), BT_E_NOT_FOUND);
	assert_int_equal(bt_store_find(other, &digest, false, &location, NULL), BT_E_NOT_FOUND);
	struct bt_writer *writer = write_small(sample.dirfd, SNAPSHOT_HEADER);
	sample_seal(writer, "{}", SNAPSHOT);
	assert_int_equal(bt_store_add_file(store, SNAPSHOT, true, writer, &error), 0);
	bt_writer_free(writer);
	writer = sample_writer(contents_of(store), VOLUME_HEADER);
	sample_contents(writer, 20, 3, 10);
	sample_seal(writer, "{}", VOLUME);
	assert_int_equal(bt_store_add_file(store, VOLUME, false, writer, &error), 0);
	bt_writer_free(writer);
	assert_content(store, 1, 50);
	assert_content(store, 22, 10);
	uint32_t ordinal;
	assert_int_equal(bt_store_file_named(store, SNAPSHOT, &ordinal), 0);
	assert_int_equal(bt_store_file_named(other, SNAPSHOT, &ordinal), BT_E_NOT_FOUND);
	assert_int_equal(bt_store_refresh(store, NULL), 0);
	assert_int_equal(bt_store_refresh(other, NULL), 0);
	assert_int_equal(bt_store_snapshot_count(store), 1);
	assert_int_equal(bt_store_snapshot_count(other), 1);
	assert_int_equal(bt_store_file_count(store), 2);
	assert_int_equal(bt_store_file_count(other), 2);
	assert_content(store, 1, 50);
	assert_content(other, 1, 50);
	assert_content(other, 21, 10);

	/* gone, but open: still readable. Not opened: gone. */
	struct bt_store *late = open_store(&sample);
	assert_int_equal(unlinkat(sample.dirfd, SNAPSHOT, 0), 0);
	assert_int_equal(bt_store_refresh(other, NULL), 0);
	assert_int_equal(bt_store_refresh(late, NULL), 0);
	assert_int_equal(bt_store_snapshot_count(other), 0);
	assert_int_equal(bt_store_file_count(other), 2);
	assert_content(other, 2, 50);
	assert_content(other, 22, 10);
	assert_int_equal(try_content(late, 2, 50, &error), BT_E_DAMAGED);
	assert_int_equal(error.reason, BT_R_MISSING_CONTENT);
	assert_content(late, 22, 10);
	assert_int_equal(bt_store_damaged_count(late), 0);
	bt_store_close(late);
	bt_store_close(other);
	bt_store_close(store);
	sample_free(&sample);
}

/* A snapshot that is replaced under its name, or becomes a volume. */
static void test_replaced_and_moved(void **state)
{
	struct sample sample = sample_new();

	close(sample_contents_dir(&sample));
	struct bt_writer *writer = write_small(sample.dirfd, SNAPSHOT_HEADER);
	sample_seal(writer, "{}", SNAPSHOT);
	bt_writer_free(writer);
	struct bt_store *store = open_store(&sample);
	assert_content(store, 1, 50);
	assert_int_equal(renameat(sample.dirfd, SNAPSHOT, sample.dirfd, "contents/" VOLUME), 0);
	writer = sample_writer(sample.dirfd, SNAPSHOT_HEADER);
	sample_contents(writer, 77, 1, 30);
	sample_seal(writer, "{}", SNAPSHOT);
	bt_writer_free(writer);
	assert_int_equal(bt_store_refresh(store, NULL), 0);
	assert_int_equal(bt_store_file_count(store), 3);
	assert_true(bt_store_file_id(store, 0)->gone);
	assert_int_equal(bt_store_snapshot_count(store), 1);
	uint32_t ordinal;
	assert_int_equal(bt_store_file_named(store, SNAPSHOT, &ordinal), 0);
	assert_int_not_equal(ordinal, 0);
	assert_content(store, 1, 50);
	assert_content(store, 77, 30);
	bt_store_close(store);
	store = open_store(&sample);
	assert_content(store, 1, 50);
	assert_content(store, 77, 30);
	bt_store_close(store);
	sample_free(&sample);
}

static void test_lock(void **state)
{
	struct sample sample = sample_new();
	struct bt_store *store = open_store(&sample);
	int shared, again, alone;

	assert_int_equal(bt_store_lock(store, BT_LOCK_SHARED, NULL, &shared, NULL), 0);
	assert_int_equal(bt_store_lock(store, BT_LOCK_SHARED, NULL, &again, NULL), 0);
	assert_int_equal(bt_store_lock(store, BT_LOCK_EXCLUSIVE, NULL, &alone, NULL), BT_E_LOCKED);
	close(shared);
	close(again);
	assert_int_equal(bt_store_lock(store, BT_LOCK_EXCLUSIVE, NULL, &alone, NULL), 0);
	close(alone);
	bt_store_close(store);
	sample_free(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_no_store),
		cmocka_unit_test(test_catalogue),
		cmocka_unit_test(test_no_files),
		cmocka_unit_test(test_directories_are_no_links),
		cmocka_unit_test(test_contents_and_pages),
		cmocka_unit_test(test_add_and_refresh),
		cmocka_unit_test(test_replaced_and_moved),
		cmocka_unit_test(test_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
