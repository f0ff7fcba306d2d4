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

static void test_what_an_entry_is(void **state)
{
	struct world world;
	const struct bt_time then = {1000000000, 0}, later = {1000000001, 0};
	const uint64_t one = 1, three = 3, four = 4, nothing = 0;
	const struct timespec old[] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};

	world_begin(&world);
	put_dir(&world, "D");
	put_text(&world, "D/none", "");
	put_text(&world, "D/three", "333");
	put_text(&world, "D/Four", "4444");
	put_text(&world, "D/\303\234ber", "u");
	assert_int_equal(symlink("D", in_source(&world, "link")), 0);
	assert_int_equal(utimensat(AT_FDCWD, in_source(&world, "D/three"), old, 0), 0);
	age();
	world_snap(&world);
	world_open_store(&world);
	EXPECT(0, "D/Four D/three ", .at_least = &three);
	EXPECT(0, "D/three ", .at_least = &three, .at_most = &three);
	EXPECT(0, "D/none ", .at_most = &nothing);
	EXPECT(0, "", .at_least = &four, .at_most = &one);
	EXPECT(0, "D ", .types = 1u << BT_DIR);
	EXPECT(0, "D link ", .types = 1u << BT_DIR | 1u << BT_SYMLINK);
	EXPECT(0, "D/Four ", .pattern = "[E-G]*", .types = 1u << BT_FILE);
	EXPECT(0, "D/three ", .older = &later);
	EXPECT(0, "", .older = &then);
	EXPECT(0, "", .pattern = "four");
	EXPECT(0, "D/Four ", .pattern = "four", .any_case = true);
	EXPECT(0, "D/Four ", .pattern = "[E-G]OUR", .any_case = true);
	EXPECT(0, "D/three ", .pattern = "/d/TH*", .any_case = true);
	EXPECT(0, "D/\303\234ber ", .pattern = "\303\274BER", .any_case = true);
	EXPECT(0, "", .pattern = "/d/TH*");
	world_end(&world);
}

/* Names as pages write them in other ways, and directories on the way. Without regard to case no text of a page is
 * looked at before it is parsed. */
static void test_no_page_is_passed_wrongly(void **state)
{
	static const char *const names[] = {
		"say \"hello\"",     "back\\slash", "new\nline", "\177del",	    "\377raw hello",
		"\342\202\254 euro", "plain hello", "name_b64",	 "d\"type\":\"dir", "hello"};
	static const char *const patterns[] = {
		"*hello*", "*hello\"",	  "say*",  "*back\\\\sl*",  "*\\\\*",	  "new\nline",	  "*\nline",  "*del",
		"\177*",   "*raw*",	  "\377*", "\342\202\254*", "*\202\254*", "name*",	  "*type*",   "*\"*",
		"hello",   "plain?hello", "*o",	   "[h]*",	    "dir/*",	  "dir/**/hello", "dir/?ello"};
	struct world world;

	world_begin(&world);
	put_dir(&world, "dir");
	put_dir(&world, "dir/below");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char path[64];

		put_text(&world, names[i], "text");
		snprintf(path, sizeof(path), "dir/below/%zu", i);
		put_dir(&world, path);
		snprintf(path, sizeof(path), "dir/below/%zu/%s", i, names[i]);
		put_text(&world, path, "text");
	}
	age();
	world_snap(&world);
	world_open_store(&world);
	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
		struct heard skimmed = {0}, parsed = {0};

		assert_int_equal(search(&world, (struct bt_search){.pattern = patterns[i]}, &skimmed), 0);
		assert_int_equal(search(&world, (struct bt_search){.pattern = patterns[i], .any_case = true}, &parsed),
				 0);
		assert_string_equal(skimmed.text, parsed.text);
		assert_int_equal(!*skimmed.text, !strncmp(patterns[i], "dir/?", 5));
	}
	world_end(&world);
}

static void test_pages_of_a_large_directory(void **state)
{
	struct world world;

	world_begin(&world);
	for (unsigned i = 0; i < 1000; i++) {
		char name[16];

		snprintf(name, sizeof(name), "file-%03u", i);
		put_text(&world, name, "text");
	}
	put_dir(&world, "file-500.d");
	put_text(&world, "file-500.d/file-777", "other");
	age();
	world_snap(&world);
	world_open_store(&world);
	EXPECT(0, "file-007 ", .pattern = "file-007");
	EXPECT(0, "file-500.d/file-777 file-777 ", .pattern = "*-777");
	EXPECT(0, "file-500.d ", .pattern = "*[d9]", .types = 1u << BT_DIR);
	world_end(&world);
}

static void test_deleted(void **state)
{
	struct world world;

	world_begin(&world);
	put_dir(&world, "gone");
	put_dir(&world, "stays");
	put_text(&world, "gone/a", "a");
	put_text(&world, "stays/a", "a");
	put_text(&world, "stays/b", "b");
	age();
	world_snap(&world);
	put_text(&world, "stays/b", "other b");
	put_text(&world, "short", "lived");
	age();
	world_snap(&world);
	remove_tree(in_source(&world, "gone"));
	unlink(in_source(&world, "stays/b"));
	unlink(in_source(&world, "short"));
	world_snap(&world);
	world_open_store(&world);
	EXPECT(0, "gone gone/a short stays/b ", .deleted = true);
	EXPECT(0, "stays/b ", .deleted = true, .pattern = "b");
	EXPECT(0, "gone/a ", .deleted = true, .pattern = "a");
	const char *newest = bt_store_snapshot_name(world.store, 2), *oldest = bt_store_snapshot_name(world.store, 0);
	EXPECT(0, "", .deleted = true, .names = &newest, .name_count = 1);
	EXPECT(0, "gone gone/a stays/b ", .deleted = true, .names = &oldest, .name_count = 1);
	world.options.host = "another";
	world_snap(&world);
	put_text(&world, "short", "lived");
	world_snap(&world);
	world_open_store(&world);
	EXPECT(0, "gone gone/a short stays/b ", .deleted = true);
	world_end(&world);
}

/* What one host still has may be deleted on another one, though both had the same directory. */
static void test_deleted_by_host(void **state)
{
	struct world world;

	world_begin(&world);
	put_dir(&world, "d");
	put_text(&world, "d/x", "x");
	put_text(&world, "d/y", "y");
	age();
	world.options.host = "first";
	world_snap(&world);
	world.options.host = "second";
	world_snap(&world);
	put_text(&world, "d/z", "z");
	age();
	world_snap(&world);
	world.options.host = "first";
	unlink(in_source(&world, "d/y"));
	world_snap(&world);
	world_open_store(&world);
	EXPECT(0, "d/y ", .deleted = true);
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

static void add_frees(void *arg, const char *name, uint64_t frees)
{
	struct seen *seen = arg;

	assert_true(seen->count < 4);
	seen->items[seen->count++].fresh = frees;
}

static void take_own(void *arg, const struct bt_usage *usage)
{
	*(uint64_t *)arg = usage->own;
}

/* Of each snapshot as of the only one that is asked about. */
static void test_frees(void **state)
{
	struct world world;
	struct seen seen = {0};
	struct bt_error error = {0};

	world_begin(&world);
	put_dir(&world, "d");
	put_dir(&world, "d/e");
	put_noise(&world, "d/e/old", 40000, 1);
	put_noise(&world, "d/stays", 30000, 2);
	put_noise(&world, "large", 3 * MIB, 7);
	age();
	world_snap(&world);
	assert_int_equal(rename(in_source(&world, "d/e/old"), in_source(&world, "moved")), 0);
	put_noise(&world, "twice", 5000, 3);
	put_noise(&world, "d/twice", 5000, 3);
	world_snap(&world);
	unlink(in_source(&world, "moved"));
	unlink(in_source(&world, "twice"));
	unlink(in_source(&world, "d/twice"));
	put_noise(&world, "d/e/last", 1000, 4);
	world_snap(&world);
	world_open_store(&world);
	assert_int_equal(bt_frees_gather(world.store, NULL, add_frees, &seen, NULL, &error), 0);
	assert_int_equal(seen.count, 3);
	for (size_t i = 0; i < 3; i++) {
		struct bt_snapshot *snapshot = world_snapshot(&world, bt_store_snapshot_name(world.store, i));
		const struct bt_snapshot_info *info = bt_snapshot_info(snapshot);
		uint64_t own = 1;

		assert_int_equal(bt_usage_gather(world.store, info, &info->root, take_own, &own, NULL, &error), 0);
		assert_int_equal(seen.items[i].fresh, own);
		bt_snapshot_close(snapshot);
	}
	assert_int_equal(seen.items[0].fresh, 0);
	assert_int_equal(seen.items[1].fresh, 5000);
	assert_int_equal(seen.items[2].fresh, 1000);
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_version_once),
		cmocka_unit_test(test_what_an_entry_is),
		cmocka_unit_test(test_no_page_is_passed_wrongly),
		cmocka_unit_test(test_pages_of_a_large_directory),
		cmocka_unit_test(test_deleted),
		cmocka_unit_test(test_deleted_by_host),
		cmocka_unit_test(test_deep_paths),
		cmocka_unit_test(test_stats),
		cmocka_unit_test(test_frees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
