/* SPDX-License-Identifier: MIT */
/* Files of an open store that change in their place, and directories that are replaced. */
#include "remote_backend.h"
#include "store_opened.h"

/* So old that what happens later would give another time; and the time that a copy or a repair keeps. */
static void set_old(const struct sample *sample, const char *name, time_t seconds)
{
	const struct timespec times[] = {{.tv_sec = seconds}, {.tv_sec = seconds}};

	assert_int_equal(utimensat(sample->dirfd, name, times, 0), 0);
}

/* A store with an old volume, of which what the index tells is damaged. */
static struct bt_store *open_old(const struct sample *sample, bool whole, unsigned char **ret_data, size_t *ret_size)
{
	sample_volume(sample, VOLUME, 1000, 10);
	unsigned char *data = sample_read(sample->dirfd, "contents/" VOLUME, ret_size);
	data[*ret_size / 2] ^= !whole;
	sample_write(sample->dirfd, "contents/" VOLUME, data, *ret_size);
	data[*ret_size / 2] ^= !whole;
	set_old(sample, "contents/" VOLUME, 1000000);
	set_old(sample, "contents", 1000000);
	set_old(sample, ".", 1000000);
	*ret_data = data;
	struct bt_store *store;
	assert_int_equal(bt_store_open_with(sample->path, NULL, NULL, &store, NULL), 0);
	return store;
}

static void test_a_time_that_changes(void **state)
{
	struct sample sample = sample_new();
	struct bt_error error = {0};
	unsigned char *data;
	size_t size;
	struct bt_store *store = open_old(&sample, true, &data, &size);
	unsigned version = bt_store_version(store);
	struct bt_file *file;

	set_old(&sample, "contents/" VOLUME, 2000000);
	assert_int_equal(bt_store_file(store, 0, &file, &error), BT_E_DAMAGED);
	assert_int_equal(error.reason, BT_R_CHANGED);
	assert_int_equal(bt_store_refresh(store, NULL), 0); /* of which no directory tells */
	assert_int_equal(bt_store_version(store), version);
	bt_store_doubt(store);
	assert_int_equal(bt_store_refresh(store, NULL), 0);
	assert_int_not_equal(bt_store_version(store), version);
	assert_int_equal(try_content(store, 1005, 8, NULL), 0);
	version = bt_store_version(store);
	assert_int_equal(fchmodat(sample.dirfd, "contents/" VOLUME, 0400, 0), 0);
	bt_store_doubt(store);
	assert_int_equal(bt_store_refresh(store, NULL), 0);
	assert_int_equal(bt_store_version(store), version);
	bt_store_close(store);
	free(data);
	sample_free(&sample);
}

/* In its place, and by a copy under its name; both keep size and time. */
static void test_healed(void **state)
{
	for (int copy = 0; copy < 2; copy++) {
		struct sample sample = sample_new();
		struct bt_error error = {0};
		unsigned char *data;
		size_t size;
		struct bt_store *store = open_old(&sample, false, &data, &size);

		assert_int_equal(try_content(store, 1005, 8, &error), BT_E_DAMAGED);
		assert_int_equal(bt_store_damaged_count(store), 1);
		sample_write(sample.dirfd, copy ? "new" : "contents/" VOLUME, data, size);
		if (copy)
			assert_int_equal(renameat(sample.dirfd, "new", sample.dirfd, "contents/" VOLUME), 0);
		set_old(&sample, "contents/" VOLUME, 1000000);
		bt_store_doubt(store);
		assert_int_equal(bt_store_refresh(store, NULL), 0);
		assert_int_equal(try_content(store, 1005, 8, NULL), 0);
		assert_int_equal(bt_store_damaged_count(store), 0);
		bt_store_close(store);
		free(data);
		sample_free(&sample);
	}
}

/* A store that is replaced by a copy of it; times are kept. */
static void test_contents_made_anew(void **state)
{
	SKIP_IF_REMOTE();

	struct sample sample = sample_new();
	struct bt_error error = {0};
	unsigned char *data;
	size_t size;
	struct bt_store *store = open_old(&sample, true, &data, &size);
	int fd = contents_of(store);

	assert_int_equal(renameat(sample.dirfd, "contents", sample.dirfd, "old"), 0);
	assert_int_equal(bt_store_refresh(store, NULL), 0);
	assert_int_equal(try_content(store, 1005, 8, &error), BT_E_DAMAGED);
	close(sample_contents_dir(&sample));
	sample_write(sample.dirfd, "contents/" VOLUME, data, size);
	set_old(&sample, "contents/" VOLUME, 1000000);
	set_old(&sample, "contents", 1000000);
	set_old(&sample, ".", 1000000);
	assert_int_equal(bt_store_refresh(store, NULL), 0);
	assert_int_equal(try_content(store, 1005, 8, NULL), 0);
	/* whoever has it in hand writes to the new one */
	assert_int_equal(contents_of(store), fd);
	assert_int_equal(faccessat(fd, VOLUME, F_OK, 0), 0);
	assert_int_equal(unlinkat(fd, VOLUME, 0), 0);
	assert_int_not_equal(faccessat(sample.dirfd, "contents/" VOLUME, F_OK, 0), 0);
	/* and it is made, as ever */
	assert_int_equal(unlinkat(sample.dirfd, "contents", AT_REMOVEDIR), 0);
	contents_of(store);
	assert_int_equal(faccessat(sample.dirfd, "contents", F_OK, 0), 0);
	bt_store_close(store);
	free(data);
	sample_free(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_time_that_changes),
		cmocka_unit_test(test_healed),
		cmocka_unit_test(test_contents_made_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
