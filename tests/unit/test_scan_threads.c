/* SPDX-License-Identifier: MIT */
/* Helpers, several users, and a tree that changes all the time. */
#include "scan_tree.h"
#include <sys/resource.h>

/* Ends after every possible number of steps; nothing may be lost or freed twice. */
static void close_early(void **state)
{
	struct bt_scan_options options = {.threads = 2};

	make_mixed_tree();
	for (int steps = 0; steps < 60; steps++) {
		struct bt_scan *scan = open_scan(&options);
		struct bt_scan_dir *dir = bt_scan_root(scan);

		for (int i = 0; i < steps && dir; i++) {
			uintptr_t at = (uintptr_t)dir->user;

			if (at == 0)
				assert_int_equal(bt_scan_list(scan, dir, NULL), 0);
			while (at < dir->count && !dir->found[at].child)
				at++;
			dir->user = (void *)(at + 1);
			dir = at < dir->count ? dir->found[at].child : dir->parent;
		}
		bt_scan_close(scan);
	}
}

/* A reader may be done with what it never asked for. */
static void done_unread(void **state)
{
	for (unsigned threads = 0; threads < 3; threads++) {
		struct bt_scan_options options = {.threads = threads};
		struct bt_scan *scan;
		struct bt_scan_dir *root;

		if (threads == 0)
			make_mixed_tree();
		scan = open_scan(&options);
		root = bt_scan_root(scan);
		assert_int_equal(bt_scan_list(scan, root, NULL), 0);
		for (size_t i = 0; i < root->count; i++)
			if (root->found[i].child)
				bt_scan_done(scan, root->found[i].child);
		assert_int_equal(weight_ahead(scan), 0);
		assert_null(scan->first);
		bt_scan_done(scan, root);
		bt_scan_close(scan);
	}
}

struct users {
	struct bt_scan *scan;
	struct bt_scan_dir *root;
	int failures;
};

static void *use_descriptors(void *arg)
{
	struct users *users = arg;

	for (int round = 0; round < 20; round++)
		for (size_t i = 0; i < users->root->count; i++) {
			struct bt_scan_dir *dir = users->root->found[i].child;
			struct stat stat;
			int fd;

			if (!dir)
				continue;
			fd = bt_scan_fd_get(users->scan, dir);
			if (fd < 0 || fstat(fd, &stat) != 0 || stat.st_ino != dir->self.inode)
				__atomic_add_fetch(&users->failures, 1, __ATOMIC_RELAXED);
			if (fd >= 0)
				bt_scan_fd_put(users->scan, dir);
		}
	return NULL;
}

static void descriptors_of_many_threads(void **state)
{
	struct bt_scan_options options = {.threads = 2};
	struct rlimit before, few;
	struct users users = {0};
	pthread_t threads[3];
	char name[32];

	for (int i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		make_directory(name);
	}
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit){80, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	users.scan = open_scan(&options);
	users.root = bt_scan_root(users.scan);
	assert_int_equal(bt_scan_list(users.scan, users.root, NULL), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, use_descriptors, &users), 0);
	for (size_t i = 0; i < users.root->count; i++)
		assert_int_equal(bt_scan_list(users.scan, users.root->found[i].child, NULL), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(users.failures, 0);
	assert_true(open_directories(users.scan) <= 20 + 2);
	bt_scan_close(users.scan);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static atomic_bool stop_changing;

static void *change_tree(void *arg)
{
	char name[64];
	int fd = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (unsigned i = 0; !stop_changing; i++) {
		snprintf(name, sizeof(name), "d%u/new%u", i % 20, i % 31);
		if (i % 3 == 0)
			mkdirat(fd, name, 0755);
		else
			mknodat(fd, name, S_IFREG | 0600, 0);
		snprintf(name, sizeof(name), "d%u/new%u", (i + 7) % 20, (i + 11) % 31);
		if (unlinkat(fd, name, 0) != 0)
			unlinkat(fd, name, AT_REMOVEDIR);
	}
	close(fd);
	return NULL;
}

static void tree_that_changes(void **state)
{
	pthread_t thread;
	char name[32];

	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		make_directory(name);
		snprintf(name, sizeof(name), "d%d/old", i);
		make_file(name, "");
	}
	stop_changing = false;
	assert_int_equal(pthread_create(&thread, NULL, change_tree, NULL), 0);
	for (unsigned round = 0; round < 100; round++) {
		struct bt_scan_options options = {.threads = round % 3};
		struct walk walk = walk_with(&options);

		assert_true(walk.entries >= 40);
		/* Between its listing and its opening a directory may go, or become a file. */
		assert_true(walk.errors == 0 || walk.last_error == ENOENT || walk.last_error == ESTALE ||
			    walk.last_error == ENOTDIR);
		bt_buf_free(&walk.lines);
	}
	stop_changing = true;
	pthread_join(thread, NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(close_early),
		TEST(done_unread),
		TEST(descriptors_of_many_threads),
		TEST(tree_that_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
