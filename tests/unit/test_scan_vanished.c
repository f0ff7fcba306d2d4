/* SPDX-License-Identifier: MIT */
/* What vanishes or is replaced while it is scanned. */
#include "scan_tree.h"

/* The directory that the root was seen to hold, without helpers that could be faster. */
static struct bt_scan_dir *first_child(struct bt_scan *scan)
{
	assert_int_equal(bt_scan_list(scan, bt_scan_root(scan), NULL), 0);
	assert_non_null(bt_scan_root(scan)->found[0].child);
	return bt_scan_root(scan)->found[0].child;
}

static void vanished_and_replaced(void **state)
{
	static const int want[] = {ENOENT, 0, ENOTDIR, ENOTDIR, ENOTDIR};
	struct bt_scan_options options = {0};

	for (int i = 0; i < 5; i++) {
		struct bt_scan *scan;
		struct bt_scan_dir *dir;

		make_directory("a");
		make_directory("z");
		make_file("z/f", "");
		scan = open_scan(&options);
		dir = first_child(scan);
		assert_int_equal(rename(at_top("a"), at_top("was a")), 0);
		if (i == 1)
			assert_int_equal(rename(at_top("z"), at_top("a")), 0);
		if (i == 2)
			make_link("z", "a");
		if (i == 3)
			make_file("a", "");
		if (i == 4) /* the same directory, but no longer itself */
			make_link("was a", "a");
		assert_int_equal(bt_scan_list(scan, dir, NULL), 0);
		assert_int_equal(dir->error, want[i]);
		assert_int_equal(dir->gone, i == 0);
		/* Another directory in its place is the one that is meant. */
		assert_int_equal(dir->count, i == 1);
		if (i != 1)
			assert_int_equal(bt_scan_fd_get(scan, dir), -want[i]);
		bt_scan_close(scan);
		remove_top(NULL);
		assert_int_equal(mkdir(top, 0755), 0);
	}
}

/* A directory far up was closed meanwhile, and another stands in its place when it is opened again. */
static void replaced_on_the_way(void **state)
{
	struct bt_scan_options options = {0};
	struct bt_scan_dir *root, *below;
	struct bt_scan *scan;
	char name[32];
	int fd;

	make_directory("a");
	make_directory("a/b");
	make_directory("a/b/c");
	make_directory("other");
	make_directory("other/b");
	make_directory("other/b/c");
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "x%d", i);
		make_directory(name);
	}
	scan = open_scan(&options);
	root = bt_scan_root(scan);
	below = first_child(scan);
	assert_int_equal(bt_scan_list(scan, below, NULL), 0);
	below = below->found[0].child;
	assert_int_equal(bt_scan_list(scan, below, NULL), 0);
	below = below->found[0].child;
	for (size_t i = 2; i < root->count; i++)
		assert_int_equal(bt_scan_list(scan, root->found[i].child, NULL), 0);
	fd = bt_scan_fd_get(scan, below);
	assert_true(fd >= 0);
	bt_scan_fd_put(scan, below);
	for (size_t i = 2; i < root->count; i++) {
		assert_true(bt_scan_fd_get(scan, root->found[i].child) >= 0);
		bt_scan_fd_put(scan, root->found[i].child);
	}
	assert_int_equal(rename(at_top("a"), at_top("away")), 0);
	assert_int_equal(rename(at_top("other"), at_top("a")), 0);
	assert_int_equal(bt_scan_fd_get(scan, below), -ESTALE);
	bt_scan_close(scan);
}

static void entries_that_vanish(void **state)
{
	struct bt_scan_options options = {0};

	make_file("a", "");
	make_file("b", "");
	make_directory("c");
	faults.statx_name = "b";
	faults.statx_error = ENOENT;
	faults.statx_removes = true;
	assert_paths(&options, "a,c,", 0);
	faults.statx_name = "c";
	assert_paths(&options, "a,", 0);
}

/* The entries of the root when one of them cannot be found though it is listed, and how often the root was read. */
static void look_for_listed(int error, const char *name, unsigned readings)
{
	struct bt_scan_options options = {0};
	struct bt_scan_dir *root;
	struct bt_scan *scan;

	memset(&faults, 0, sizeof(faults));
	faults.statx_name = name;
	faults.statx_error = error;
	scan = open_scan(&options);
	root = bt_scan_root(scan);
	assert_int_equal(bt_scan_list(scan, root, NULL), 0);
	assert_int_equal(root->count, 3);
	assert_int_equal(root->vanished, 0);
	for (size_t i = 0; i < 3; i++) {
		bool bad = name[0] == '*' || strcmp(name, root->found[i].name) == 0;

		assert_int_equal(root->found[i].error, bad ? error : 0);
		assert_int_equal(bad && root->found[i].child, 0);
	}
	assert_int_equal(faults.listings, readings);
	bt_scan_close(scan);
}

static void what_is_listed_is_there(void **state)
{
	make_file("a", "");
	make_file("b", "");
	make_directory("c");
	look_for_listed(ENOENT, "b", 2);
	look_for_listed(ESTALE, "b", 2);
	look_for_listed(ENOENT, "c", 2);
	look_for_listed(EIO, "c", 1);
	look_for_listed(ENOENT, "*", 2);
}

static void told(void *arg, enum bt_event event, const char *path)
{
	struct bt_buf *lines = arg;

	assert_int_equal(event, BT_EVENT_VANISHED);
	assert_int_equal(bt_buf_append(lines, path, strlen(path) + 1), 0);
}

static void what_vanishes_is_told_and_counted(void **state)
{
	struct bt_buf lines = {0};
	struct bt_observer observer = {.arg = &lines, .entry = told};
	struct bt_scan_options options = {.observer = &observer};
	struct bt_scan_dir *dir;
	struct bt_scan *scan;

	make_directory("a");
	make_file("a/b", "");
	make_file("a/c", "");
	faults.statx_name = "a/c"; /* nothing yet */
	scan = open_scan(&options);
	dir = first_child(scan);
	faults.statx_name = "c";
	faults.statx_error = ENOENT;
	faults.statx_removes = true;
	assert_int_equal(bt_scan_list(scan, dir, NULL), 0);
	assert_int_equal(dir->count, 1);
	assert_int_equal(dir->vanished, 1);
	assert_int_equal(dir->excluded, 0);
	assert_int_equal(lines.length, 4);
	assert_string_equal((char *)lines.data, "a/c");
	bt_buf_free(&lines);
	bt_scan_close(scan);
}

/* Those who ask later: one reading for all that failed before it, another one when the directory may have changed. */
static void one_reading_serves_many(void **state)
{
	struct bt_scan_options options = {0};
	struct bt_scan_dir *root, *dir;
	struct bt_scan *scan;
	uint64_t since;
	char name[16];

	for (int i = 10; i < 60; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		make_file(name, "");
	}
	make_directory("z");
	make_file("z/f", "");
	scan = open_scan(&options);
	root = bt_scan_root(scan);
	assert_int_equal(bt_scan_list(scan, root, NULL), 0);
	assert_int_equal(faults.listings, 1);
	assert_int_equal(unlink(at_top("f13")), 0);
	since = bt_scan_now();
	dir = root->found[root->count - 1].child;
	for (size_t i = 0; i < root->count; i++)
		assert_int_equal(bt_scan_listed(scan, root, &root->found[i], since), i != 3);
	assert_int_equal(faults.listings, 2);
	/* Once gone, gone; and what changes all the time is read only so often. */
	for (size_t i = 0; i < 200; i++) {
		assert_int_equal(bt_scan_listed(scan, root, &root->found[3], bt_scan_now()), false);
		assert_int_equal(bt_scan_listed(scan, root, &root->found[4], bt_scan_now()), true);
	}
	assert_in_range(faults.listings, 60, 70);
	/* What did not change need not be read again. */
	faults.ages = true;
	assert_int_equal(bt_scan_list(scan, dir, NULL), 0);
	for (size_t i = 0; i < 200; i++)
		assert_int_equal(bt_scan_listed(scan, dir, &dir->found[0], bt_scan_now()), true);
	assert_in_range(faults.listings, 60, 72);
	bt_scan_close(scan);
}

/* Of a directory that is gone itself, all is gone. */
static void listed_in_what_is_gone(void **state)
{
	struct bt_scan_options options = {0};
	struct bt_scan_dir *dir;
	struct bt_scan *scan;

	for (int i = 0; i < 2; i++) {
		make_directory("a");
		make_file("a/f", "");
		scan = open_scan(&options);
		dir = first_child(scan);
		assert_int_equal(bt_scan_list(scan, dir, NULL), 0);
		if (i == 0)
			bt_ways_close(&scan->fds, &dir->private->way);
		assert_int_equal(unlink(at_top("a/f")), 0);
		assert_int_equal(rmdir(at_top("a")), 0);
		assert_false(bt_scan_listed(scan, dir, &dir->found[0], bt_scan_now()));
		bt_scan_close(scan);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(vanished_and_replaced),
		TEST(replaced_on_the_way),
		TEST(entries_that_vanish),
		TEST(what_is_listed_is_there),
		TEST(what_vanishes_is_told_and_counted),
		TEST(one_reading_serves_many),
		TEST(listed_in_what_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
