/* SPDX-License-Identifier: MIT */
/* What a snapshot takes from the one before. */
#include "snapshot_kinds.h"
#include <sys/inotify.h>

/* Events of opening something else than a directory, in all that was watched. */
static unsigned count_opened(int notify)
{
	_Alignas(struct inotify_event) char buffer[16384];
	unsigned count = 0;
	ssize_t got;

	for (got = read(notify, buffer, sizeof(buffer)); got > 0; got = read(notify, buffer, sizeof(buffer)))
		for (ssize_t at = 0; at < got;) {
			const struct inotify_event *event = (const struct inotify_event *)(buffer + at);

			count += !(event->mask & IN_ISDIR);
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	return count;
}

static void test_unchanged(void **state)
{
	struct world world;
	int notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	world_begin(&world);
	put_all_kinds(&world);
	age();
	world_snap(&world);
	uint64_t files = world.result.files;
	assert_true(inotify_add_watch(notify, world.source, IN_OPEN | IN_ACCESS) >= 0);
	assert_true(inotify_add_watch(notify, in_source(&world, "sizes"), IN_OPEN | IN_ACCESS) >= 0);
	assert_true(inotify_add_watch(notify, in_source(&world, "a/b"), IN_OPEN | IN_ACCESS) >= 0);
	world_snap(&world);
	assert_int_equal(world.result.unchanged, files);
	assert_int_equal(world.result.created + world.result.changed, 0);
	assert_int_equal(world.result.new_bytes, 0);
	assert_int_equal(count_opened(notify), 0);
	assert_true(snapshot_size(&world) < 2048);
	/* The witness sees what is opened. */
	world.options.force = true;
	world_snap(&world);
	assert_int_equal(world.result.unchanged, files);
	assert_true(count_opened(notify) > 10);
	close(notify);
	world_end(&world);
}

static void test_changes(void **state)
{
	struct world world;
	struct looked looked;

	world_begin(&world);
	put_dir(&world, "d");
	put_text(&world, "d/changed", "before");
	put_text(&world, "d/deleted", "x");
	put_text(&world, "d/mode", "x");
	put_text(&world, "d/rewritten", "the same");
	put_text(&world, "d/stays", "stays");
	put_text(&world, "d/type", "file");
	age();
	world_snap(&world);
	assert_int_equal(world.result.created, 6);
	put_text(&world, "d/changed", "after!");
	put_text(&world, "d/new", "new");
	assert_int_equal(chmod(in_source(&world, "d/mode"), 0600), 0);
	assert_int_equal(unlink(in_source(&world, "d/deleted")), 0);
	assert_int_equal(unlink(in_source(&world, "d/type")), 0);
	put_dir(&world, "d/type");
	put_text(&world, "d/type/below", "x");
	age();
	world_snap(&world);
	assert_int_equal(world.result.created, 2);
	assert_int_equal(world.result.changed, 2);
	assert_int_equal(world.result.unchanged, 2);
	assert_string_not_equal(world.result.parent, "");
	world_compare(&world);
	looked = look_up(&world, "d/deleted");
	assert_null(looked.entry);
	drop_entry(&world, &looked);
	world_end(&world);
}

static bool has_stat(struct world *world, const char *path)
{
	struct looked looked = look_up(world, path);
	bool has = looked.entry && looked.entry->has_stat;

	drop_entry(world, &looked);
	return has;
}

static void test_racy(void **state)
{
	struct world world;
	struct timespec now;

	world_begin(&world);
	put_text(&world, "old", "x");
	put_text(&world, "coarse", "x");
	put_text(&world, "future", "x");
	clock_gettime(CLOCK_REALTIME, &now);
	set_mtime(in_source(&world, "coarse"), now.tv_sec, 0);
	set_mtime(in_source(&world, "future"), now.tv_sec + 100000, 5);
	age();
	/* ctime within the clock's tick of the snapshot; a busy machine may need more than one go at it. */
	for (int tries = 0; tries == 0 || (tries < 50 && has_stat(&world, "young")); tries++) {
		put_text(&world, "young", "aaaa");
		world_snap(&world);
	}
	assert_true(has_stat(&world, "old"));
	assert_false(has_stat(&world, "coarse"));
	assert_false(has_stat(&world, "future"));
	assert_false(has_stat(&world, "young"));
	age();
	world_snap(&world);
	assert_int_equal(world.result.unchanged, 4);
	assert_true(has_stat(&world, "young"));
	assert_true(has_stat(&world, "old"));
	world_end(&world);
}

/* A change that leaves size and times alike is found after a snapshot in the same tick. */
static void test_racy_change(void **state)
{
	struct world world;
	struct timespec times[2] = {{0, UTIME_OMIT}, {1700000000, 5}};

	world_begin(&world);
	for (unsigned i = 0; i < 20; i++) {
		char text[16];

		snprintf(text, sizeof(text), "%04u", i);
		put_text(&world, "file", text);
		assert_int_equal(utimensat(AT_FDCWD, in_source(&world, "file"), times, 0), 0);
		world_snap(&world);
		world_compare(&world);
	}
	world_end(&world);
}

static void test_skip(void **state)
{
	struct world world;
	char first[64];

	world_begin_at(&world, "/tmp");
	put_dir(&world, "d");
	put_text(&world, "d/a", "a");
	put_text(&world, "d/b", "b");
	world.options.skip_if_unchanged = true;
	world_snap(&world);
	assert_false(world.result.skipped);
	strcpy(first, world.result.name);
	/* Young files are read again, and found to be the same. */
	world_snap(&world);
	assert_true(world.result.skipped);
	assert_string_equal(world.result.name, first);
	assert_int_equal(count_in_store(&world, "", ".json"), 1);
	assert_int_equal(chmod(in_source(&world, "d"), 0700), 0);
	world_snap(&world);
	assert_false(world.result.skipped);
	assert_int_equal(unlink(in_source(&world, "d/a")), 0);
	world_snap(&world);
	assert_false(world.result.skipped);
	world_snap(&world);
	assert_true(world.result.skipped);
	assert_int_equal(lsetxattr(in_source(&world, "d"), "user.x", "1", 1, 0), 0);
	world_snap(&world);
	assert_false(world.result.skipped);
	world_compare(&world);
	assert_int_equal(count_in_store(&world, "", ".json"), 4);
	world_end(&world);
}

/* Deleted without a trace in the directory's time. */
static void test_skip_deleted(void **state)
{
	static const char *const names[] = {"d/a", "d/c"};
	struct world world;

	world_begin(&world);
	world.options.skip_if_unchanged = true;
	put_dir(&world, "d");
	put_text(&world, "d/a", "a");
	put_text(&world, "d/b", "b");
	put_text(&world, "d/c", "c");
	set_mtime(in_source(&world, "d"), 1600000000, 5);
	world_snap(&world);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(unlink(in_source(&world, names[i])), 0);
		set_mtime(in_source(&world, "d"), 1600000000, 5);
		world_snap(&world);
		assert_false(world.result.skipped);
		world_compare(&world);
		world_snap(&world);
		assert_true(world.result.skipped);
	}
	world_end(&world);
}

/* With the other choice all entries change their member, without being read, and nothing else. */
static void test_birth_times(void **state)
{
	struct world world;

	world_begin(&world);
	put_all_kinds(&world);
	age();
	world_snap(&world);
	for (int i = 0; i < 4; i++) {
		world.options.birth_times = i % 2 == 0;
		world_snap(&world);
		assert_int_equal(world.result.unchanged, world.result.files);
		assert_int_equal(world.result.new_bytes, 0);
		assert_false(world.result.rules_changed);
		assert_true(snapshot_size(&world) > 2048); /* pages */
		world_compare(&world);
		world_snap(&world);
		assert_true(snapshot_size(&world) < 2048);
		world_compare(&world);
		put_text(&world, "new", i % 2 ? "a" : "b");
		age();
		world_snap(&world);
		world_compare(&world);
	}
	world_end(&world);
}

/* They are no difference. */
static void test_birth_times_skip(void **state)
{
	struct world world;

	world_begin(&world);
	put_text(&world, "a", "a");
	age();
	world_snap(&world);
	world.options.skip_if_unchanged = true;
	world.options.birth_times = true;
	world_snap(&world);
	assert_true(world.result.skipped);
	/* Born again, with the same bytes and times. */
	set_mtime(in_source(&world, "a"), 1600000000, 5);
	world_snap(&world);
	assert_false(world.result.skipped);
	world_compare(&world);
	assert_int_equal(unlink(in_source(&world, "a")), 0);
	put_text(&world, "a", "a");
	set_mtime(in_source(&world, "a"), 1600000000, 5);
	world_snap(&world);
	assert_int_equal(world.result.changed, 0);
	world_end(&world);
}

static void spoil(struct world *world, const char *name, off_t from_end)
{
	char path[256], byte;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", world->store_path, name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(lseek(fd, -from_end, SEEK_END) > 0);
	assert_int_equal(read(fd, &byte, 1), 1);
	byte ^= 1;
	assert_true(lseek(fd, -1, SEEK_CUR) > 0);
	assert_int_equal(write(fd, &byte, 1), 1);
	close(fd);
}

static void test_damaged_parent(void **state)
{
	struct world world;
	char first[64], second[64];

	world_begin(&world);
	put_text(&world, "a", "a");
	age();
	world_snap(&world);
	strcpy(first, world.result.name);
	put_text(&world, "b", "b");
	world_snap(&world);
	strcpy(second, world.result.name);
	/* In its summary: it does not open, so the one before is the parent. */
	spoil(&world, second, 1000);
	world_open_store(&world);
	world_snap(&world);
	assert_string_equal(world.result.parent, first);
	assert_int_equal(world.result.unchanged, 1);
	world_compare(&world);
	world_end(&world);
}

/* A page of the parent that is damaged is written again, though an unchanged one would not be. */
static void test_damaged_page(void **state)
{
	struct world world;
	char path[256], *text;
	size_t size;

	world_begin(&world);
	put_dir(&world, "d");
	put_text(&world, "d/unmistakable", "a");
	age();
	world_snap(&world);
	snprintf(path, sizeof(path), "%s/%s", world.store_path, world.result.name);
	size = (size_t)size_of(AT_FDCWD, path);
	text = malloc(size);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(read(fd, text, size), size);
	char *at = memmem(text, size, "unmistakable", 12);
	assert_non_null(at);
	assert_int_equal(pwrite(fd, "U", 1, at - text), 1);
	close(fd);
	free(text);
	world_open_store(&world);
	world.options.skip_if_unchanged = true;
	world_snap(&world);
	assert_false(world.result.skipped);
	world_compare(&world);
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unchanged),      cmocka_unit_test(test_changes),
		cmocka_unit_test(test_racy),	       cmocka_unit_test(test_racy_change),
		cmocka_unit_test(test_skip),	       cmocka_unit_test(test_skip_deleted),
		cmocka_unit_test(test_damaged_parent), cmocka_unit_test(test_damaged_page),
		cmocka_unit_test(test_birth_times),    cmocka_unit_test(test_birth_times_skip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
