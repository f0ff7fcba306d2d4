/* SPDX-License-Identifier: MIT */
/* Stores that change under their readers: few descriptors, removed files, many threads. */
#include "remote_backend.h"
#include "store_opened.h"
#include <pthread.h>
#include <sys/resource.h>

static void set_old(int dirfd)
{
	const struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};

	assert_int_equal(futimens(dirfd, old), 0);
}

/* The directories' times are as if nothing had changed, as where a network file system remembers them. */
static void test_read_again_under_the_lock(void **state)
{
	struct sample sample = sample_new();
	int contents = sample_contents_dir(&sample), lock;

	for (enum bt_lock_kind kind = BT_LOCK_SHARED; kind <= BT_LOCK_PRUNER; kind++) {
		char name[64];

		snprintf(name, sizeof(name), "%032x.json", kind);
		set_old(contents);
		set_old(sample.dirfd);
		struct bt_store *store = open_store(&sample);
		size_t count = bt_store_file_count(store);
		sample_volume(&sample, name, 10, 1);
		set_old(contents);
		set_old(sample.dirfd);
		assert_int_equal(bt_store_lock(store, kind, NULL, &lock, NULL), 0);
		set_old(sample.dirfd); /* the lock's file may be new */
		assert_int_equal(bt_store_refresh(store, NULL), 0);
		assert_int_equal(bt_store_file_count(store), count + 1);
		close(lock);
		bt_store_close(store);
	}
	close(contents);
	sample_free(&sample);
}

/* More files than descriptors. */
static void test_few_descriptors(void **state)
{
	SKIP_IF_REMOTE();

	struct sample sample = sample_new();
	struct rlimit old, low;
	char name[64];

	for (unsigned i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "%032x.json", i);
		sample_volume(&sample, name, i * 10, 5);
	}
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = old;
	low.rlim_cur = 40;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	struct bt_store_options options = {.size = sizeof(options), .cache_bytes = 1};
	struct bt_store *store = open_store_with(&sample, &options);
	for (int round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 60; i++)
			assert_content(store, i * 10 + 3, 8);
	}
	/* another file under the name of one that had to be closed */
	assert_int_equal(unlinkat(sample.dirfd, "contents/00000000000000000000000000000000.json", 0), 0);
	sample_volume(&sample, "00000000000000000000000000000000.json", 7000, 5);
	struct bt_error error = {0};
	assert_int_equal(try_content(store, 3, 8, &error), BT_E_DAMAGED);
	assert_int_equal(error.reason, BT_R_CHANGED);
	/* one that is gone and cannot be opened again stays open */
	assert_content(store, 593, 8);
	assert_int_equal(unlinkat(sample.dirfd, "contents/0000000000000000000000000000003b.json", 0), 0);
	assert_int_equal(bt_store_refresh(store, NULL), 0);
	for (unsigned i = 1; i < 59; i++)
		assert_content(store, i * 10 + 3, 8);
	assert_content(store, 593, 8);
	bt_store_close(store);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	sample_free(&sample);
}

static size_t open_below(const struct sample *sample)
{
	char command[256];
	size_t count = 0;

	snprintf(command, sizeof(command), "ls -l /proc/%d/fd | grep -c '%s/.*json'", (int)getpid(), sample->path);
	FILE *pipe = popen(command, "r");
	assert_non_null(pipe);
	assert_int_equal(fscanf(pipe, "%zu", &count), 1);
	pclose(pipe);
	return count;
}

/* What was never read stays readable when it is removed, more files than are kept open by default; until it is let go.
 */
static void test_hold_and_release(void **state)
{
	SKIP_IF_REMOTE();

	struct sample sample = sample_new();
	struct bt_error error = {0};
	char name[64], path[96];

	for (unsigned i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "%032x.json", i);
		sample_volume(&sample, name, i * 10, 5);
	}
	struct bt_store_options options = {.size = sizeof(options), .open_files = 310};
	struct bt_store *store = open_store_with(&sample, &options);
	bt_store_hold(store);
	assert_int_equal(open_below(&sample), 300);
	assert_false(bt_store_holds_removed(store));
	for (unsigned i = 0; i < 300; i += 2) {
		snprintf(path, sizeof(path), "contents/%032x.json", i);
		assert_int_equal(unlinkat(sample.dirfd, path, 0), 0);
	}
	assert_int_equal(bt_store_refresh(store, NULL), 0);
	for (unsigned i = 0; i < 300; i++)
		assert_content(store, i * 10 + 3, 8);
	assert_int_equal(bt_store_damaged_count(store), 0);
	assert_true(bt_store_holds_removed(store));
	bt_store_release(store);
	assert_false(bt_store_holds_removed(store));
	assert_int_equal(bt_store_refresh(store, NULL), 0);
	bt_store_hold(store);
	assert_int_equal(open_below(&sample), 150);
	assert_content(store, 13, 8);
	assert_int_equal(try_content(store, 24, 8, &error), BT_E_DAMAGED);
	assert_int_equal(error.reason, BT_R_MISSING_CONTENT);
	bt_store_close(store);

	options.open_files = 20;
	store = open_store_with(&sample, &options);
	bt_store_hold(store);
	assert_int_equal(open_below(&sample), 20);
	for (unsigned i = 1; i < 300; i += 2)
		assert_content(store, i * 10 + 3, 8);
	assert_true(open_below(&sample) <= 21); /* what is held counts; one more is in use */
	bt_store_close(store);
	sample_free(&sample);
}

static void count_slow(void *arg)
{
	unsigned *calls = arg;

	++*calls;
}

static void test_before_slow(void **state)
{
	struct sample sample = sample_new();
	unsigned slow_calls = 0;

	sample_volume(&sample, "00000000000000000000000000000001.json", 10, 5);
	struct bt_store *store = open_store_with(&sample, NULL);
	bt_store_call_before_slow(store, count_slow, &slow_calls);
	assert_content(store, 13, 8);
	assert_true(slow_calls >= 2); /* the index, the file */
	unsigned before = slow_calls;
	assert_content(store, 13, 8);
	assert_content(store, 14, 8);
	assert_int_equal(slow_calls, before);
	bt_store_close(store);
	sample_free(&sample);
}

/* ---- threads ---- */

struct reader {
	struct bt_store *store;
	unsigned number;
	int failures;
};

static void *read_many(void *arg)
{
	struct reader *reader = arg;
	uint64_t state = reader->number;

	for (int i = 0; i < 400; i++) {
		uint64_t seed = 1000 + bt_mix64(state++ * 77) % 3000;
		unsigned char *data = sample_bytes(seed, 8);
		struct bt_digest digest = sample_digest(data, 8);
		struct bt_pin pin;

		if (bt_store_pin(reader->store, &digest, 8, 0, &pin, NULL)) {
			reader->failures++;
		} else {
			reader->failures += memcmp(pin.data, data, 8) != 0;
			bt_store_unpin(reader->store, &pin);
		}
		free(data);
	}
	return NULL;
}

static void *add_many(void *arg)
{
	struct reader *reader = arg;

	for (unsigned i = 0; i < 20; i++) {
		char name[64];
		struct bt_writer *writer = sample_writer(contents_of(reader->store), VOLUME_HEADER);

		sample_contents(writer, 9000 + i * 10, 10, 8);
		snprintf(name, sizeof(name), "%032x.json", i + 1);
		sample_seal(writer, "{}", name);
		reader->failures += bt_store_add_file(reader->store, name, false, writer, NULL) != 0;
		bt_writer_free(writer);
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct sample sample = sample_new();

	sample_volume(&sample, VOLUME, 1000, 3000);
	struct bt_store_options options = {.size = sizeof(options), .cache_bytes = 20000};
	struct bt_store *store = open_store_with(&sample, &options);
	struct reader readers[4];
	pthread_t threads[4];
	for (unsigned i = 0; i < 4; i++) {
		readers[i] = (struct reader){store, i, 0};
		assert_int_equal(pthread_create(&threads[i], NULL, i ? read_many : add_many, &readers[i]), 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(readers[i].failures, 0);
	}
	for (unsigned i = 0; i < 200; i++)
		assert_content(store, 9000 + i, 8);
	bt_store_close(store);
	sample_free(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hold_and_release),
		cmocka_unit_test(test_before_slow),
		cmocka_unit_test(test_read_again_under_the_lock),
		cmocka_unit_test(test_few_descriptors),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
