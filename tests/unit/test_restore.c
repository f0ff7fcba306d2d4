/* SPDX-License-Identifier: MIT */
#include "restore/place.h"
#include "restore_world.h"
#include <errno.h>
#include <sys/resource.h>

static void test_round_trip(void **state)
{
	struct back back;

	back_begin(&back);
	put_everything(&back);
	world_snap(&back.world);
	for (unsigned threads = 0; threads <= 4; threads += 2) {
		back.options.threads = threads;
		expect(&back, 0);
		same_as_source(&back);
		assert_int_equal(back.result.files + back.result.directories + back.result.others, ENTRIES);
		assert_int_equal(back.result.directories, 4);
		assert_int_equal(back.result.errors, 0);
		assert_int_equal(back.events[BT_EVENT_NEW], ENTRIES);
		assert_int_equal(back.result.written, ENTRIES);
		remove_tree(back.output);
	}
	back_end(&back);
}

static void test_again(void **state)
{
	struct back back;

	back_begin(&back);
	put_everything(&back);
	world_snap(&back.world);
	expect(&back, 0);
	struct stat before = status_of(in_output(&back, "docs/large"));
	expect(&back, 0);
	same_as_source(&back);
	assert_int_equal(back.events[BT_EVENT_UNCHANGED], ENTRIES);
	assert_int_equal(back.result.unchanged, ENTRIES);
	assert_int_equal(back.result.bytes, 0);
	struct stat after = status_of(in_output(&back, "docs/large"));
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(before.st_ctim.tv_nsec, after.st_ctim.tv_nsec);
	back.options.overwrite = BT_OVERWRITE_ALWAYS;
	expect(&back, 0);
	same_as_source(&back);
	after = status_of(in_output(&back, "docs/large"));
	assert_int_not_equal(before.st_ino, after.st_ino);
	back_end(&back);
}

static void test_if_changed(void **state)
{
	static const char *const paths[] = {"longer", "same-size", "touched", "mode", "xattr", "owner"};
	struct back back;
	struct stat before[6], after[6];

	back_begin(&back);
	for (int i = 0; i < 6; i++)
		put_text(&back.world, paths[i], "content");
	world_snap(&back.world);
	expect(&back, 0);
	for (int i = 0; i < 6; i++)
		before[i] = status_of(in_output(&back, paths[i]));
	append(in_output(&back, paths[0]), "more");
	write_file(in_output(&back, paths[1]), "CONTENT", 7);
	set_times(in_output(&back, paths[2]), 5, 5);
	assert_int_equal(chmod(in_output(&back, paths[3]), 0777), 0);
	assert_int_equal(setxattr(in_output(&back, paths[4]), "user.extra", "x", 1, 0), 0);
	assert_int_equal(chown(in_output(&back, paths[5]), 1, 1), 0);
	expect(&back, 0);
	same_as_source(&back);
	for (int i = 0; i < 6; i++) {
		after[i] = status_of(in_output(&back, paths[i]));
		assert_int_equal(before[i].st_ino == after[i].st_ino, i >= 2);
	}
	assert_int_equal(back.result.bytes, 14);
	assert_int_equal(back.events[BT_EVENT_CHANGED], 6);
	back_end(&back);
}

static void test_never(void **state)
{
	struct back back;

	back_begin(&back);
	put_dir(&back.world, "dir");
	put_dir(&back.world, "other");
	put_text(&back.world, "dir/there", "snapshot");
	put_text(&back.world, "dir/missing", "snapshot");
	put_text(&back.world, "other/below", "snapshot");
	put_text(&back.world, "x", "linked");
	put_link(&back, "x", "y");
	world_snap(&back.world);
	assert_int_equal(mkdir(back.output, 0755), 0);
	assert_int_equal(mkdir(in_output(&back, "dir"), 0500), 0);
	append(in_output(&back, "dir/there"), "mine");
	append(in_output(&back, "other"), "a file");
	append(in_output(&back, "x"), "not the one");
	back.options.overwrite = BT_OVERWRITE_NEVER;
	expect(&back, 0);
	assert_int_equal(status_of(in_output(&back, "dir/there")).st_size, 4);
	assert_int_equal(status_of(in_output(&back, "dir/missing")).st_size, 8);
	assert_true(S_ISREG(status_of(in_output(&back, "other")).st_mode));
	assert_int_equal(status_of(in_output(&back, "dir")).st_mode & 07777, 0500);
	assert_int_equal(status_of(in_output(&back, "y")).st_size, 6);
	assert_int_equal(status_of(in_output(&back, "x")).st_size, 11);
	back_end(&back);
}

static void test_delete(void **state)
{
	struct back back;
	char outside[128], path[400];

	back_begin(&back);
	put_dir(&back.world, "a");
	put_dir(&back.world, "b");
	put_text(&back.world, "a/keep", "k");
	put_text(&back.world, "b/keep", "k");
	put_symlink(&back, "keep", "a/link");
	world_snap(&back.world);
	expect(&back, 0);
	snprintf(outside, sizeof(outside), "%s/outside", back.world.base);
	assert_int_equal(mkdir(outside, 0755), 0);
	snprintf(path, sizeof(path), "%s/file", outside);
	append(path, "outside");
	append(in_output(&back, "a/extra"), "x");
	append(in_output(&back, "b/extra"), "x");
	assert_int_equal(symlink(outside, in_output(&back, "a/way-out")), 0);
	assert_int_equal(link(path, in_output(&back, "a/linked")), 0);
	snprintf(path, sizeof(path), "%s", in_output(&back, "a/tree"));
	for (int i = 0; i < 60; i++) {
		assert_int_equal(mkdir(path, i % 7 ? 0755 : 0), 0);
		strcat(path, "/d");
		if (i % 9 == 4) {
			int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

			close(fd);
			strcat(path, "2");
		}
	}
	const char *only[] = {"a"};
	back.options.paths = only;
	back.options.path_count = 1;
	back.options.delete_extra = back.options.dry_run = true;
	expect(&back, 0);
	assert_int_equal(back.events[BT_EVENT_DELETED], 4);
	assert_int_equal(back.result.deleted, 70); /* 60 directories and 7 files of the tree among them */
	assert_true(exists(in_output(&back, "a/extra")));
	back.options.dry_run = false;
	expect(&back, 0);
	assert_int_equal(back.events[BT_EVENT_DELETED], 4);
	assert_int_equal(back.result.deleted, 70);
	assert_true(exists(in_output(&back, "b/extra")));
	assert_false(exists(in_output(&back, "a/tree")));
	assert_true(exists(outside));
	snprintf(path, sizeof(path), "%s/file", outside);
	assert_int_equal(status_of(path).st_size, 7);
	back.options.path_count = 0;
	expect(&back, 0);
	same_as_source(&back);
	back_end(&back);
}

/* What --delete would cost: every entry below what goes, and a directory in a file's way; nothing is told or changed.
 */
static void test_count_only(void **state)
{
	struct back back;

	back_begin(&back);
	put_dir(&back.world, "dir");
	put_text(&back.world, "dir/file", "x");
	put_text(&back.world, "other", "x");
	world_snap(&back.world);
	back.options.delete_extra = back.options.dry_run = back.options.count_only = true;
	expect(&back, 0);
	assert_int_equal(back.result.deleted, 0);
	assert_int_equal(back.result.files + back.result.directories, 4);
	assert_int_equal(mkdir(back.output, 0755), 0);
	assert_int_equal(mkdir(in_output(&back, "dir"), 0755), 0);
	assert_int_equal(mkdir(in_output(&back, "other"), 0755), 0);
	append(in_output(&back, "other/in"), "x");
	assert_int_equal(mkdir(in_output(&back, "extra"), 0755), 0);
	append(in_output(&back, "extra/in"), "x");
	append(in_output(&back, "dir/more"), "x");
	append(in_output(&back, "dir/file"), "not the same");
	expect(&back, 0);
	assert_int_equal(back.result.deleted, 5);
	assert_int_equal(back.events[BT_EVENT_DELETED], 0);
	assert_int_equal(back.events[BT_EVENT_UNCHANGED], 0);
	assert_true(exists(in_output(&back, "extra/in")));
	back.options.dry_run = back.options.count_only = false;
	expect(&back, 0);
	assert_int_equal(back.result.deleted, 5);
	same_as_source(&back);
	back_end(&back);
}

/* Whole restores go by size and time and count such files, named paths are compared; what leads there keeps its own. */
static void test_named(void **state)
{
	struct back back;

	back_begin(&back);
	put_dir(&back.world, "dir");
	put_text(&back.world, "dir/file", "content");
	put_text(&back.world, "dir/empty", "");
	world_snap(&back.world);
	expect(&back, 0);
	struct stat before = status_of(in_output(&back, "dir/file"));
	write_file(in_output(&back, "dir/file"), "CONTENT", 7);
	const struct timespec times[2] = {before.st_mtim, before.st_mtim};
	assert_int_equal(utimensat(AT_FDCWD, in_output(&back, "dir/file"), times, 0), 0);
	assert_int_equal(chmod(in_output(&back, "dir"), 0711), 0);
	set_times(in_output(&back, "dir"), 77, 77);
	set_times(back.output, 78, 78);
	const char *named[] = {"dir/file"};
	back.options.paths = named;
	back.options.path_count = 1;
	expect(&back, 0);
	assert_int_equal(back.result.by_time, 0);
	assert_int_equal(back.result.bytes, 7);
	assert_int_equal(back.result.directories, 0);
	assert_int_equal(status_of(in_output(&back, "dir")).st_mode & 07777, 0711);
	assert_int_equal(status_of(in_output(&back, "dir")).st_mtim.tv_sec, 77);
	assert_int_equal(status_of(back.output).st_mtim.tv_sec, 78);
	back.options.path_count = 0;
	expect(&back, 0);
	assert_int_equal(back.result.by_time, 1);
	same_as_source(&back);
	back_end(&back);
}

static void test_dry_run(void **state)
{
	struct back back;

	back_begin(&back);
	put_everything(&back);
	world_snap(&back.world);
	back.options.dry_run = true;
	expect(&back, 0);
	assert_false(exists(back.output));
	assert_int_equal(back.events[BT_EVENT_NEW], ENTRIES);
	back.options.dry_run = false;
	expect(&back, 0);
	append(in_output(&back, "docs/a.txt"), "more");
	assert_int_equal(unlink(in_output(&back, "fifo")), 0);
	set_times(in_output(&back, "docs/large"), 5, 5);
	set_times(in_output(&back, "docs"), 5, 5);
	struct stat before = status_of(in_output(&back, "docs")), root = status_of(back.output);
	back.options.dry_run = true;
	expect(&back, 0);
	assert_int_equal(back.events[BT_EVENT_NEW], 1);
	assert_true(back.events[BT_EVENT_CHANGED] >= 3);
	struct stat after = status_of(in_output(&back, "docs"));
	assert_int_equal(before.st_ctim.tv_nsec, after.st_ctim.tv_nsec);
	assert_int_equal(root.st_ctim.tv_nsec, status_of(back.output).st_ctim.tv_nsec);
	assert_false(exists(in_output(&back, "fifo")));
	assert_int_equal(status_of(in_output(&back, "docs/large")).st_mtim.tv_sec, 5);
	back_end(&back);
}

static void test_paths(void **state)
{
	struct back back;

	back_begin(&back);
	put_everything(&back);
	world_snap(&back.world);
	const char *missing[] = {"docs", "docs/none"};
	back.options.paths = missing;
	back.options.path_count = 2;
	expect(&back, BT_E_NOT_FOUND);
	assert_false(exists(back.output));
	const char *below_file[] = {"docs/a.txt/x"}, *above[] = {"docs/../.."};
	back.options.path_count = 1;
	back.options.paths = below_file;
	expect(&back, BT_E_NOT_FOUND);
	back.options.paths = above;
	expect(&back, BT_E_NOT_FOUND);
	assert_false(exists(back.output));
	const char *some[] = {"link", "/docs//notes/./new\nline \"q\" \\", "docs/large", "z-again", "docs/large"};
	back.options.paths = some;
	back.options.path_count = 5;
	expect(&back, 0);
	assert_int_equal(back.result.files, 3);
	assert_int_equal(back.result.others, 1);
	assert_int_equal(back.result.directories, 3);
	assert_true(exists(in_output(&back, "docs/large")));
	assert_false(exists(in_output(&back, "docs/a.txt")));
	assert_false(exists(in_output(&back, "empty")));
	assert_int_equal(status_of(in_output(&back, "docs/notes")).st_mode & 07777, 01777);
	assert_int_equal(status_of(in_output(&back, "docs/notes")).st_mtim.tv_sec, 12345);
	/* What was there already is the user's: its root keeps its mode. */
	assert_int_equal(chmod(back.output, 0711), 0);
	expect(&back, 0);
	assert_int_equal(status_of(back.output).st_mode & 07777, 0711);
	const char *rest[] = {"docs", "docs/notes", "", "z-again"};
	back.options.paths = rest;
	back.options.path_count = 4;
	expect(&back, 0);
	same_as_source(&back);
	back_end(&back);
}

static void test_many(void **state)
{
	struct back back;
	char name[64];

	back_begin(&back);
	for (int i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "d%02d", i);
		put_dir(&back.world, name);
		for (int k = 0; k < 100; k++) {
			snprintf(name, sizeof(name), "d%02d/f%03d", i, k);
			put_noise(&back.world, name, (size_t)(k * 97 % 4001), (uint64_t)(i * 100 + k));
			snprintf(name, sizeof(name), "d%02d/s%03d", i, k);
			put_symlink(&back, "f000", name);
		}
	}
	world_snap(&back.world);
	expect(&back, 0);
	same_as_source(&back);
	assert_int_equal(back.result.files, 3000);
	assert_int_equal(back.result.others, 3000);
	back_end(&back);
}

/* A file on every level; few descriptors. */
static void run_deep(struct back *back)
{
	const struct rlimit limit = {64, 64};
	int fd = open(back->world.source, O_RDONLY | O_DIRECTORY);

	for (int i = 0; i < 1200; i++) {
		int file = openat(fd, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

		assert_int_equal(write(file, "deep", 4), 4);
		close(file);
		assert_int_equal(mkdirat(fd, "a-longer-name", 0755), 0);
		int below = openat(fd, "a-longer-name", O_RDONLY | O_DIRECTORY);
		close(fd);
		fd = below;
	}
	close(fd);
	world_snap(&back->world);
	struct rlimit old;
	getrlimit(RLIMIT_NOFILE, &old);
	setrlimit(RLIMIT_NOFILE, &limit);
	expect(back, 0);
	back->options.delete_extra = true;
	expect(back, 0);
	assert_int_equal(back->events[BT_EVENT_UNCHANGED], 2401);
	setrlimit(RLIMIT_NOFILE, &old);
	assert_int_equal(back->result.files, 1200);
	assert_int_equal(back->result.directories, 1201);
}

/* Goes down both trees without recursion. */
static void same_deep(struct back *back)
{
	struct trees trees = {.owners = true};
	int one = open(back->world.source, O_RDONLY | O_DIRECTORY), two = open(back->output, O_RDONLY | O_DIRECTORY);
	unsigned depth = 0;

	for (;; depth++) {
		same_entry(&trees, one, two, ".");
		int below = openat(one, "a-longer-name", O_RDONLY | O_DIRECTORY);
		if (below < 0)
			break;
		same_entry(&trees, one, two, "file");
		close(one);
		one = below;
		below = openat(two, "a-longer-name", O_RDONLY | O_DIRECTORY);
		assert_true(below >= 0);
		close(two);
		two = below;
	}
	assert_int_equal(depth, 1200);
	close(one);
	close(two);
	free(trees.pairs);
}

static void remove_deep(const char *path)
{
	char command[200];

	snprintf(command, sizeof(command), "rm -rf '%s'", path);
	assert_int_equal(system(command), 0);
}

static void test_deep(void **state)
{
	struct back back;

	back_begin(&back);
	run_deep(&back);
	same_deep(&back);
	remove_deep(back.world.base);
	back_end(&back);
}

/* A deep tree that is no part of the snapshot goes away. */
static void test_delete_deep(void **state)
{
	struct back back;

	back_begin(&back);
	put_text(&back.world, "file", "x");
	world_snap(&back.world);
	expect(&back, 0);
	int fd = open(back.output, O_RDONLY | O_DIRECTORY);
	for (int i = 0; i < 2000; i++) {
		assert_int_equal(mkdirat(fd, "deep", 0755), 0);
		int below = openat(fd, "deep", O_RDONLY | O_DIRECTORY);
		close(fd);
		fd = below;
	}
	close(fd);
	back.options.delete_extra = true;
	expect(&back, 0);
	same_as_source(&back);
	back_end(&back);
}

/* A file of which the version 1 file has no right content. */
static void test_classic(void **state)
{
	static const char json[] = "{\"timestamp\":\"2024-12-01T10-00-00\",\"files\":{\"d/"
				   "a\":\"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73"
				   "043362938b9824\",\"d/"
				   "b\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\",\"d/e/c\":"
				   "\"0000000000000000000000000000000000000000000000000000000000000000\"},\"file_"
				   "contents\":{\"2cf24dba5fb0a30e2"
				   "6e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\":\"aGVsbG8=\","
				   "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e46"
				   "49b934ca495991b7852b855\":\"\"}}";
	struct back back;
	char path[256];

	back_begin(&back);
	snprintf(back.world.result.name, sizeof(back.world.result.name), "snapshot_2024-12-01T10-00-00.json");
	snprintf(path, sizeof(path), "%s/%s", back.world.store_path, back.world.result.name);
	write_file(path, json, strlen(json));
	world_open_store(&back.world);
	expect(&back, BT_E_INCOMPLETE);
	assert_int_equal(back.told_count, 1);
	assert_string_equal(back.told[0].path, "e/c");
	assert_int_equal(status_of(in_output(&back, "a")).st_size, 5);
	assert_int_equal(status_of(in_output(&back, "a")).st_mtim.tv_sec, 1733047200);
	assert_int_equal(status_of(in_output(&back, "b")).st_size, 0);
	assert_true(S_ISDIR(status_of(in_output(&back, "e")).st_mode));
	assert_false(exists(in_output(&back, "e/c")));
	back_end(&back);
}

static void test_progress(void **state)
{
	struct back back;

	back_begin(&back);
	put_everything(&back);
	world_snap(&back.world);
	expect(&back, 0);
	assert_int_equal(back.progress.total_files, 13);
	assert_true(back.progress.total_bytes > 40 * MEGA);
	back_end(&back);
}

/* An ACL that the output directory passes on does not stay on what has none. */
static void test_inherited_acl(void **state)
{
	char acl[28] = {2, 0, 0,  0,  1,  0,  7,  0, -1, -1, -1, -1, 4,	 0,
			7, 0, -1, -1, -1, -1, 32, 0, 7,	 0,  -1, -1, -1, -1};
	char named[44] = {2, 0, 0,  0,	1,  0,	7,  0, -1, -1, -1, -1, 2,  0,  7,  0, 99, 0, 0,	 0,  4,	 0,
			  7, 0, -1, -1, -1, -1, 16, 0, 7,  0,  -1, -1, -1, -1, 32, 0, 7,  0, -1, -1, -1, -1};
	struct back back;

	back_begin(&back);
	put_everything(&back);
	world_snap(&back.world);
	assert_int_equal(mkdir(back.output, 0755), 0);
	assert_int_equal(setxattr(back.output, "system.posix_acl_default", named, 44, 0), 0);
	assert_int_equal(setxattr(back.output, "user.own", acl, 3, 0), 0);
	expect(&back, 0);
	same_as_source(&back);
	back_end(&back);
}

/* A store that came there after the restore looked where it is. */
static void test_guarded(void **state)
{
	struct back back;

	back_begin(&back);
	assert_int_equal(mkdir(back.output, 0755), 0);
	assert_int_equal(mkdir(in_output(&back, "a"), 0755), 0);
	assert_int_equal(mkdir(in_output(&back, "a/b"), 0755), 0);
	assert_int_equal(mkdir(in_output(&back, "a/b/store"), 0755), 0);
	append(in_output(&back, "a/b/store/kept"), "x");
	append(in_output(&back, "a/b/gone"), "x");
	struct stat store = status_of(in_output(&back, "a/b/store"));
	struct bt_guarded one = {store.st_dev, store.st_ino};
	const struct bt_guard guard = {.chain = &one, .count = 1}, none = {0};
	struct bt_removal guarded = {.guard = &guard}, removal = {.guard = &none}, dry = {.guard = &none, .dry = true};
	int fd = open(back.output, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(bt_remove_tree(&dry, fd, "a"), 0);
	assert_int_equal(dry.removed, 5);
	assert_int_equal(bt_remove_tree(&guarded, fd, "a"), -EBUSY);
	assert_int_equal(guarded.removed, 1);
	assert_true(exists(in_output(&back, "a/b/store/kept")));
	assert_false(exists(in_output(&back, "a/b/gone")));
	assert_int_equal(bt_remove_tree(&removal, fd, "a"), 0);
	assert_int_equal(removal.removed, 4);
	assert_false(exists(in_output(&back, "a")));
	close(fd);
	back_end(&back);
}

/* A directory is known by its device and its inode together. */
static void test_guard_knows(void **state)
{
	struct back back;
	struct bt_error error = {0};

	back_begin(&back);
	assert_int_equal(mkdir(back.output, 0755), 0);
	int fd = open(back.output, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat status = status_of(back.output);
	struct bt_guarded chain[] = {{~status.st_dev, status.st_ino}, {status.st_dev, ~status.st_ino}, {0}};
	struct bt_guard guard = {.chain = chain, .count = 3};
	assert_int_equal(bt_guard_level(&guard, &status), 0);
	assert_int_equal(bt_guard_check_output(&guard, fd, back.output, NULL), 0);
	chain[2] = (struct bt_guarded){status.st_dev, status.st_ino};
	assert_int_equal(bt_guard_level(&guard, &status), 3);
	assert_int_equal(bt_guard_check_output(&guard, fd, back.output, NULL), 0); /* the store lies in it */
	chain[0] = chain[1];
	assert_int_equal(bt_guard_check_output(&guard, fd, back.output, NULL), 0);
	chain[0] = chain[2];
	assert_int_equal(bt_guard_check_output(&guard, fd, back.output, &error), BT_E_INVALID);
	close(fd);
	back_end(&back);
}

/* The store and what leads to it, wherever they are met; a file of the store only in the store itself. */
static void test_guard_keeps(void **state)
{
	struct back back;
	struct bt_guard guard;
	char path[256];

	SKIP_IF_REMOTE();
	back_begin(&back);
	world_snap(&back.world);
	const char *name = back.world.result.name;
	snprintf(path, sizeof(path), "%s/%s", back.world.store_path, name);
	struct stat store = status_of(back.world.store_path), above = status_of(back.world.base),
		    beside = status_of(back.world.source), file = status_of(path);
	assert_int_equal(bt_guard_init(&guard, back.world.store, NULL), 0);
	assert_int_equal(bt_guard_level(&guard, &store), 1);
	assert_int_equal(bt_guard_level(&guard, &above), 2);
	assert_true(bt_guard_keeps(&guard, &beside, "x", &store));
	assert_true(bt_guard_keeps(&guard, &beside, "x", &above));
	assert_true(bt_guard_keeps(&guard, &store, name, &file));
	assert_false(bt_guard_keeps(&guard, &store, "x", &file));
	assert_false(bt_guard_keeps(&guard, &above, name, &file));
	assert_false(bt_guard_keeps(&guard, &beside, name, &file));
	bt_guard_free(&guard);
	back_end(&back);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),    cmocka_unit_test(test_again),
		cmocka_unit_test(test_if_changed),    cmocka_unit_test(test_never),
		cmocka_unit_test(test_delete),	      cmocka_unit_test(test_count_only),
		cmocka_unit_test(test_named),	      cmocka_unit_test(test_dry_run),
		cmocka_unit_test(test_paths),	      cmocka_unit_test(test_many),
		cmocka_unit_test(test_deep),	      cmocka_unit_test(test_delete_deep),
		cmocka_unit_test(test_classic),	      cmocka_unit_test(test_progress),
		cmocka_unit_test(test_inherited_acl), cmocka_unit_test(test_guarded),
		cmocka_unit_test(test_guard_knows),   cmocka_unit_test(test_guard_keeps),
	};

	if (geteuid() != 0)
		return 77; /* owners and devices are root's */
	umask(022);
	setenv("TZ", "UTC", 1);
	tzset();
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
