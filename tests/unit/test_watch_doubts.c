/* SPDX-License-Identifier: MIT */
/* Reasons to look at everything. */
#include "watch_pair.h"

#include "watch/private.h"
#include <sched.h>
#include <sys/inotify.h>

/* In a user namespace of its own, where the limit concerns nobody else; there is no way back. */
static bool limit_watches(const char *count)
{
	char map[32];

	snprintf(map, sizeof(map), "0 %u 1", geteuid());
	return unshare(CLONE_NEWUSER) == 0 && write_text("/proc/self/uid_map", map) &&
	       write_text("/proc/sys/user/max_inotify_watches", count);
}

static void watches_run_out(void **state)
{
	struct pair pair;

	if (!limit_watches("8"))
		skip();
	pair_begin_at(&pair, BT_WATCH_BEST, memory);
	step(&pair, BT_DOUBT_FIRST);
	step(&pair, BT_DOUBT_LIMIT);
	assert_true(write_text("/proc/sys/user/max_inotify_watches", "1000"));
	step(&pair, BT_DOUBT_LIMIT); /* not tried at each run */
	settle();
	take_watched(&pair, true);
	assert_int_equal(pair.watched.doubt, BT_DOUBT_LIMIT);
	compare(&pair);
	c_write(&pair);
	step(&pair, BT_DOUBT_NONE);
	pair_end(&pair);
}

/* Directories of which the last has a longer path than there are. */
static const char level[] = "one of so many directories that nobody can say in one call where the last is";
enum { LEVELS = PATH_MAX / sizeof(level) + 2 };

static int make_levels(const char *top, int levels)
{
	int at = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0; i < levels; i++) {
		assert_int_equal(mkdirat(at, level, 0755), 0);
		int below = openat(at, level, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		close(at);
		at = below;
	}
	assert_true(at >= 0);
	return at;
}

static void remove_levels(int at, int levels)
{
	unlinkat(at, "file", 0);
	for (int i = 0; i < levels; i++) {
		int above = openat(at, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		close(at);
		assert_int_equal(unlinkat(above, level, AT_REMOVEDIR), 0);
		at = above;
	}
	close(at);
}

static void write_in(int dirfd, const char *text)
{
	int fd = openat(dirfd, "file", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void beyond_all_paths(enum bt_watch_kind kind)
{
	struct pair pair;

	pair_begin(&pair, kind);
	int elsewhere = make_levels(at(&pair, "outside"), LEVELS);
	step(&pair, BT_DOUBT_NONE);
	write_in(elsewhere, "not to be saved");
	step(&pair, BT_DOUBT_NONE);
	int below = make_levels(at(&pair, "source"), LEVELS);
	write_in(below, "to be saved");
	step(&pair, BT_DOUBT_LIMIT);
	write_in(below, "to be saved again");
	step(&pair, BT_DOUBT_LIMIT);
	assert_int_equal(pair.watched.changed, 1);
	remove_levels(below, LEVELS);
	remove_levels(elsewhere, LEVELS);
	pair_end(&pair);
}

static void beyond_all_paths_by_fanotify(void **state)
{
	beyond_all_paths(BT_WATCH_FANOTIFY);
}

static void beyond_all_paths_by_inotify(void **state)
{
	beyond_all_paths(BT_WATCH_INOTIFY);
}

/* After each move of a directory it is asked again where the others are: here so often that it is not asked any more.
 * All that happens fits into the kernel's queue. */
static void too_much_beyond_all_paths(void **state)
{
	struct pair pair;
	char name[32], next[32];

	pair_begin(&pair, BT_WATCH_FANOTIFY);
	int outside = open(at(&pair, "outside"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int elsewhere = make_levels(at(&pair, "outside"), 8 * LEVELS);
	step(&pair, BT_DOUBT_NONE);
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "%d", i);
		snprintf(next, sizeof(next), "%d", i + 1);
		assert_int_equal(i ? renameat(outside, name, outside, next) : mkdirat(outside, next, 0755), 0);
		assert_int_equal(mkdirat(elsewhere, name, 0755), 0);
	}
	step(&pair, BT_DOUBT_OVERFLOW);
	c_write(&pair);
	step(&pair, BT_DOUBT_NONE);
	assert_int_equal(pair.watched.changed, 1);
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "%d", i);
		assert_int_equal(unlinkat(elsewhere, name, AT_REMOVEDIR), 0);
	}
	remove_levels(elsewhere, 8 * LEVELS);
	close(outside);
	pair_end(&pair);
}

/* While nobody reads the queue. */
static void too_much_at_once(struct pair *pair)
{
	unsigned long limit = 0;
	FILE *file = fopen("/proc/sys/fs/inotify/max_queued_events", "r");

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%lu", &limit), 1);
	fclose(file);
	if (limit > 100000) {
		pair_end(pair);
		skip();
	}
	pthread_mutex_lock(&pair->watch->lock);
	for (unsigned long i = 0; i < limit + 10; i++)
		dir(at(pair, "source/d1/n%lu", i));
	for (unsigned long i = 0; i < limit + 10; i++)
		rmdir(at(pair, "source/d1/n%lu", i));
	pthread_mutex_unlock(&pair->watch->lock);
}

static void overflow(enum bt_watch_kind kind)
{
	struct pair pair;

	pair_begin(&pair, kind);
	too_much_at_once(&pair);
	step(&pair, BT_DOUBT_OVERFLOW);
	c_truncate(&pair);
	step(&pair, BT_DOUBT_NONE);
	assert_int_equal(pair.watched.changed, 1);
	pair_end(&pair);
}

static void overflow_of_fanotify(void **state)
{
	overflow(BT_WATCH_FANOTIFY);
}

static void overflow_of_inotify(void **state)
{
	overflow(BT_WATCH_INOTIFY);
}

static void a_full_walk_when_it_is_due(void **state)
{
	struct pair pair;

	pair_begin(&pair, BT_WATCH_INOTIFY);
	settle();
	take_watched(&pair, true);
	assert_int_equal(pair.watched.doubt, BT_DOUBT_DUE);
	compare(&pair);
	c_write(&pair);
	step(&pair, BT_DOUBT_NONE);
	pair_end(&pair);
}

static void another_snapshot_between(void **state)
{
	struct pair pair;

	pair_begin(&pair, BT_WATCH_INOTIFY);
	c_write(&pair);
	settle();
	assert_int_equal(bt_snapshot_take(pair.world.store, pair.world.source, NULL, NULL, NULL, NULL), 0);
	step(&pair, BT_DOUBT_PARENT);
	c_truncate(&pair);
	step(&pair, BT_DOUBT_NONE);
	pair_end(&pair);
}

/* What a repair has moved aside the last snapshot may have needed. */
static void a_repair_between(void **state)
{
	struct pair pair;

	pair_begin(&pair, BT_WATCH_INOTIFY);
	dir(at(&pair, "store/damaged"));
	step(&pair, BT_DOUBT_DAMAGE);
	step(&pair, BT_DOUBT_NONE);
	put(at(&pair, "store/damaged/snapshot_2026-01-01T00-00-00Z.json"), "");
	step(&pair, BT_DOUBT_DAMAGE);
	c_truncate(&pair);
	step(&pair, BT_DOUBT_NONE);
	pair_end(&pair);
}

static void a_run_that_failed(void **state)
{
	struct bt_changes *changes;
	struct pair pair;

	pair_begin(&pair, BT_WATCH_INOTIFY);
	c_write(&pair);
	settle();
	assert_int_equal(bt_watch_take(pair.watch, false, &changes, NULL), 0);
	bt_watch_give_back(pair.watch, changes);
	step(&pair, BT_DOUBT_FAILED);
	step(&pair, BT_DOUBT_NONE);
	pair_end(&pair);
}

static void another_root(void **state)
{
	struct pair pair;

	pair_begin(&pair, BT_WATCH_BEST);
	assert_int_equal(rename(pair.world.source, at(&pair, "away")), 0);
	dir(pair.world.source);
	put(at(&pair, "source/f"), "f");
	step(&pair, BT_DOUBT_ROOT);
	put(at(&pair, "source/g"), "g");
	step(&pair, BT_DOUBT_NONE);
	pair_end(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(beyond_all_paths_by_fanotify),
		cmocka_unit_test(beyond_all_paths_by_inotify),
		cmocka_unit_test(too_much_beyond_all_paths),
		cmocka_unit_test(overflow_of_fanotify),
		cmocka_unit_test(overflow_of_inotify),
		cmocka_unit_test(a_full_walk_when_it_is_due),
		cmocka_unit_test(another_snapshot_between),
		cmocka_unit_test(a_repair_between),
		cmocka_unit_test(a_run_that_failed),
		cmocka_unit_test(another_root),
		cmocka_unit_test(watches_run_out),
	};

	return cmocka_run_group_tests(tests, pair_alone, NULL);
}
