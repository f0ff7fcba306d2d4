/* SPDX-License-Identifier: MIT */
/* Segments in cache/ that are not as they should be. */
#include "index_fake.h"

static void name_of_segment(int cachefd, char name[64])
{
	DIR *directory = fdopendir(openat(cachefd, ".", O_RDONLY | O_DIRECTORY));

	name[0] = 0;
	for (struct dirent *entry; (entry = readdir(directory));) {
		if (entry->d_name[0] != '.')
			snprintf(name, 64, "%.60s", entry->d_name);
	}
	closedir(directory);
}

/* Any byte, and any length: the segment is not used. */
static void test_corrupt_segment(void **state)
{
	struct sample sample = sample_new();
	struct fake *fake = fake_new();
	char name[64];
	size_t size;

	add_fake(fake, 40);
	add_fake(fake, 20);
	bt_index_free(open_index(fake, sample.dirfd, false));
	name_of_segment(sample.dirfd, name);
	unsigned char *data = sample_read(sample.dirfd, name, &size);
	for (size_t i = 0; i < size; i++) {
		data[i] ^= 0x10;
		sample_write(sample.dirfd, name, data, size);
		data[i] ^= 0x10;
		struct bt_index *index = open_index(fake, sample.dirfd, true);
		assert_int_equal(fake->visits, 2);
		assert_found(index, fake, 0);
		bt_index_free(index);
	}
	for (size_t length = 0; length < size; length += 7) {
		sample_write(sample.dirfd, name, data, length);
		struct bt_index *index = open_index(fake, sample.dirfd, true);
		assert_int_equal(fake->visits, 2);
		assert_found(index, fake, 1);
		bt_index_free(index);
	}
	/* a writer removes what is of no use */
	bt_index_free(open_index(fake, sample.dirfd, false));
	assert_int_equal(count_segments(sample.dirfd), 1);
	bt_index_free(open_index(fake, sample.dirfd, false));
	assert_int_equal(fake->visits, 0);
	free(data);
	free(fake);
	sample_free(&sample);
}

/* A segment lies in cache/ itself. */
static void test_segment_is_no_link(void **state)
{
	struct sample sample = sample_new(), outside = sample_new();
	struct fake *fake = fake_new();
	char name[64], path[160];

	add_fake(fake, 40);
	bt_index_free(open_index(fake, sample.dirfd, false));
	name_of_segment(sample.dirfd, name);
	assert_int_equal(renameat(sample.dirfd, name, outside.dirfd, name), 0);
	snprintf(path, sizeof(path), "%s/%s", outside.path, name);
	assert_int_equal(symlinkat(path, sample.dirfd, name), 0);
	struct bt_index *index = open_index(fake, sample.dirfd, true);
	assert_int_equal(fake->visits, 1);
	assert_found(index, fake, 0);
	bt_index_free(index);
	free(fake);
	sample_free(&sample);
	sample_free(&outside);
}

/* A large segment that is cut short while it is in use: misses, no signal. */
static void test_segment_cut_in_use(void **state)
{
	struct sample sample = sample_new();
	struct fake *fake = fake_new();
	char name[64];

	for (int i = 0; i < 4; i++)
		add_fake(fake, 90000);
	struct bt_index *index = open_index(fake, sample.dirfd, false);
	name_of_segment(sample.dirfd, name);
	int fd = openat(sample.dirfd, name, O_WRONLY);
	assert_int_equal(ftruncate(fd, 100), 0);
	close(fd);
	struct bt_digest digest = digest_of(5);
	struct bt_location location;
	assert_int_equal(bt_index_find(index, &digest, false, &location, 1), 0);
	struct bt_index_source source = {fake, fake->files, fake->count, sample.dirfd, false, visit, damaged};
	assert_int_equal(bt_index_rebuild(index, &source, bt_index_doubt(index), NULL), 0);
	assert_found(index, fake, 0);
	bt_index_free(index);
	free(fake);
	sample_free(&sample);
}

struct looking {
	struct fake *fake;
	struct bt_index *index;
	unsigned fail_at; /* this visit ends in BT_E_NOMEM, if any */
};

static int visit_and_look(void *arg, uint32_t file, const struct bt_index_visitor *visitor, struct bt_error *error)
{
	struct looking *looking = arg;

	for (uint32_t i = 0; i < looking->fake->count; i++)
		assert_found(looking->index, looking->fake, i);
	if (looking->fail_at && looking->fake->visits + 1 == looking->fail_at)
		return BT_E_NOMEM;
	return visit(looking->fake, file, visitor, error);
}

/* Nobody finds less while it is built anew, nor when that fails. */
static void test_rebuild_is_not_seen(void **state)
{
	struct sample sample = sample_new();
	struct fake *fake = fake_new();

	add_fake(fake, 100);
	add_fake(fake, 50);
	add_fake(fake, 7);
	bt_index_free(open_index(fake, sample.dirfd, false));
	struct bt_index *index = open_index(fake, sample.dirfd, false);
	struct looking looking = {fake, index, 2};
	struct bt_index_source source = {&looking, fake->files,	   fake->count, sample.dirfd,
					 false,	   visit_and_look, damaged};
	unsigned doubt = bt_index_doubt(index);
	assert_int_not_equal(doubt, 0);
	assert_int_equal(bt_index_rebuild(index, &source, doubt, NULL), BT_E_NOMEM);
	assert_int_equal(bt_index_doubt(index), doubt);
	looking.fail_at = 0;
	assert_int_equal(bt_index_rebuild(index, &source, doubt, NULL), 0);
	assert_int_equal(bt_index_doubt(index), 0);
	assert_int_equal(bt_index_rebuild(index, &source, doubt, NULL), 0); /* somebody did */
	assert_int_equal(fake->visits, 4);
	assert_int_equal(count_segments(sample.dirfd), bt_index_segments(index));
	for (uint32_t i = 0; i < 3; i++)
		assert_found(index, fake, i);
	bt_index_free(index);
	free(fake);
	sample_free(&sample);
}

/* The store's cure for records that lie: every byte of one after the other, and all contents still come out. */
static void test_store_recovers(void **state)
{
	struct sample sample = sample_new();
	struct bt_store *store;
	char name[64];
	size_t size;

	sample_volume(&sample, "00112233445566778899aabbccddeeff.json", 0, 20);
	mkdirat(sample.dirfd, "cache", 0700);
	int cachefd = openat(sample.dirfd, "cache", O_RDONLY | O_DIRECTORY);
	assert_int_equal(bt_store_open_with(sample.path, NULL, NULL, &store, NULL), 0);
	assert_int_equal(bt_store_survey(store, NULL), 0);
	bt_store_close(store);
	name_of_segment(cachefd, name);
	unsigned char *data = sample_read(cachefd, name, &size);
	for (size_t i = 48; i < 48 + 20 * 60; i += 7) {
		data[i] ^= (unsigned char)(1 << i % 8);
		sample_write(cachefd, name, data, size);
		data[i] ^= (unsigned char)(1 << i % 8);
		assert_int_equal(bt_store_open_with(sample.path, NULL, NULL, &store, NULL), 0);
		for (uint64_t k = 0; k < 20; k++) {
			unsigned char *bytes = sample_bytes(k, 8);
			struct bt_digest digest = sample_digest(bytes, 8);
			struct bt_pin pin;

			assert_int_equal(bt_store_pin(store, &digest, 8, 0, &pin, NULL), 0);
			assert_memory_equal(pin.data, bytes, 8);
			bt_store_unpin(store, &pin);
			free(bytes);
		}
		bt_store_close(store);
	}
	free(data);
	close(cachefd);
	sample_free(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_corrupt_segment),	    cmocka_unit_test(test_segment_cut_in_use),
		cmocka_unit_test(test_rebuild_is_not_seen), cmocka_unit_test(test_store_recovers),
		cmocka_unit_test(test_segment_is_no_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
