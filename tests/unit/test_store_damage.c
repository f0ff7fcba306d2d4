/* SPDX-License-Identifier: MIT */
/* Stores with damaged files: a right copy serves; without one there is an error, never wrong bytes. */
#include "store_opened.h"

static void test_damaged_file_is_left_out(void **state)
{
	struct sample sample = sample_new();

	sample_volume(&sample, VOLUME, 1000, 10);
	sample_volume(&sample, "ffeeddccbbaa99887766554433221100.json", 2000, 10);
	struct bt_writer *writer = write_small(sample.dirfd, SNAPSHOT_HEADER);
	sample_seal(writer, "{}", SNAPSHOT);
	bt_writer_free(writer);
	size_t size;
	unsigned char *data = sample_read(sample.dirfd, "contents/" VOLUME, &size);
	sample_write(sample.dirfd, "contents/" VOLUME, data, size / 2);
	free(data);
	struct bt_store *store = open_store(&sample);
	assert_content(store, 2005, 8);
	assert_content(store, 1, 50);
	struct bt_error error = {0};
	assert_int_equal(try_content(store, 1005, 8, &error), BT_E_DAMAGED);
	assert_int_equal(error.reason, BT_R_MISSING_CONTENT);
	assert_int_equal(bt_store_damaged_count(store), 1);
	assert_string_equal(bt_store_damaged(store, 0)->file, "contents/" VOLUME);
	assert_int_equal(bt_store_damaged(store, 0)->reason, BT_R_TRUNCATED);
	assert_null(bt_store_damaged(store, 1));
	assert_int_equal(bt_store_survey(store, NULL), 0);
	assert_int_equal(bt_store_damaged_count(store), 1);
	bt_store_close(store);
	sample_free(&sample);
}

/* Damage inside a block: the other file's copy serves; without one it is an error, never wrong bytes. */
static void test_second_copy(void **state)
{
	struct sample sample = sample_new();

	sample_volume(&sample, VOLUME, 1000, 10);
	size_t size;
	unsigned char *data = sample_read(sample.dirfd, "contents/" VOLUME, &size);
	char *block = memmem(data, size, "{\"zstd\":\"", 9);
	assert_non_null(block);
	block[40] = block[40] == 'A' ? 'B' : 'A';
	sample_write(sample.dirfd, "contents/" VOLUME, data, size);
	free(data);
	struct bt_store *store = open_store(&sample);
	struct bt_error error = {0};
	assert_int_equal(try_content(store, 1005, 8, &error), BT_E_DAMAGED);
	assert_string_equal(error.file, "contents/" VOLUME);
	sample_volume(&sample, "ffeeddccbbaa99887766554433221100.json", 1000, 10);
	assert_int_equal(bt_store_refresh(store, NULL), 0);
	assert_content(store, 1005, 8);
	bt_store_close(store);
	sample_free(&sample);
}

/* All digests of the file are right, but its lists state others than a content and a page have. */
static void test_lying_lists(void **state)
{
	static const char line[] = "{\"entries\":[]}";
	struct sample sample = sample_new();
	struct bt_writer *writer = sample_writer(sample.dirfd, SNAPSHOT_HEADER);
	struct bt_held held[] = {{sample_content_digest(1, 100), 100}, {sample_content_digest(2, 100), 100}};
	struct bt_digest id = sample_content_digest(3, 100);
	unsigned char *data = sample_bytes(1, 200);

	sample_block(writer, data, 200, held, 2);
	assert_int_equal(bt_writer_page(writer, line, strlen(line), &id, NULL), 0);
	sample_seal(writer, "{}", SNAPSHOT);
	bt_writer_free(writer);
	free(data);
	struct bt_store *store = open_store(&sample);
	struct bt_error errors[3] = {0};
	struct bt_location location;
	struct bt_buf page = {0};
	struct bt_file *file;
	assert_content(store, 1, 100);
	assert_int_equal(try_content(store, 2, 100, &errors[0]), BT_E_DAMAGED);
	assert_int_equal(bt_store_page(store, NULL, &id, &page, &location, &errors[1]), BT_E_DAMAGED);
	assert_int_equal(bt_store_file(store, 0, &file, NULL), 0);
	assert_int_equal(bt_file_verify(file, &errors[2]), BT_E_DAMAGED);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(errors[i].reason, BT_R_DIGEST_MISMATCH);
	bt_buf_free(&page);
	bt_store_close(store);
	sample_free(&sample);
}

/* Whatever one bit of a file does: what comes out is right, or nothing does. */
static void test_every_bit_through_the_store(void **state)
{
	struct sample sample = sample_new();
	struct bt_writer *writer = write_small(sample.dirfd, SNAPSHOT_HEADER);

	sample_seal(writer, "{}", SNAPSHOT);
	bt_writer_free(writer);
	size_t size;
	unsigned char *data = sample_read(sample.dirfd, SNAPSHOT, &size);
	int fd = openat(sample.dirfd, SNAPSHOT, O_RDWR | O_CLOEXEC);
	static const struct bt_store_options options = {.size = sizeof(options), .read_only = true};
	for (size_t i = 0; i < size; i++) {
		unsigned char changed = data[i] ^ (unsigned char)(1 << i % 8);

		assert_int_equal(pwrite(fd, &changed, 1, (off_t)i), 1);
		struct bt_store *store = open_store_with(&sample, &options);
		for (uint64_t seed = 1; seed <= 3; seed++)
			try_content(store, seed, 50, NULL);
		try_content(store, 10, 200, NULL);
		struct bt_buf line = {0};
		struct bt_location location;
		struct bt_digest id = sample_digest("{\"entries\":[]}", 14);
		if (!bt_store_page(store, NULL, &id, &line, &location, NULL))
			assert_memory_equal(line.data, "{\"entries\":[]}", 14);
		bt_buf_free(&line);
		bt_store_close(store);
		assert_int_equal(pwrite(fd, &data[i], 1, (off_t)i), 1);
	}
	close(fd);
	free(data);
	sample_free(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damaged_file_is_left_out),
		cmocka_unit_test(test_second_copy),
		cmocka_unit_test(test_lying_lists),
		cmocka_unit_test(test_every_bit_through_the_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
