/* SPDX-License-Identifier: MIT */
/* What cannot be read or looked at, and listings as they should not be. */
#include "scan_tree.h"
#include <sys/wait.h>

static int scan_as_nobody(void)
{
	struct bt_scan_options options = {.threads = 1};
	struct bt_scan *scan;
	struct bt_scan_dir *root, *dir;
	struct bt_error error = {0};
	int seen = 0;

	if (geteuid() == 0 && (setegid(65534) != 0 || seteuid(65534) != 0))
		return 1;
	if (bt_scan_open(top, &options, &scan, &error) != 0)
		return 2;
	root = bt_scan_root(scan);
	if (bt_scan_list(scan, root, &error) != 0 || root->count != 3)
		return 3;
	for (size_t i = 0; i < root->count; i++) {
		dir = root->found[i].child;
		if (!dir || bt_scan_list(scan, dir, &error) != 0)
			return 4;
		if (strcmp(dir->self.name, "closed") == 0 && dir->error == EACCES && dir->count == 0)
			seen++;
		if (strcmp(dir->self.name, "names only") == 0 && dir->error == 0 && dir->count == 2 &&
		    dir->found[0].error == EACCES && !dir->found[0].child && dir->found[1].error == EACCES)
			seen++;
		if (strcmp(dir->self.name, "open") == 0 && dir->error == 0 && dir->count == 1 &&
		    dir->found[0].error == 0)
			seen++;
		bt_scan_done(scan, dir);
	}
	bt_scan_close(scan);
	return seen == 3 ? 0 : 5;
}

static void unreadable(void **state)
{
	int status;
	pid_t pid;

	make_directory("closed");
	make_file("closed/f", "");
	make_directory("names only");
	make_directory("names only/d");
	make_file("names only/f", "");
	make_directory("open");
	make_file("open/f", "");
	assert_int_equal(chmod(at_top("closed"), 0), 0);
	assert_int_equal(chmod(at_top("names only"), 0444), 0);
	pid = fork();
	if (pid == 0)
		_exit(scan_as_nobody());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(chmod(at_top("closed"), 0700), 0);
	assert_int_equal(chmod(at_top("names only"), 0700), 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void entries_that_cannot_be_looked_at(void **state)
{
	struct bt_scan_options options = {0};
	struct bt_scan *scan;
	struct bt_scan_dir *root;

	make_directory("a");
	make_file("b", "");
	faults.statx_name = "a";
	faults.statx_error = EIO;
	scan = open_scan(&options);
	root = bt_scan_root(scan);
	assert_int_equal(bt_scan_list(scan, root, NULL), 0);
	assert_int_equal(root->count, 2);
	assert_int_equal(root->found[0].error, EIO);
	assert_true(S_ISDIR(root->found[0].mode));
	assert_null(root->found[0].child);
	assert_int_equal(root->found[1].error, 0);
	bt_scan_close(scan);
}

static void listing_that_fails(void **state)
{
	struct bt_scan_options options = {0};
	struct bt_scan *scan;
	struct bt_scan_dir *root;
	char name[64];

	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "file %d", i);
		make_file(name, "");
	}
	faults.fail_after_first = EIO;
	scan = open_scan(&options);
	root = bt_scan_root(scan);
	assert_int_equal(bt_scan_list(scan, root, NULL), 0);
	assert_int_equal(root->error, EIO);
	assert_in_range(root->count, 1, 499);
	check_listing(root);
	bt_scan_close(scan);
}

static void strange_listings(void **state)
{
	struct bt_scan_options options = {0};
	struct bt_scan *scan;
	struct bt_scan_dir *root;

	make_directory("b");
	make_file("b/x", "");
	make_file("a", "");
	make_file("c", "");
	faults.twice = true;
	assert_paths(&options, "a,b,c,b/x,", 0);
	faults.hide_types = true;
	assert_paths(&options, "a,b,c,b/x,", 0);
	memset(&faults, 0, sizeof(faults));
	faults.longer_name = "a";
	scan = open_scan(&options);
	root = bt_scan_root(scan);
	assert_int_equal(bt_scan_list(scan, root, NULL), 0);
	assert_int_equal(root->count, 3);
	assert_int_equal(root->found[2].name_length, 300);
	assert_int_equal(root->found[2].error, ENAMETOOLONG);
	bt_scan_close(scan);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(unreadable),
		TEST(entries_that_cannot_be_looked_at),
		TEST(listing_that_fails),
		TEST(strange_listings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
