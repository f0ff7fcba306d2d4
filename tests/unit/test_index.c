/* SPDX-License-Identifier: MIT */
#include "index_fake.h"

static void test_many_records(void **state)
{
	struct sample sample = sample_new();
	struct fake *fake = fake_new();

	add_fake(fake, 60000);
	add_fake(fake, 1);
	add_fake(fake, 0);
	add_fake(fake, 30000);
	add_fake(fake, 10000);
	for (int round = 0; round < 3; round++) {
		struct bt_index *index = open_index(fake, sample.dirfd, round == 2);

		assert_int_equal(fake->visits, round ? 0 : 5);
		assert_int_equal(bt_index_records(index), 100006);
		assert_int_equal(bt_index_doubt(index), round > 0);
		for (uint32_t i = 0; i < 5; i++)
			assert_found(index, fake, i);
		struct bt_location location;
		for (uint64_t i = 0; i < 1000; i++) {
			struct bt_digest digest = digest_of(50000000 + i);

			assert_int_equal(bt_index_find(index, &digest, false, &location, 1), 0);
		}
		bt_index_free(index);
	}
	free(fake);
	sample_free(&sample);
}

static void test_empty(void **state)
{
	struct fake *fake = fake_new();
	struct bt_index *index = open_index(fake, -1, false);
	struct bt_digest digest = digest_of(1);
	struct bt_location location;

	assert_int_equal(bt_index_find(index, &digest, false, &location, 1), 0);
	assert_int_equal(bt_index_records(index), 0);
	bt_index_free(index);
	free(fake);
}

static void test_without_cache(void **state)
{
	struct sample sample = sample_new();
	struct fake *fake = fake_new();

	add_fake(fake, 5000);
	add_fake(fake, 3000);
	struct bt_index *index = open_index(fake, -1, false);
	assert_int_equal(fake->visits, 2);
	assert_found(index, fake, 0);
	assert_found(index, fake, 1);
	bt_index_free(index);
	index = open_index(fake, sample.dirfd, true);
	assert_found(index, fake, 0);
	assert_found(index, fake, 1);
	assert_int_equal(count_segments(sample.dirfd), 0);
	bt_index_free(index);
	free(fake);
	sample_free(&sample);
}

static int visit_added(void *arg, const struct bt_index_visitor *visitor)
{
	const struct fake *fake = arg;

	return visit_one(fake, (uint32_t)fake->count - 1, visitor);
}

/* Many small additions stay few segments, and all is found, here and by the next to open. */
static void test_add_and_merge(void **state)
{
	struct sample sample = sample_new();
	struct fake *fake = fake_new();
	struct bt_index *index = open_index(fake, sample.dirfd, false);

	for (unsigned i = 0; i < 200; i++) {
		add_fake(fake, i % 50);
		assert_int_equal(bt_index_add(index, sample.dirfd, &fake->files[i], visit_added, fake, NULL), 0);
		assert_true(bt_index_segments(index) <= 10);
	}
	/* a second time changes nothing */
	uint64_t records = bt_index_records(index);
	assert_int_equal(bt_index_add(index, sample.dirfd, &fake->files[199], visit_added, fake, NULL), 0);
	assert_int_equal(bt_index_records(index), records);
	assert_int_equal(count_segments(sample.dirfd), bt_index_segments(index));
	for (uint32_t i = 0; i < 200; i++)
		assert_found(index, fake, i);
	bt_index_free(index);
	index = open_index(fake, sample.dirfd, false);
	assert_int_equal(fake->visits, 0);
	assert_int_equal(bt_index_records(index), records);
	for (uint32_t i = 0; i < 200; i++)
		assert_found(index, fake, i);
	bt_index_free(index);
	free(fake);
	sample_free(&sample);
}

/* Takes file i out of the list. */
static void remove_fake(struct fake *fake, size_t i)
{
	memmove(&fake->files[i], &fake->files[i + 1], (fake->count - i - 1) * sizeof(fake->files[0]));
	fake->count--;
}

static void test_removed_and_changed(void **state)
{
	struct sample sample = sample_new();
	struct fake *fake = fake_new();

	add_fake(fake, 1000);
	add_fake(fake, 40000);
	add_fake(fake, 2000);
	bt_index_free(open_index(fake, sample.dirfd, false));
	remove_fake(fake, 1);
	struct bt_index *index = open_index(fake, sample.dirfd, true);
	assert_int_equal(fake->visits, 0);
	assert_int_equal(bt_index_records(index), 3002);
	assert_found(index, fake, 0);
	assert_lost(index, fake, 1);
	assert_found(index, fake, 2);
	bt_index_free(index);
	/* most of the segment is dead: it is written again without */
	bt_index_free(open_index(fake, sample.dirfd, false));
	index = open_index(fake, sample.dirfd, false);
	assert_int_equal(fake->visits, 0);
	assert_int_equal(count_segments(sample.dirfd), 1);
	assert_found(index, fake, 2);
	bt_index_free(index);
	/* another file under the same name */
	fake->files[0].mtime.nanoseconds++;
	index = open_index(fake, sample.dirfd, false);
	assert_int_equal(fake->visits, 1);
	assert_found(index, fake, 0);
	assert_int_equal(bt_index_records(index), 3002);
	/* all gone, while it is open */
	struct bt_index_source source = {fake, fake->files, 0, sample.dirfd, false, visit, damaged};
	assert_int_equal(bt_index_update(index, &source, NULL), 0);
	assert_int_equal(bt_index_records(index), 0);
	assert_int_equal(count_segments(sample.dirfd), 0);
	bt_index_free(index);
	free(fake);
	sample_free(&sample);
}

static void test_unreadable_file(void **state)
{
	struct sample sample = sample_new();
	struct fake *fake = fake_new();

	add_fake(fake, 10);
	add_fake(fake, 20);
	add_fake(fake, 30);
	fake->broken = 1;
	for (int round = 0; round < 2; round++) {
		struct bt_index *index = open_index(fake, sample.dirfd, false);

		assert_int_equal(fake->visits, round ? 1 : 3);
		assert_int_equal(fake->damaged, round + 1);
		assert_found(index, fake, 0);
		assert_lost(index, fake, 1);
		assert_found(index, fake, 2);
		bt_index_free(index);
	}
	free(fake);
	sample_free(&sample);
}

/* Two writers that did not see each other cover the same files. */
static void test_overlapping_segments(void **state)
{
	struct sample sample = sample_new(), other = sample_new();
	struct fake *fake = fake_new();

	add_fake(fake, 100);
	add_fake(fake, 300);
	bt_index_free(open_index(fake, sample.dirfd, false));
	remove_fake(fake, 1);
	fake->count = 1;
	bt_index_free(open_index(fake, other.dirfd, false));
	DIR *directory = fdopendir(dup(other.dirfd));
	for (struct dirent *entry; (entry = readdir(directory));) {
		if (entry->d_name[0] != '.')
			assert_int_equal(renameat(other.dirfd, entry->d_name, sample.dirfd, entry->d_name), 0);
	}
	closedir(directory);
	assert_int_equal(count_segments(sample.dirfd), 2);
	fake->count = 0;
	add_fake(fake, 100);
	add_fake(fake, 300);
	struct bt_index *index = open_index(fake, sample.dirfd, false);
	assert_int_equal(fake->visits, 0);
	assert_int_equal(bt_index_records(index), 402);
	assert_int_equal(count_segments(sample.dirfd), 1);
	assert_found(index, fake, 0);
	assert_found(index, fake, 1);
	bt_index_free(index);
	free(fake);
	sample_free(&sample);
	sample_free(&other);
}

static int visit_same(void *arg, uint32_t file, const struct bt_index_visitor *visitor, struct bt_error *error)
{
	struct bt_block block = {.at = file, .length = 4, .size = 3};
	struct bt_digest digest = digest_of(1);

	return visitor->content(visitor->arg, &block, &digest, 0, 3);
}

static void test_all_places(void **state)
{
	struct fake *fake = fake_new();
	struct bt_index *index;

	for (int i = 0; i < 100; i++)
		add_fake(fake, 0);
	struct bt_index_source source = {fake, fake->files, fake->count, -1, false, visit_same, damaged};
	assert_int_equal(bt_index_new(&index), 0);
	assert_int_equal(bt_index_update(index, &source, NULL), 0);
	struct bt_digest digest = digest_of(1);
	struct bt_location locations[8];
	assert_int_equal(bt_index_find(index, &digest, false, locations, 8), 8);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(locations[i].block.at, locations[i].file);
		for (int k = 0; k < i; k++)
			assert_int_not_equal(locations[i].file, locations[k].file);
	}
	bt_index_free(index);
	free(fake);
}

/* Digests that all begin alike, as no honest file has them: all in one bucket, and found all the same. */
static struct bt_digest digest_alike(unsigned number)
{
	struct bt_digest digest = digest_of(number);

	memset(digest.bytes, 7, 4);
	return digest;
}

static int visit_alike(void *arg, uint32_t file, const struct bt_index_visitor *visitor, struct bt_error *error)
{
	int r = 0;

	for (unsigned i = 0; i < 90000 && !r; i++) {
		struct bt_block block = {.at = i, .length = 4, .size = 3};
		struct bt_digest digest = digest_alike(i);

		r = visitor->content(visitor->arg, &block, &digest, 0, 3);
	}
	return r;
}

static void test_one_bucket(void **state)
{
	struct sample sample = sample_new();
	struct fake *fake = fake_new();

	for (int i = 0; i < 4; i++)
		add_fake(fake, 90000);
	for (int round = 0; round < 2; round++) {
		struct bt_index *index;
		struct bt_index_source source = {fake,	fake->files, 1,	     round ? sample.dirfd : -1,
						 false, visit_alike, damaged};

		assert_int_equal(bt_index_new(&index), 0);
		assert_int_equal(bt_index_update(index, &source, NULL), 0);
		for (unsigned i = 0; i < 90000; i += 11) {
			struct bt_digest digest = digest_alike(i);
			struct bt_location location;

			assert_int_equal(bt_index_find(index, &digest, false, &location, 1), 1);
			assert_int_equal(location.block.at, i);
		}
		bt_index_free(index);
	}
	free(fake);
	sample_free(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_records),	     cmocka_unit_test(test_empty),
		cmocka_unit_test(test_without_cache),	     cmocka_unit_test(test_add_and_merge),
		cmocka_unit_test(test_removed_and_changed),  cmocka_unit_test(test_unreadable_file),
		cmocka_unit_test(test_overlapping_segments), cmocka_unit_test(test_all_places),
		cmocka_unit_test(test_one_bucket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
