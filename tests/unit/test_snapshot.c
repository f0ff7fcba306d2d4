/* SPDX-License-Identifier: MIT */
/* What a snapshot holds, and how it is asked for. */
#include "remote_backend.h"
#include "snapshot_kinds.h"

#include "store/store.h"
#include <pthread.h>

static void test_round_trip(void **state)
{
	struct world world;

	world_begin_at(&world, "/tmp");
	put_all_kinds(&world);
	age();
	for (unsigned threads = 1; threads <= 3; threads++) {
		world.options.threads = threads;
		world.options.force = true;
		world_snap(&world);
		world_compare(&world);
	}
	struct looked looked = look_up(&world, "a.txt");
	assert_non_null(looked.entry);
	assert_int_equal(looked.entry->extra ? looked.entry->extra->xattr_count : 0,
			 lgetxattr(in_source(&world, "a.txt"), "user.zebra", NULL, 0) == 1 ? 2 : 0);
	drop_entry(&world, &looked);
	/* The same from the parent's entries, of which all are safe by now. */
	world.options.force = false;
	world_snap(&world);
	assert_int_equal(world.result.created + world.result.changed, 0);
	world_compare(&world);
	world_end(&world);
}

static void test_empty_target(void **state)
{
	struct world world;

	world_begin(&world);
	world_snap(&world);
	assert_int_equal(world.result.files, 0);
	assert_int_equal(world.result.directories, 1);
	world_compare(&world);
	world_end(&world);
}

static void test_deep_and_wide(void **state)
{
	enum { DEPTH = 400, WIDTH = 3000 };
	struct world world;
	char name[64];

	world_begin(&world);
	put_dir(&world, "wide");
	for (unsigned i = 0; i < WIDTH; i++) {
		snprintf(name, sizeof(name), "wide/%u", i * 7919 % 100003);
		put_text(&world, name, name);
	}
	int fd = open(world.source, O_PATH | O_CLOEXEC);
	for (unsigned i = 0; i < DEPTH; i++) {
		assert_int_equal(mkdirat(fd, "d", 0755), 0);
		int below = openat(fd, "d", O_PATH | O_CLOEXEC);
		close(fd);
		fd = below;
	}
	close(fd);
	world_snap(&world);
	assert_int_equal(world.result.files, WIDTH);
	assert_int_equal(world.result.directories, DEPTH + 2);
	world_compare(&world);
	/* One file more in the wide directory: one leaf and the index page over it. */
	age();
	world_snap(&world);
	put_text(&world, "wide/one more", "x");
	world_snap(&world);
	assert_int_equal(world.result.created, 1);
	assert_true(snapshot_size(&world) < 300000);
	world_compare(&world);
	world_end(&world);
}

static void test_sparse(void **state)
{
	struct world world;
	struct stat st;

	world_begin(&world);
	put_sparse(&world, "sparse");
	assert_int_equal(stat(in_source(&world, "sparse"), &st), 0);
	if ((size_t)st.st_blocks * 512 >= 30 * MIB) {
		world_end(&world);
		print_message("no sparse files here\n");
		skip();
	}
	world_snap(&world);
	assert_true(world.result.new_bytes <= 3 * MIB + 8192);
	struct looked looked = look_up(&world, "sparse");
	const struct bt_extra *extra = looked.entry->extra;
	assert_true(extra->has_chunks);
	assert_int_equal(extra->hole_count, 3);
	assert_int_equal(extra->holes[0].offset, 0);
	assert_int_equal(extra->holes[0].length, 8 * MIB);
	assert_int_equal(extra->holes[2].offset, 23 * MIB);
	assert_int_equal(extra->holes[2].length, 17 * MIB);
	drop_entry(&world, &looked);
	world_compare(&world);
	world_end(&world);
}

static void test_dry_run(void **state)
{
	struct world world;

	world_begin(&world);
	put_noise(&world, "a", 700000, 1);
	put_noise(&world, "b", 1000, 2);
	put_noise(&world, "same as b", 1000, 2);
	world.options.dry_run = true;
	world_snap(&world);
	assert_string_equal(world.result.name, "");
	assert_int_equal(world.result.created, 3);
	assert_int_equal(world.result.new_bytes, 701000);
	assert_int_equal(world.result.written_bytes, 0);
	assert_int_equal(count_in_store(&world, "", ".json"), 0);
	assert_int_equal(count_in_store(&world, "contents", ".json"), 0);
	world_end(&world);
}

static void test_names_and_tags(void **state)
{
	static const char *const tags[] = {"b", "a", "b"}, *const bad[] = {"a\nb"};
	const struct bt_time time = {1700000000, 5};
	struct world world;

	world_begin(&world);
	world.options.time = &time;
	world.options.tags = tags;
	world.options.tag_count = 3;
	world_snap(&world);
	assert_string_equal(world.result.name, "snapshot_2023-11-14T22-13-20Z.json");
	world_snap(&world);
	assert_string_equal(world.result.name, "snapshot_2023-11-14T22-13-20Z-1.json");
	assert_string_equal(world.result.parent, "snapshot_2023-11-14T22-13-20Z.json");
	world_snap(&world);
	assert_string_equal(world.result.name, "snapshot_2023-11-14T22-13-20Z-2.json");
	struct bt_snapshot *snapshot = world_snapshot(&world, world.result.name);
	const struct bt_snapshot_info *info = bt_snapshot_info(snapshot);
	assert_int_equal(info->time.seconds, time.seconds);
	assert_int_equal(info->time.nanoseconds, time.nanoseconds);
	assert_int_equal(info->tag_count, 2);
	assert_string_equal(info->tags[0], "a");
	assert_string_equal(info->tags[1], "b");
	assert_string_equal(info->target, world.source);
	assert_string_equal(info->parent, "snapshot_2023-11-14T22-13-20Z-1.json");
	bt_snapshot_close(snapshot);
	world.options.tags = bad;
	world.options.tag_count = 1;
	assert_int_equal(world_take(&world), BT_E_INVALID);
	world.options.tag_count = 0;
	world.options.level = BT_COMPRESSION_MAX + 1;
	assert_int_equal(world_take(&world), BT_E_INVALID);
	assert_int_equal(count_in_store(&world, "", ".json"), 3);
	world_end(&world);
}

static void test_excluded(void **state)
{
	static const char *const patterns[] = {"*.o", "!keep.o"}, *const markers[] = {".nobackup"};
	struct world world;

	world_begin(&world);
	put_text(&world, "a.o", "x");
	put_text(&world, "keep.o", "x");
	put_dir(&world, "out");
	put_text(&world, "out/.nobackup", "");
	put_text(&world, "out/large", "x");
	world.options.exclude = patterns;
	world.options.exclude_count = 2;
	world.options.exclude_if_present = markers;
	world.options.exclude_if_present_count = 1;
	world_snap(&world);
	assert_true(world.result.left_out >= 2);
	struct looked looked = look_up(&world, "a.o");
	assert_null(looked.entry);
	drop_entry(&world, &looked);
	looked = look_up(&world, "keep.o");
	assert_non_null(looked.entry);
	drop_entry(&world, &looked);
	looked = look_up(&world, "out/large");
	assert_null(looked.entry);
	drop_entry(&world, &looked);
	looked = look_up(&world, "out");
	assert_non_null(looked.entry);
	drop_entry(&world, &looked);
	world_end(&world);
}

static void test_store_inside(void **state)
{
	SKIP_IF_REMOTE();

	struct world world;

	world_begin(&world);
	snprintf(world.store_path, sizeof(world.store_path), "%s/backups", world.source);
	world_open_store(&world);
	put_text(&world, "a", "a");
	world_snap(&world);
	world_snap(&world);
	struct looked looked = look_up(&world, "backups");
	assert_null(looked.entry);
	drop_entry(&world, &looked);
	assert_int_equal(world.result.files, 1);
	world_end(&world);
}

static void *take_it(void *arg)
{
	world_take(arg);
	return NULL;
}

/* What waited for others is named after the time when it could begin. */
static void test_time_after_wait(void **state)
{
	const struct bt_store_options patient = {.size = sizeof(patient), .lock_wait_ms = -1};
	struct world world;
	pthread_t thread;
	int lock;
	struct timespec before, now;

	world_begin(&world);
	put_text(&world, "a", "a");
	assert_int_equal(bt_store_lock(world.store, BT_LOCK_EXCLUSIVE, NULL, &lock, &world.error), 0);
	bt_store_close(world.store);
	assert_int_equal(bt_store_open(world.store_path, &patient, &world.store, &world.error), 0);
	assert_int_equal(pthread_create(&thread, NULL, take_it, &world), 0);
	clock_gettime(CLOCK_REALTIME, &before);
	do {
		usleep(50000);
		clock_gettime(CLOCK_REALTIME, &now);
	} while (now.tv_sec < before.tv_sec + 2);
	close(lock);
	pthread_join(thread, NULL);
	assert_int_equal(world.error.code, 0);
	struct bt_snapshot *snapshot = world_snapshot(&world, world.result.name);
	assert_true(bt_snapshot_info(snapshot)->time.seconds >= now.tv_sec);
	bt_snapshot_close(snapshot);
	world_end(&world);
}

/* Through a link, by another path: the target is the same. Another target's snapshot is no parent. */
static void test_target(void **state)
{
	struct world world;
	char source[80];

	world_begin(&world);
	snprintf(source, sizeof(source), "%.79s", world.source);
	put_text(&world, "a", "a");
	world_snap(&world);
	put_dir(&world, "below");
	snprintf(world.source, sizeof(world.source), "%s/below", source);
	world_snap(&world);
	assert_string_equal(world.result.parent, "");
	snprintf(world.source, sizeof(world.source), "%s/link", world.base);
	assert_int_equal(symlink(source, world.source), 0);
	world_snap(&world);
	assert_string_not_equal(world.result.parent, "");
	assert_int_equal(world.result.unchanged, 1);
	snprintf(world.source, sizeof(world.source), "%s/a", source);
	assert_int_equal(world_take(&world), BT_E_SYSTEM);
	assert_int_equal(world.error.sys, ENOTDIR);
	snprintf(world.source, sizeof(world.source), "%s/missing", source);
	assert_int_equal(world_take(&world), BT_E_SYSTEM);
	assert_int_equal(world.error.sys, ENOENT);
	world_end(&world);
}

static void count_entry(void *arg, enum bt_event event, const char *path)
{
	((unsigned *)arg)[event]++;
}

static void test_observer(void **state)
{
	struct world world;
	unsigned events[8] = {0};
	static const char *const patterns[] = {"*.o"};

	world_begin(&world);
	world.observer = (struct bt_observer){.arg = events, .entry = count_entry};
	world.options.exclude = patterns;
	world.options.exclude_count = 1;
	put_text(&world, "a", "a");
	put_text(&world, "b", "b");
	put_text(&world, "c.o", "c");
	world_snap(&world);
	assert_int_equal(events[BT_EVENT_NEW], 2);
	assert_int_equal(events[BT_EVENT_EXCLUDED], 1);
	put_text(&world, "a", "A");
	world_snap(&world);
	assert_int_equal(events[BT_EVENT_CHANGED], 1);
	assert_int_equal(events[BT_EVENT_UNCHANGED], 1);
	world_end(&world);
}

static void add_size(void *arg, enum bt_event event, const char *path, uint64_t bytes)
{
	uint64_t *sizes = arg;

	assert_int_not_equal(bytes, BT_SIZE_UNKNOWN);
	sizes[event] += bytes;
}

/* Of an observer that says how large it is. */
static void test_observer_sizes(void **state)
{
	struct world world;
	uint64_t sizes[8] = {0};
	static const char *const patterns[] = {"*.o"};

	world_begin(&world);
	world.observer = (struct bt_observer){.size = sizeof(world.observer), .arg = sizes, .sized = add_size};
	world.options.exclude = patterns;
	world.options.exclude_count = 1;
	put_text(&world, "a", "a");
	put_text(&world, "b", "bb");
	put_text(&world, "c.o", "ccc");
	put_dir(&world, "d");
	put_text(&world, "d/e", "eeee");
	world_snap(&world);
	assert_int_equal(sizes[BT_EVENT_NEW], 7);
	assert_int_equal(sizes[BT_EVENT_EXCLUDED], 3);
	put_text(&world, "a", "AAAAA");
	assert_int_equal(unlink(in_source(&world, "d/e")), 0);
	assert_int_equal(rmdir(in_source(&world, "d")), 0);
	world_snap(&world);
	assert_int_equal(sizes[BT_EVENT_CHANGED], 5);
	assert_int_equal(sizes[BT_EVENT_UNCHANGED], 2);
	assert_int_equal(sizes[BT_EVENT_REMOVED], 4);
	world.observer = (struct bt_observer){.arg = sizes, .sized = add_size}; /* as of an older header */
	world_snap(&world);
	assert_int_equal(sizes[BT_EVENT_UNCHANGED], 2);
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),	cmocka_unit_test(test_empty_target),
		cmocka_unit_test(test_deep_and_wide),	cmocka_unit_test(test_sparse),
		cmocka_unit_test(test_dry_run),		cmocka_unit_test(test_names_and_tags),
		cmocka_unit_test(test_excluded),	cmocka_unit_test(test_store_inside),
		cmocka_unit_test(test_target),		cmocka_unit_test(test_observer),
		cmocka_unit_test(test_time_after_wait), cmocka_unit_test(test_observer_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
