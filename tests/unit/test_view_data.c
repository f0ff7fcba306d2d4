/* SPDX-License-Identifier: MIT */
/* The data of files. */
#include "view_scene.h"
#include <errno.h>
#include <internal/view.h>

/* Ranges of every kind, compared with what the file holds. */
static void check_data(struct bt_store *store, const struct bt_entry *file, const unsigned char *expected)
{
	size_t size = (size_t)file->size, got;
	unsigned char *data = malloc(size + 100);
	struct bt_error error = {0};

	assert_int_equal(bt_entry_pread(store, file, data, size + 100, 0, &got, &error), 0);
	assert_int_equal(got, size);
	assert_memory_equal(data, expected, size);
	for (uint64_t i = 0; i < 300; i++) {
		uint64_t offset = bt_mix64(i) % (size + 2), length = bt_mix64(i + 1000) % (i % 3 ? 50 : size + 1);
		size_t left = offset < size ? size - (size_t)offset : 0;

		assert_int_equal(bt_entry_pread(store, file, data, (size_t)length, offset, &got, NULL), 0);
		assert_int_equal(got, length < left ? length : left);
		assert_memory_equal(data, expected + (offset < size ? offset : 0), got);
	}
	for (uint64_t offset = 0; offset < size;) {
		struct bt_slice slice;

		assert_int_equal(bt_slice_start(store, file, offset, 0, &slice, NULL), 0);
		assert_true(slice.length > 0 && slice.length <= size - offset);
		if (slice.data)
			assert_memory_equal(slice.data, expected + offset, (size_t)slice.length);
		for (uint64_t i = 0; i < slice.length && !slice.data; i++)
			assert_int_equal(expected[offset + i], 0);
		offset += slice.length;
		bt_slice_end(store, &slice);
	}
	struct bt_slice slice;
	assert_int_equal(bt_slice_start(store, file, file->size, 0, &slice, NULL), 0);
	assert_int_equal(slice.length, 0);
	assert_null(slice.data);
	bt_slice_end(store, &slice);
	assert_int_equal(bt_slice_start(store, file, UINT64_MAX, 0, &slice, NULL), 0);
	assert_int_equal(slice.length, 0);
	free(data);
}

static bool is_decoded(struct bt_store *store, const struct bt_entry *file, uint64_t offset)
{
	struct bt_error error = {0};
	struct bt_slice slice;
	int r = bt_slice_start(store, file, offset, BT_SLICE_DECODED, &slice, &error);

	assert_int_equal(error.code, 0);
	if (r) {
		assert_int_equal(r, BT_E_NOT_FOUND);
		return false;
	}
	bt_slice_end(store, &slice);
	return true;
}

static void test_one_content(void **state)
{
	struct scene scene = scene_new();

	sample_contents(scene.writer, 1, 5, 1000);
	scene_seal(&scene);
	for (uint64_t seed = 1; seed <= 5; seed++) {
		unsigned char *data = sample_bytes(seed, 1000);
		struct bt_entry file = file_entry("f");
		uint64_t stored;

		file.size = 1000;
		file.digest = sample_digest(data, 1000);
		assert_int_equal(is_decoded(scene.store, &file, 5), seed > 1);
		check_data(scene.store, &file, data);
		assert_true(is_decoded(scene.store, &file, 5));
		assert_int_equal(bt_entry_stored(scene.store, &file, &stored, NULL), 0);
		assert_true(stored > 0 && stored < 2000);
		free(data);
	}
	struct bt_entry empty = file_entry("f");
	check_data(scene.store, &empty, (const unsigned char *)"");
	assert_true(is_decoded(scene.store, &empty, 0));
	scene_free(&scene);
}

static void test_chunks(void **state)
{
	struct scene scene = scene_new();
	struct bt_chunk chunks[64];
	struct bt_extra extra = {.chunks = chunks, .chunk_count = 64, .has_chunks = true};
	struct bt_entry file = file_entry("f");
	size_t size;
	unsigned char *data = put_chunks(&scene, chunks, 64, &size);

	scene_seal(&scene);
	file.size = size;
	file.extra = &extra;
	check_data(scene.store, &file, data);
	uint64_t stored;
	assert_int_equal(bt_entry_stored(scene.store, &file, &stored, NULL), 0);
	assert_true(stored >= size);
	free(data);
	scene_free(&scene);
}

static uint64_t sum_of(const struct bt_chunk *chunks, size_t count)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += chunks[i].size;
	return sum;
}

static void test_chunk_pages(void **state)
{
	struct scene scene = scene_new();
	struct bt_chunk chunks[300], pages[3];
	struct bt_extra extra = {.chunk_pages = pages, .chunk_page_count = 3};
	struct bt_entry file = file_entry("f");
	static const size_t cuts[] = {0, 1, 120, 300};
	size_t size;
	unsigned char *data = put_chunks(&scene, chunks, 300, &size);

	for (size_t i = 0; i < 3; i++) {
		size_t count = cuts[i + 1] - cuts[i];

		pages[i].digest = put_chunk_page(&scene, chunks + cuts[i], count);
		pages[i].size = sum_of(chunks + cuts[i], count);
	}
	scene_seal(&scene);
	file.size = size;
	file.extra = &extra;
	check_data(scene.store, &file, data);
	uint64_t stored;
	assert_int_equal(bt_entry_stored(scene.store, &file, &stored, NULL), 0);
	assert_true(stored >= size);
	/* the entry says one more than the page has */
	struct bt_error error = {0};
	struct bt_slice slice;
	pages[1].size++;
	file.size++;
	assert_int_equal(bt_slice_start(scene.store, &file, 10, 0, &slice, &error), BT_E_DAMAGED);
	assert_int_equal(error.reason, BT_R_BAD_SIZE);
	assert_string_equal(error.file, SNAPSHOT);
	free(data);
	scene_free(&scene);
}

static void test_holes(void **state)
{
	struct scene scene = scene_new();
	struct bt_chunk chunks[20];
	size_t data_size, size = 0, done = 0;
	unsigned char *data = put_chunks(&scene, chunks, 20, &data_size);

	scene_seal(&scene);
	struct bt_extent holes[] = {{0, 10}, {15, 1}, {100, 400}, {600, 5}, {900, 70}};
	const uint64_t sums[] = {10, 11, 411, 416, 486};
	/* the data with the holes put in */
	unsigned char *expected = calloc(1, data_size + 1000);
	for (size_t i = 0; i < 5; i++) {
		size_t part = (size_t)holes[i].offset - size;

		memcpy(expected + size, data + done, part);
		done += part;
		size = (size_t)(holes[i].offset + holes[i].length);
	}
	memcpy(expected + size, data + done, data_size - done);
	size += data_size - done;
	struct bt_extra extra = {.chunks = chunks,
				 .chunk_count = 20,
				 .has_chunks = true,
				 .holes = holes,
				 .hole_sums = sums,
				 .hole_count = 5};
	struct bt_entry file = file_entry("f");
	file.size = size;
	file.extra = &extra;
	check_data(scene.store, &file, expected);
	/* one hole at the end as well, and a file that is nothing else */
	struct bt_extent only = {0, 1000};
	struct bt_extra empty = {.has_chunks = true, .holes = &only, .hole_sums = &only.length, .hole_count = 1};
	file.size = 1000;
	file.extra = &empty;
	memset(expected, 0, 1000);
	check_data(scene.store, &file, expected);
	only.length = (uint64_t)1 << 62;
	file.size = (uint64_t)1 << 62;
	struct bt_slice slice;
	assert_int_equal(bt_slice_start(scene.store, &file, 5, 0, &slice, NULL), 0);
	assert_null(slice.data);
	assert_int_equal(slice.length, ((uint64_t)1 << 62) - 5);
	free(expected);
	free(data);
	scene_free(&scene);
}

static void assert_unreadable(struct scene *scene, const struct bt_entry *file, enum bt_code code,
			      enum bt_reason reason)
{
	struct bt_error error = {0};
	char byte = 'x';
	size_t got = 77;

	assert_int_equal(bt_entry_pread(scene->store, file, &byte, 1, 0, &got, &error), code);
	assert_string_equal(bt_reason_name(error.reason), bt_reason_name(reason));
	assert_int_equal(got, 77);
	assert_int_equal(byte, 'x');
}

static void test_wrong_entries(void **state)
{
	struct scene scene = scene_new();

	sample_contents(scene.writer, 1, 1, 100);
	scene_seal(&scene);
	struct bt_entry file = file_entry("f");
	file.digest = sample_content_digest(1, 100);
	file.size = 101;
	assert_unreadable(&scene, &file, BT_E_DAMAGED, BT_R_BAD_SIZE);
	file.size = 99;
	assert_unreadable(&scene, &file, BT_E_DAMAGED, BT_R_BAD_SIZE);
	file.size = 100;
	file.digest.bytes[0] ^= 1;
	assert_unreadable(&scene, &file, BT_E_DAMAGED, BT_R_MISSING_CONTENT);
	struct bt_extra extra = {.error = "EACCES"};
	file.extra = &extra;
	assert_unreadable(&scene, &file, BT_E_INCOMPLETE, BT_R_NONE);
	struct bt_digest none = {{0}};
	struct bt_entry directory = dir_entry("d", &none);
	assert_unreadable(&scene, &directory, BT_E_INVALID, BT_R_NONE);
	/* chunks that end before the file does */
	struct bt_chunk chunk = {sample_content_digest(1, 100), 100};
	struct bt_extra one = {.chunks = &chunk, .chunk_count = 1, .has_chunks = true};
	file.extra = &one;
	file.size = 200;
	char data[200];
	struct bt_error error = {0};
	assert_int_equal(bt_entry_pread(scene.store, &file, data, 200, 0, NULL, &error), BT_E_DAMAGED);
	assert_int_equal(error.reason, BT_R_BAD_SIZE);
	scene_free(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_content),   cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_chunk_pages),   cmocka_unit_test(test_holes),
		cmocka_unit_test(test_wrong_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
