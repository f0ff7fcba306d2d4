/* SPDX-License-Identifier: MIT */
#include "scan_tree.h"
#include <ftw.h>
#include <sys/resource.h>
#include <sys/wait.h>

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

/* --- size and depth --- */

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
	assert_true(root->private->weight / COUNT < 143);
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

static size_t open_directories(struct bt_scan *scan)
{
	size_t count;

	pthread_mutex_lock(&scan->fds.lock);
	count = scan->fds.open;
	pthread_mutex_unlock(&scan->fds.lock);
	return count;
}

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

static size_t weight_ahead(struct bt_scan *scan)
{
	size_t ahead;

	pthread_mutex_lock(&scan->lock);
	ahead = scan->ahead;
	pthread_mutex_unlock(&scan->lock);
	return ahead;
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

/* --- what cannot be read --- */

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
		if (dir == NULL || bt_scan_list(scan, dir, &error) != 0)
			return 4;
		if (strcmp(dir->self.name, "closed") == 0 && dir->error == EACCES && dir->count == 0)
			seen++;
		if (strcmp(dir->self.name, "names only") == 0 && dir->error == 0 && dir->count == 2 &&
		    dir->found[0].error == EACCES && dir->found[0].child == NULL && dir->found[1].error == EACCES)
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
		assert_int_equal(bad && root->found[i].child != NULL, 0);
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
			bt_scan_fds_drop(&scan->fds, dir->private);
		assert_int_equal(unlink(at_top("a/f")), 0);
		assert_int_equal(rmdir(at_top("a")), 0);
		assert_false(bt_scan_listed(scan, dir, &dir->found[0], bt_scan_now()));
		bt_scan_close(scan);
	}
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

/* --- threads --- */

/* Ends after every possible number of steps; nothing may be lost or freed twice. */
static void close_early(void **state)
{
	struct bt_scan_options options = {.threads = 2};

	make_mixed_tree();
	for (int steps = 0; steps < 60; steps++) {
		struct bt_scan *scan = open_scan(&options);
		struct bt_scan_dir *dir = bt_scan_root(scan);

		for (int i = 0; i < steps && dir != NULL; i++) {
			uintptr_t at = (uintptr_t)dir->user;

			if (at == 0)
				assert_int_equal(bt_scan_list(scan, dir, NULL), 0);
			while (at < dir->count && dir->found[at].child == NULL)
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
			if (root->found[i].child != NULL)
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

			if (dir == NULL)
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
		assert_true(walk.errors == 0 || walk.last_error == ENOENT || walk.last_error == ESTALE);
		bt_buf_free(&walk.lines);
	}
	stop_changing = true;
	pthread_join(thread, NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(mixed_tree),
		TEST(root_entry),
		TEST(paths),
		TEST(targets),
		LARGE_TEST(large_directory),
		LARGE_TEST(deep_tree),
		LARGE_TEST(descriptors_are_bounded),
		LARGE_TEST(ahead_is_bounded),
		TEST(unreadable),
		TEST(vanished_and_replaced),
		TEST(replaced_on_the_way),
		TEST(entries_that_vanish),
		TEST(what_is_listed_is_there),
		TEST(what_vanishes_is_told_and_counted),
		TEST(one_reading_serves_many),
		TEST(listed_in_what_is_gone),
		TEST(entries_that_cannot_be_looked_at),
		TEST(listing_that_fails),
		TEST(strange_listings),
		TEST(no_descriptors_left),
		TEST(close_early),
		TEST(done_unread),
		TEST(descriptors_of_many_threads),
		TEST(tree_that_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
