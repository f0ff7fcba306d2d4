/* SPDX-License-Identifier: MIT */
#include "check_world.h"
#include "store_samples.h"
#include <internal/policy.h>
#include <stdatomic.h>

static void test_clean(void **state)
{
	char first[64], second[64], volume[64];
	struct world world;
	struct seen seen;
	struct bt_check_result result = {.size = sizeof(result)};

	make_small(&world, first, second, volume);
	assert_int_equal(check_with(&world, false, NULL, &seen, &result), 0);
	assert_int_equal(result.snapshots, 2);
	assert_int_equal(result.files, 3);
	assert_int_equal(result.contents, 4);
	assert_int_equal(result.bytes, strlen("in the volumein the volume, tooin the firstin the second"));
	assert_true(result.complete);
	const struct bt_check_options quick = {.size = sizeof(quick), .quick = true};
	assert_int_equal(check_with(&world, false, &quick, &seen, &result), 0);
	assert_int_equal(result.contents, 4);
	assert_int_equal(result.bytes, 0);
	assert_false(result.complete);
	world_end(&world);
}

/* Each is told, also those that nothing leads to since the page above them is damaged. */
static void test_damaged_pages(void **state)
{
	static const char start[] = "{\"entries\":[{\"name\":\"";
	unsigned char data[16384], *at = data;
	struct world world;
	struct seen seen;
	unsigned pages = 0;

	world_begin(&world);
	put_dir(&world, "a");
	put_dir(&world, "a/b");
	put_text(&world, "a/b/c", "text");
	world_snap(&world);
	int fd = open_in_store(&world, world.result.name);
	ssize_t size = pread(fd, data, sizeof(data), 0);
	assert_true(size > 0 && (size_t)size < sizeof(data));
	for (at = memmem(at, (size_t)size, start, strlen(start)); at;
	     at = memmem(at, (size_t)(data + size - at), start, strlen(start))) {
		at += strlen(start);
		put_byte(fd, (uint64_t)(at - data), 'x');
		pages++;
	}
	close(fd);
	assert_int_equal(pages, 3);
	assert_int_equal(check(&world, NULL, &seen), BT_E_DAMAGED);
	assert_int_equal(seen.count, pages);
	world_end(&world);
}

/* Of a large file that changes a little again and again not every version is read through. */
static void test_versions_in_pieces(void **state)
{
	struct bt_check_result result = {.size = sizeof(result)};
	struct world world;

	world_begin(&world);
	put_noise(&world, "large", (size_t)6 << 20, 1);
	for (int i = 0; i < 6; i++) {
		int fd = open(in_source(&world, "large"), O_WRONLY | O_CLOEXEC);

		assert_int_equal(pwrite(fd, &i, sizeof(i), 0), sizeof(i));
		close(fd);
		world_snap(&world);
	}
	assert_int_equal(bt_check(world.store, NULL, NULL, NULL, NULL, &result, NULL), 0);
	assert_true(result.complete);
	assert_in_range(result.in_pieces, 1, 5);
	world_end(&world);
}

static void rename_in_store(const struct world *world, const char *from, const char *to)
{
	char paths[2][512];

	snprintf(paths[0], sizeof(paths[0]), "%s/%s", world->store_path, from);
	snprintf(paths[1], sizeof(paths[1]), "%s/%s", world->store_path, to);
	assert_int_equal(rename(paths[0], paths[1]), 0);
}

/* Also of the names of the owners, if the user of the test has one. */
static void all_is_lost(struct world *world, const char *name, char text[256])
{
	struct bt_store *store = open_another(world, 0);
	struct bt_snapshot *snapshot;

	assert_int_equal(bt_snapshot_open(store, name, &snapshot, NULL), 0);
	bool named = bt_snapshot_info(snapshot)->has_names;
	bt_snapshot_close(snapshot);
	bt_store_close(store);
	snprintf(text, 256, named ? "  %s:(names) -1+0\n  %s:below -1+0\n" : "  %s:below -1+0\n", name, name);
}

static void test_missing_and_exchanged(void **state)
{
	char first[64], second[64], volume[64], expected[1024], lost[2][256];
	struct world world;
	struct seen seen;
	const struct bt_check_options quick = {.size = sizeof(quick), .quick = true},
				      named = {.size = sizeof(named),
					       .names = (const char *[]){second},
					       .name_count = 1};

	make_small(&world, first, second, volume);
	all_is_lost(&world, first, lost[0]);
	all_is_lost(&world, second, lost[1]);
	rename_in_store(&world, volume, "aside");
	snprintf(expected, sizeof(expected),
		 "- missing-page\n%s%s- missing-content\n  %s:a.txt 0+13\n  %s:a.txt 0+13\n", lost[1], lost[0], second,
		 first);
	check(&world, NULL, &seen);
	assert_string_equal(seen.text, expected);
	check(&world, &quick, &seen);
	assert_string_equal(seen.text, expected);
	snprintf(expected, sizeof(expected), "- missing-page\n%s- missing-content\n  %s:a.txt 0+13\n", lost[1], second);
	check(&world, &named, &seen);
	assert_string_equal(seen.text, expected);
	rename_in_store(&world, "aside", volume);
	assert_int_equal(check(&world, NULL, &seen), 0);
	world_end(&world);

	/* in different seconds */
	world_begin(&world);
	put_text(&world, "a", "1");
	world_snap(&world);
	snprintf(first, sizeof(first), "%s", world.result.name);
	usleep(1100000);
	put_text(&world, "b", "2");
	world_snap(&world);
	snprintf(second, sizeof(second), "%s", world.result.name);
	rename_in_store(&world, first, "aside");
	rename_in_store(&world, second, first);
	rename_in_store(&world, "aside", second);
	check(&world, NULL, &seen);
	assert_int_equal(seen.count, 2);
	for (int i = 0; i < 2; i++) {
		const char *name = i ? first : second;

		snprintf(expected, sizeof(expected), "%s bad-name\n  %s:* -1+0\n", name, name);
		assert_non_null(strstr(seen.text, expected));
	}
	world_end(&world);
}

/* The same findings whatever the number of threads; all paths that one block's damage hurts, up to a bound. */
static void test_threads_and_bound(void **state)
{
	struct world world;
	struct seen serial, parallel;
	struct bt_check_result result = {.size = sizeof(result)};

	world_begin(&world);
	for (int i = 0; i < 200; i++) {
		char name[32];

		snprintf(name, sizeof(name), "file%03d", i);
		put_noise(&world, name, 40000, (uint64_t)i + 1);
	}
	world_snap(&world);
	int fd = open_in_store(&world, world.result.name);
	uint64_t size = (uint64_t)lseek(fd, 0, SEEK_END);
	for (uint64_t at = size / 5; at < size; at += size / 4)
		put_byte(fd, at, '!');
	close(fd);
	for (unsigned threads = 1; threads <= 4; threads += 3) {
		const struct bt_check_options options = {.size = sizeof(options), .threads = threads};

		check_with(&world, true, &options, threads == 1 ? &serial : &parallel, &result);
		assert_int_equal(result.contents, 200);
	}
	assert_true(serial.count >= 3);
	assert_string_equal(serial.text, parallel.text);
	assert_non_null(strstr(serial.text, "file030 0+40000\n"));
	assert_non_null(strstr(serial.text, "\n  +"));
	world_end(&world);
}

/* Parts leave nothing out, and all but one part are clean. */
static void test_parts(void **state)
{
	struct world world;
	struct seen seen;
	uint64_t bytes = 0;
	unsigned found = 0;

	world_begin(&world);
	put_noise(&world, "noise", 30000000, 1);
	world_snap(&world);
	int fd = open_in_store(&world, world.result.name);
	put_byte(fd, 20000000, '!');
	close(fd);
	for (unsigned part = 1; part <= 7; part++) {
		const struct bt_check_options options = {
			.size = sizeof(options), .part = part, .parts = 7, .threads = 2};
		struct bt_check_result result = {.size = sizeof(result)};

		check_with(&world, true, &options, &seen, &result);
		found += seen.count;
		bytes += result.bytes;
		assert_true(result.bytes < 30000000 && !result.complete);
	}
	assert_int_equal(found, 1);
	assert_int_equal(bytes, 30000000);
	world_end(&world);
}

/* About so many of the contents, and others each time. */
static void test_share(void **state)
{
	enum { BLOCKS = 48, ROUNDS = 40 }; /* small blocks: what is read is counted, not of interest */
	const unsigned shares[] = {100, 1000, 3400, 6000, 9900, 10000};
	struct world world;
	struct seen seen;
	struct bt_check_result whole = {.size = sizeof(whole)};
	unsigned different = 0;

	world_begin(&world);
	const struct sample store = {.dirfd = open(world.store_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	int fd = sample_contents_dir(&store);
	struct bt_writer *writer = sample_writer(fd, VOLUME_HEADER);
	for (uint64_t block = 0; block < BLOCKS; block++)
		sample_contents(writer, block, 1, 1000);
	sample_seal(writer, "{}", "00112233445566778899aabbccddeeff.json");
	bt_writer_free(writer);
	close(fd);
	close(store.dirfd);
	check_with(&world, true, NULL, &seen, &whole);
	for (size_t i = 0; i < sizeof(shares) / sizeof(*shares); i++) {
		const struct bt_check_options options = {.size = sizeof(options), .share = shares[i], .threads = 2};
		uint64_t sum = 0, first = 0;

		for (int round = 0; round < ROUNDS; round++) {
			struct bt_check_result result = {.size = sizeof(result)};

			assert_int_equal(check_with(&world, true, &options, &seen, &result), 0);
			assert_false(result.complete);
			sum += result.bytes;
			first = round ? first : result.bytes;
			different += result.bytes != first;
		}
		/* seven standard deviations at least */
		double share = (double)sum / ROUNDS / (double)whole.bytes, wanted = shares[i] / 10000.0;
		assert_true(share > wanted - 0.1 && share < wanted + 0.1);
		assert_true(shares[i] != 10000 || share == 1);
	}
	assert_true(different > ROUNDS);
	world_end(&world);
}

/* Derived data may be anything. */
static void test_cache_is_not_trusted(void **state)
{
	char first[64], second[64], volume[64], path[256], **names;
	struct world world;
	struct seen seen;
	struct bt_check_result result = {.size = sizeof(result)};

	make_small(&world, first, second, volume);
	check_with(&world, false, NULL, &seen, &result);
	snprintf(path, sizeof(path), "%s/cache", world.store_path);
	size_t count = list_names(path, &names);
	assert_true(count > 0);
	for (size_t i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "cache/%s", names[i]);
		int fd = open_in_store(&world, path);
		off_t size = lseek(fd, 0, SEEK_END);
		for (off_t at = 0; at < size; at += 7)
			put_byte(fd, (uint64_t)at, get_byte(fd, (uint64_t)at) ^ 0x10);
		close(fd);
		free(names[i]);
	}
	free(names);
	assert_int_equal(check_with(&world, false, NULL, &seen, &result), 0);
	world_end(&world);
}

/* ---- version 1 ---- */

#define CLASSIC "snapshot_2024-12-01T10-00-00.json"
#define HELLO	"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
#define CLASSIC_TEXT                                                                                                   \
	"{\"timestamp\": \"2024-12-01T10-00-00\", \"files\": {\"/d/a\": \"" HELLO "\", \"/d/b/c\": \"" HELLO           \
	"\"}, \"file_contents\": {\"" HELLO "\": \"aGVsbG8=\"}, \"directory_size\": 10, \"snapshot_size\": 5}"

static void put_classic(struct world *world, const char *text)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/" CLASSIC, world->store_path);
	write_file(path, text, strlen(text));
}

static void test_classic(void **state)
{
	static const char text[] = CLASSIC_TEXT;
	struct world world;
	struct seen seen;
	struct bt_check_result result = {.size = sizeof(result)};

	world_begin(&world);
	put_classic(&world, text);
	assert_int_equal(check_with(&world, false, NULL, &seen, &result), 0);
	assert_int_equal(result.bytes, 5);
	int fd = open_in_store(&world, CLASSIC);
	/* every bit of the content, while cache/ has the file that was derived before */
	uint64_t content = (uint64_t)(strstr(text, "aGVs") - text);
	for (uint64_t bit = 0; bit < 64; bit++) {
		unsigned char byte = get_byte(fd, content + bit / 8);

		put_byte(fd, content + bit / 8, byte ^ (unsigned char)(1 << bit % 8));
		check_with(&world, false, NULL, &seen, &result);
		if (seen.count != 1 || !strstr(seen.text, CLASSIC " "))
			fail_msg("bit %llu: %s", (unsigned long long)bit, seen.text);
		put_byte(fd, content + bit / 8, byte);
		assert_int_equal(check_with(&world, false, NULL, &seen, &result), 0);
	}
	put_byte(fd, content, 'b');
	check_with(&world, false, NULL, &seen, &result);
	assert_string_equal(seen.text, CLASSIC " digest-mismatch\n  " CLASSIC ":a -1+0\n  " CLASSIC ":b/c -1+0\n");
	put_byte(fd, content, 'a');
	/* one of the digests */
	put_byte(fd, (uint64_t)(strstr(text, HELLO) - text), 'f');
	check_with(&world, false, NULL, &seen, &result);
	assert_string_equal(seen.text, CLASSIC " missing-content\n  " CLASSIC ":a -1+0\n");
	close(fd);
	world_end(&world);
}

/* ---- the rest ---- */

static bool stop_after(void *arg)
{
	atomic_int *left = arg; /* several threads ask */

	return atomic_fetch_sub(left, 1) <= 0;
}

static void test_cancelled(void **state)
{
	struct world world;

	world_begin(&world);
	put_noise(&world, "noise", 5000000, 1);
	world_snap(&world);
	for (int after = 0; after < 10; after++) {
		atomic_int left = after;
		const struct bt_observer observer = {.arg = &left, .cancelled = stop_after};
		struct bt_check_result result = {.size = sizeof(result)};
		const struct bt_check_options options = {.size = sizeof(options), .threads = 2};

		assert_int_equal(bt_check(world.store, &options, NULL, NULL, &observer, &result, NULL), BT_E_CANCELLED);
		assert_false(result.complete);
	}
	world_end(&world);
}

static void test_bad_arguments(void **state)
{
	struct world world;
	const struct bt_check_options none = {
		.size = sizeof(none), .names = (const char *[]){"snapshot_2000-01-01T00-00-00Z.json"}, .name_count = 1};
	const struct bt_check_options part = {.size = sizeof(part), .part = 8, .parts = 7},
				      share = {.size = sizeof(share), .share = 10001};

	world_begin(&world);
	assert_int_equal(bt_check(world.store, NULL, NULL, NULL, NULL, NULL, NULL), 0);
	assert_int_equal(bt_check(world.store, &none, NULL, NULL, NULL, NULL, NULL), BT_E_NOT_FOUND);
	assert_int_equal(bt_check(world.store, &part, NULL, NULL, NULL, NULL, NULL), BT_E_INVALID);
	assert_int_equal(bt_check(world.store, &share, NULL, NULL, NULL, NULL, NULL), BT_E_INVALID);
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_damaged_pages),
		cmocka_unit_test(test_missing_and_exchanged),
		cmocka_unit_test(test_versions_in_pieces),
		cmocka_unit_test(test_threads_and_bound),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_cache_is_not_trusted),
		cmocka_unit_test(test_classic),
		cmocka_unit_test(test_cancelled),
		cmocka_unit_test(test_bad_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
