/* SPDX-License-Identifier: MIT */
/* What a scan finds. */
#include "scan_tree.h"
#include <ftw.h>

/* --- the same as another walk sees --- */

static struct bt_buf ftw_lines;

static int ftw_entry(const char *path, const struct stat *stat, int type, struct FTW *where)
{
	struct bt_found found = {
		.size = (uint64_t)stat->st_size,
		.inode = stat->st_ino,
		.dev = stat->st_dev,
		.links = stat->st_nlink,
		.rdev = stat->st_rdev,
		.mode = stat->st_mode,
		.uid = stat->st_uid,
		.gid = stat->st_gid,
		.mtime = {stat->st_mtim.tv_sec, (uint32_t)stat->st_mtim.tv_nsec},
		.ctime = {stat->st_ctim.tv_sec, (uint32_t)stat->st_ctim.tv_nsec},
	};

	if (where->level > 0)
		add_line(&ftw_lines, path + strlen(top) + 1, &found);
	return 0;
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char **sorted_lines(const struct bt_buf *lines, size_t count)
{
	const char **list = calloc(count + 1, sizeof(*list)), *line = (const char *)lines->data;

	for (size_t i = 0; i < count; i++, line += strlen(line) + 1)
		list[i] = line;
	assert_ptr_equal(line, lines->data + lines->length);
	qsort(list, count, sizeof(*list), compare_lines);
	return list;
}

static void mixed_tree(void **state)
{
	struct bt_scan_options options = {0};
	const char **ours, **theirs;
	struct walk serial;

	make_mixed_tree();
	serial = walk_with(&options);
	assert_int_equal(serial.errors, 0);
	for (options.threads = 1; options.threads < 5; options.threads++) {
		struct walk walk = walk_with(&options);

		assert_int_equal(walk.directories, serial.directories);
		assert_same_lines(&walk.lines, &serial.lines);
		bt_buf_free(&walk.lines);
	}
	ftw_lines.length = 0;
	assert_int_equal(nftw(top, ftw_entry, 16, FTW_PHYS), 0);
	ours = sorted_lines(&serial.lines, serial.entries);
	theirs = sorted_lines(&ftw_lines, serial.entries);
	for (size_t i = 0; i < serial.entries; i++)
		assert_string_equal(ours[i], theirs[i]);
	free(ours);
	free(theirs);
	bt_buf_free(&serial.lines);
	bt_buf_free(&ftw_lines);
}

static void root_entry(void **state)
{
	struct bt_scan_options options = {0};
	struct bt_scan *scan = open_scan(&options);
	struct bt_scan_dir *root = bt_scan_root(scan);
	struct stat stat_top;
	char *path;

	assert_int_equal(stat(top, &stat_top), 0);
	assert_int_equal(root->self.inode, stat_top.st_ino);
	assert_int_equal(root->self.dev, stat_top.st_dev);
	assert_int_equal(root->self.mode, stat_top.st_mode);
	assert_int_equal(root->self.mtime.seconds, stat_top.st_mtim.tv_sec);
	assert_string_equal(root->self.name, "");
	assert_null(root->parent);
	path = bt_scan_path(root, NULL);
	assert_string_equal(path, "");
	free(path);
	path = bt_scan_path(root, "x");
	assert_string_equal(path, "x");
	free(path);
	assert_int_equal(bt_scan_list(scan, root, NULL), 0);
	assert_int_equal(root->count, 0);
	bt_scan_close(scan);
}

static void paths(void **state)
{
	struct bt_scan_options options = {0};
	struct bt_scan *scan;
	struct bt_scan_dir *dir;
	char *path;

	make_directory("one");
	make_directory("one/two");
	make_file("one/two/three", "");
	scan = open_scan(&options);
	dir = bt_scan_root(scan);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(bt_scan_list(scan, dir, NULL), 0);
		dir = dir->found[0].child;
	}
	path = bt_scan_path(dir, "three");
	assert_string_equal(path, "one/two/three");
	free(path);
	path = bt_scan_path(dir, NULL);
	assert_string_equal(path, "one/two");
	free(path);
	bt_scan_close(scan);
}

static void targets(void **state)
{
	struct bt_scan_options options = {0};
	struct bt_scan *scan = NULL;
	struct bt_error error = {0};

	make_directory("d");
	make_file("d/f", "");
	make_link("d", "link");
	assert_int_equal(bt_scan_open(at_top("nothing"), &options, &scan, &error), BT_E_SYSTEM);
	assert_int_equal(error.sys, ENOENT);
	error = (struct bt_error){0};
	assert_int_equal(bt_scan_open(at_top("d/f"), &options, &scan, &error), BT_E_SYSTEM);
	assert_int_equal(error.sys, ENOTDIR);
	assert_null(scan);
	error = (struct bt_error){0};
	assert_int_equal(bt_scan_open(at_top("link"), &options, &scan, &error), 0);
	assert_int_equal(bt_scan_list(scan, bt_scan_root(scan), &error), 0);
	assert_int_equal(bt_scan_root(scan)->count, 1);
	bt_scan_close(scan);
	bt_scan_close(NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(mixed_tree),
		TEST(root_entry),
		TEST(paths),
		TEST(targets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
