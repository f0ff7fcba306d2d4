/* SPDX-License-Identifier: MIT */
#include "codec/hash.h"
#include "snapshot_world.h"

#include <backuptool/search.h>
#include <backuptool/stats.h>

struct heard {
	char text[1024];
	unsigned stop_after;
};

static int hear(void *arg, const struct bt_match *match)
{
	struct heard *heard = arg;

	strcat(strcat(heard->text, match->path), " ");
	return heard->stop_after && --heard->stop_after == 0 ? BT_E_CANCELLED : 0;
}

static int search(struct world *world, struct bt_search wanted, struct heard *heard)
{
	struct bt_error error = {0};

	wanted.size = sizeof(wanted);
	int r = bt_search_run(world->store, &wanted, hear, heard, NULL, &error);

	assert_int_equal(r, error.code);
	return r;
}

#define EXPECT(wanted_result, wanted_text, ...)                                                                        \
	do {                                                                                                           \
		struct heard heard = {0};                                                                              \
		assert_int_equal(search(&world, (struct bt_search){__VA_ARGS__}, &heard), wanted_result);              \
		assert_string_equal(heard.text, wanted_text);                                                          \
	} while (0)

static void test_each_version_once(void **state)
{
	struct world world;
	const struct bt_time past = {1000000000, 0}, future = {INT64_C(1) << 40, 0};

	world_begin(&world);
	put_dir(&world, "a");
	put_text(&world, "a/one.txt", "1");
	put_text(&world, "a/#two#", "2");
	put_text(&world, "three.txt", "3");
	age();
	world_snap(&world);
	put_text(&world, "three.txt", "three");
	put_text(&world, "a/new", "n");
	world_snap(&world);
	world_open_store(&world);
	EXPECT(0, "a/one.txt three.txt three.txt ", .pattern = "*.txt");
	EXPECT(0, "a/one.txt ", .pattern = "/a/*.txt");
	EXPECT(0, "a/#two# ", .pattern = "#two#");
	EXPECT(0, "a ", .pattern = "a/");
	EXPECT(0, "three.txt ", .hash = "4e07408562be");
	EXPECT(0, "", .hash = "4e07408562bf");
	EXPECT(0, "a a/#two# a/new a/one.txt three.txt three.txt ", .newer = &past);
	EXPECT(0, "", .newer = &future);
	EXPECT(BT_E_INVALID, "", .pattern = "");
	EXPECT(BT_E_INVALID, "", .hash = "XY");
	const char *oldest = bt_store_snapshot_name(world.store, 0);
	EXPECT(0, "a/one.txt three.txt ", .pattern = "*.txt", .names = &oldest, .name_count = 1);
	struct heard heard = {.stop_after = 1};
	assert_int_equal(search(&world, (struct bt_search){.pattern = "*"}, &heard), BT_E_CANCELLED);
	assert_string_equal(heard.text, "a ");
	world_end(&world);
}

static uint64_t hashed; /* bytes */
/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
void __real_bt_hasher_add(struct bt_hasher *hasher, const void *data, size_t length);
void __wrap_bt_hasher_add(struct bt_hasher *hasher, const void *data, size_t length);
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

void __wrap_bt_hasher_add(struct bt_hasher *hasher, const void *data, size_t length)
{
	hashed += length;
	__real_bt_hasher_add(hasher, data, length);
}

/* A path can be as long as the store: a search goes through the names, each once, not through the paths. */
static void test_deep_paths(void **state)
{
	enum { DEPTH = 15, LENGTH = 200 };
	struct world world;
	struct heard heard = {0};
	char name[LENGTH + 1] = "";

	world_begin(&world);
	memset(name, 'd', LENGTH);
	int fd = open(in_source(&world, ""), O_RDONLY | O_DIRECTORY), below;
	for (size_t i = 0; i < DEPTH; i++, fd = below) {
		assert_int_equal(mkdirat(fd, name, 0755), 0);
		below = openat(fd, name, O_RDONLY | O_DIRECTORY);
		close(fd);
	}
	close(fd);
	world_snap(&world);
	world_open_store(&world);
	hashed = 0;
	assert_int_equal(search(&world, (struct bt_search){.pattern = "nothing"}, &heard), 0);
	assert_in_range(hashed, DEPTH * LENGTH, (uint64_t)DEPTH * (LENGTH + 200));
	world_end(&world);
}

struct seen {
	struct bt_stats_snapshot items[4];
	size_t count;
};

static void see(void *arg, const struct bt_stats_snapshot *snapshot)
{
	struct seen *seen = arg;

	assert_true(seen->count < 4);
	seen->items[seen->count++] = *snapshot;
}

static void test_stats(void **state)
{
	struct world world;
	struct seen seen = {0};
	struct bt_stats stats = {.size = sizeof(stats)};
	struct bt_error error = {0};

	world_begin(&world);
	put_noise(&world, "noise", 50000, 1);
	put_noise(&world, "copy", 50000, 1);
	age();
	world_snap(&world);
	put_noise(&world, "more", 1000, 2);
	world_snap(&world);
	world_open_store(&world);
	assert_int_equal(bt_stats_gather(world.store, NULL, see, &seen, NULL, &stats, &error), 0);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.items[0].fresh, 50000);
	assert_int_equal(seen.items[0].size, 100000);
	assert_int_equal(seen.items[1].fresh, 1000);
	assert_int_equal(stats.snapshots, 2);
	assert_int_equal(stats.files, 5);
	assert_int_equal(stats.logical, 201000);
	assert_int_equal(stats.contents, 2);
	assert_int_equal(stats.unique, 51000);
	assert_in_range(stats.stored, 51000 * 4 / 3, 51000 * 4 / 3 + 500);
	assert_int_equal(stats.dead, 0);
	assert_int_equal(stats.store_files, 2);
	assert_true(stats.store_bytes > stats.stored);
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_version_once),
		cmocka_unit_test(test_deep_paths),
		cmocka_unit_test(test_stats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
