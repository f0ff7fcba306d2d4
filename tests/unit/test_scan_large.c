/* SPDX-License-Identifier: MIT */
/* Large and deep trees: what is open or listed ahead is bounded. */
#include "scan_tree.h"
#include <sys/resource.h>

static void large_directory(void **state)
{
	enum { COUNT = 100000 };
	struct bt_scan_options options = {.threads = 2};
	struct bt_scan *scan;
	struct bt_scan_dir *root;
	char name[32];
	int fd = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (unsigned i = 0; i < COUNT; i++) {
		snprintf(name, sizeof(name), "photo-%u.jpeg", i * 7919u % COUNT);
		assert_int_equal(mknodat(fd, name, S_IFREG | 0600, 0), 0);
	}
	close(fd);
	scan = open_scan(&options);
	root = bt_scan_root(scan);
	assert_int_equal(bt_scan_list(scan, root, NULL), 0);
	check_listing(root);
	assert_int_equal(root->count, COUNT);
	assert_true(root->private->weight / COUNT < 146);
	bt_scan_close(scan);
}

enum { LEVELS = 3000 };

static void make_deep_tree(void)
{
	int fd = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0; i < LEVELS; i++) {
		int next;

		assert_int_equal(mkdirat(fd, "a directory of some length", 0755), 0);
		assert_int_equal(mknodat(fd, "file", S_IFREG | 0600, 0), 0);
		next = openat(fd, "a directory of some length", O_PATH | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(fd);
		fd = next;
	}
	close(fd);
}

static size_t most_descriptors;

/* On the way down and up: the descriptor is the directory's. */
static void visit_descriptor(struct bt_scan *scan, struct bt_scan_dir *dir)
{
	int fd = bt_scan_fd_get(scan, dir);
	struct stat stat;
	size_t count = open_directories(scan);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &stat), 0);
	assert_int_equal(stat.st_ino, dir->self.inode);
	bt_scan_fd_put(scan, dir);
	if (count > most_descriptors)
		most_descriptors = count;
}

static void deep_tree(void **state)
{
	struct rlimit before, few;
	size_t descriptors = open_descriptors();

	make_deep_tree();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit){256, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	for (unsigned threads = 0; threads < 3; threads++) {
		struct bt_scan_options options = {.threads = threads};
		struct bt_scan *scan = open_scan(&options);
		struct walk walk = {.without_lines = true};

		most_descriptors = 0;
		walk_scan(scan, &walk, visit_descriptor);
		assert_int_equal(walk.directories, LEVELS + 1);
		assert_int_equal(walk.entries, 2 * LEVELS);
		assert_int_equal(walk.errors, 0);
		assert_true(most_descriptors >= 16 && most_descriptors <= 64 + 3);
		bt_scan_close(scan);
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(open_descriptors(), descriptors);
}

static void count_descriptors(struct bt_scan *scan, struct bt_scan_dir *dir)
{
	size_t count = open_descriptors();

	visit_descriptor(scan, dir);
	if (count > most_descriptors)
		most_descriptors = count;
}

static void descriptors_are_bounded(void **state)
{
	struct bt_scan_options options = {.threads = 2};
	size_t before = open_descriptors();
	struct walk walk = {0};
	struct bt_scan *scan;
	char name[32];

	for (int i = 0; i < 700; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		make_directory(name);
	}
	scan = open_scan(&options);
	most_descriptors = 0;
	walk_scan(scan, &walk, count_descriptors);
	assert_in_range(most_descriptors, 200, before + 256 + 3);
	bt_scan_close(scan);
	bt_buf_free(&walk.lines);
	assert_int_equal(open_descriptors(), before);
}

/* Until helpers have nothing more to do, for want of work or of room. */
static void wait_for_helpers(struct bt_scan *scan)
{
	bool waiting = false;

	for (int i = 0; i < 30000 && !waiting; i++) {
		usleep(1000);
		pthread_mutex_lock(&scan->lock);
		waiting = scan->idle == scan->helper_count;
		pthread_mutex_unlock(&scan->lock);
	}
	assert_true(waiting);
}

/* Helpers stop when enough is listed ahead, and go on when the reader has taken some of it. */
static void ahead_is_bounded(void **state)
{
	enum { DIRECTORIES = 100, FILES = 400 };
	struct bt_scan_options options = {.threads = 2};
	struct bt_scan *scan;
	char name[300];
	size_t most = 0;

	for (int i = 0; i < DIRECTORIES; i++) {
		int fd;

		snprintf(name, sizeof(name), "d%d", i);
		make_directory(name);
		fd = open(at_top(name), O_PATH | O_DIRECTORY | O_CLOEXEC);
		for (int k = 0; k < FILES; k++) {
			snprintf(name, sizeof(name), "%0230d", k);
			assert_int_equal(mknodat(fd, name, S_IFREG | 0600, 0), 0);
		}
		close(fd);
	}
	scan = open_scan(&options);
	assert_int_equal(bt_scan_list(scan, bt_scan_root(scan), NULL), 0);
	for (int i = 0; i < DIRECTORIES; i++) {
		struct bt_scan_dir *dir = bt_scan_root(scan)->found[i].child;
		size_t ahead;

		if (i % 10 == 0)
			wait_for_helpers(scan);
		ahead = weight_ahead(scan);
		most = ahead > most ? ahead : most;
		assert_int_equal(bt_scan_list(scan, dir, NULL), 0);
		assert_int_equal(dir->count, FILES);
		bt_scan_done(scan, dir);
	}
	assert_in_range(most, (size_t)8 << 20, (size_t)9 << 20);
	assert_int_equal(weight_ahead(scan), 0);
	bt_scan_close(scan);
}

/* When others have taken all descriptors, those of the scan that nobody uses are given back. */
static void no_descriptors_left(void **state)
{
	struct bt_scan_options options = {0};
	struct rlimit before, few;
	struct bt_scan_dir *root;
	struct bt_scan *scan;
	char name[32];
	int fd;

	for (int i = 10; i < 60; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		make_directory(name);
	}
	scan = open_scan(&options);
	root = bt_scan_root(scan);
	assert_int_equal(bt_scan_list(scan, root, NULL), 0);
	for (int i = 0; i < 40; i++)
		assert_int_equal(bt_scan_list(scan, root->found[i].child, NULL), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	fd = dup(0);
	few = (struct rlimit){(rlim_t)fd, before.rlim_max};
	close(fd);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(dup(0), -1);
	assert_int_equal(bt_scan_list(scan, root->found[45].child, NULL), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(root->found[45].child->error, 0);
	assert_true(open_directories(scan) < 30);
	bt_scan_close(scan);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LARGE_TEST(large_directory),  LARGE_TEST(deep_tree),	 LARGE_TEST(descriptors_are_bounded),
		LARGE_TEST(ahead_is_bounded), TEST(no_descriptors_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
