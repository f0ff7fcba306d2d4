/* SPDX-License-Identifier: MIT */
#include "scan_tree.h"
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

static struct bt_buf events;

static void note_event(void *arg, enum bt_event event, const char *path)
{
	assert_ptr_equal(arg, &events);
	assert_int_equal(event, BT_EVENT_EXCLUDED);
	assert_int_equal(bt_buf_append(&events, path, strlen(path)), 0);
	assert_int_equal(bt_buf_append(&events, ",", 1), 0);
}

static void assert_events(const struct bt_scan_options *options, const char *want)
{
	struct bt_observer observer = {.arg = &events, .entry = note_event};

	for (unsigned threads = 0; threads < 3; threads++) {
		struct bt_scan_options with = *options;
		struct walk walk;

		events.length = 0;
		with.observer = &observer;
		with.threads = threads;
		walk = walk_with(&with);
		bt_buf_free(&walk.lines);
		assert_int_equal(events.length, strlen(want));
		assert_memory_equal(events.data, want, events.length);
	}
	bt_buf_free(&events);
}

static void rules(void **state)
{
	static const char *const patterns[] = {"*.o", "!keep.o", "/a/b/", "tmp/", "d/*.c", "!d/x.c"};
	struct bt_exclusion exclusion = {0};
	struct bt_scan_options options = {.exclusion = &exclusion};
	struct bt_rules *compiled;

	make_directory("a");
	make_directory("a/b");
	make_file("a/b/f", "");
	make_file("a/keep.o", "");
	make_file("a/drop.o", "");
	make_directory("a/tmp");
	make_directory("d");
	make_file("d/x.c", "");
	make_file("d/y.c", "");
	make_file("tmp", "");
	make_directory("x.o");
	make_file("x.o/keep.o", "");
	assert_int_equal(bt_rules_new(patterns, LENGTH(patterns), &compiled, NULL), 0);
	exclusion.rules = compiled;
	assert_paths(&options, "a,d,tmp,a/keep.o,d/x.c,", 5);
	assert_events(&options, "x.o,a/b,a/drop.o,a/tmp,d/y.c,");
	faults.hide_types = true;
	assert_paths(&options, "a,d,tmp,a/keep.o,d/x.c,", 5);
	assert_events(&options, "x.o,a/b,a/drop.o,a/tmp,d/y.c,");
	bt_rules_free(compiled);
}

static void markers(void **state)
{
	static const char *const names[] = {".nobackup", "skip-me"};
	const struct bt_exclusion exclusion = {.if_present = names, .if_present_count = LENGTH(names)};
	struct bt_scan_options options = {.exclusion = &exclusion};

	make_directory("a");
	make_file("a/.nobackup", "");
	make_file("a/f", "");
	make_directory("a/d");
	make_file("a/d/f", "");
	make_directory("b");
	make_file("b/.nobackup2", "");
	make_directory("c");
	make_directory("c/skip-me");
	make_file("c/skip-me/f", "");
	make_file("c/f", "");
	assert_paths(&options, "a,b,c,a/.nobackup,b/.nobackup2,c/skip-me,c/skip-me/f,", 3);
	assert_events(&options, "a/d,a/f,c/f,");
}

static void cache_directories(void **state)
{
	static const char signature[] = "Signature: 8a477f597d28d172789f06886806bc55";
	struct bt_exclusion exclusion = {.caches = true};
	struct bt_scan_options options = {.exclusion = &exclusion};

	make_directory("a");
	make_file("a/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n# a cache\n");
	make_file("a/f", "");
	make_directory("b");
	make_file("b/CACHEDIR.TAG", signature);
	make_file("b/f", "");
	make_directory("c");
	make_file("c/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc5");
	make_file("c/f", "");
	make_directory("d");
	assert_int_equal(mkfifo(at_top("d/CACHEDIR.TAG"), 0600), 0);
	make_file("d/f", "");
	make_directory("e");
	make_link("../a/CACHEDIR.TAG", "e/CACHEDIR.TAG");
	make_directory("f");
	make_directory("f/CACHEDIR.TAG");
	make_directory("g");
	make_file("g/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc56\n");
	make_file("g/f", "");
	assert_paths(&options,
		     "a,b,c,d,e,f,g,a/CACHEDIR.TAG,b/CACHEDIR.TAG,c/CACHEDIR.TAG,c/f,d/CACHEDIR.TAG,d/f,"
		     "e/CACHEDIR.TAG,f/CACHEDIR.TAG,g/CACHEDIR.TAG,g/f,",
		     2);
	exclusion.caches = false;
	assert_paths(&options,
		     "a,b,c,d,e,f,g,a/CACHEDIR.TAG,a/f,b/CACHEDIR.TAG,b/f,c/CACHEDIR.TAG,c/f,d/CACHEDIR.TAG,d/f,"
		     "e/CACHEDIR.TAG,f/CACHEDIR.TAG,g/CACHEDIR.TAG,g/f,",
		     0);
}

static void sizes(void **state)
{
	const struct bt_exclusion exclusion = {.larger = 3};
	struct bt_scan_options options = {.exclusion = &exclusion};

	make_file("a", "abc");
	make_file("b", "abcd");
	make_directory("c");
	make_link("a-name-of-more-bytes", "d");
	assert_paths(&options, "a,c,d,", 1);
	faults.hide_types = true;
	assert_paths(&options, "a,c,d,", 1);
}

static void files_of_patterns(void **state)
{
	static const char *const patterns[] = {"*.keep"}, *const names[] = {".ignore", ".ignore2"};
	struct bt_exclusion exclusion = {.ignore_files = {names, LENGTH(names)}};
	struct bt_scan_options options = {.exclusion = &exclusion};
	struct bt_rules *compiled;

	make_file(".ignore", "*.o\r\n# text\n/top\n");
	make_directory("a");
	make_file("a/.ignore", "\xef\xbb\xbf!y.o\n/b/x");
	make_file("a/top", "");
	make_directory("a/b");
	make_file("a/b/.ignore2", "!x\n*.p\n");
	make_file("a/b/x", "");
	make_file("a/b/y.o", "");
	make_file("a/b/z.o", "");
	make_file("a/b/z.p", "");
	make_file("top", "");
	make_file("z.p", "");
	make_link("/dev/zero", ".ignore2");
	assert_paths(&options, ".ignore,.ignore2,a,z.p,a/.ignore,a/b,a/top,a/b/.ignore2,a/b/x,a/b/y.o,", 3);
	faults.hide_types = true;
	assert_paths(&options, ".ignore,.ignore2,a,z.p,a/.ignore,a/b,a/top,a/b/.ignore2,a/b/x,a/b/y.o,", 3);
	/* The patterns of the call come before those of files. */
	make_file("a/.ignore2", "!*\n");
	make_file("a/c.keep", "");
	assert_int_equal(bt_rules_new(patterns, LENGTH(patterns), &compiled, NULL), 0);
	exclusion.rules = compiled;
	assert_paths(&options,
		     ".ignore,.ignore2,a,z.p,a/.ignore,a/.ignore2,a/b,a/top,a/b/.ignore2,a/b/x,a/b/y.o,a/b/z.o,", 3);
	bt_rules_free(compiled);
}

static void only_what_matches(void **state)
{
	static const char *const include[] = {"*.jpg", "/docs/letters/", "/a/b"}, *const out[] = {"x.jpg"};
	struct bt_exclusion exclusion = {0};
	struct bt_scan_options options = {.exclusion = &exclusion};
	struct bt_rules *wanted, *rules;

	make_directory("a");
	make_directory("a/b");
	make_file("a/b/f", "");
	make_file("a/c", "");
	make_directory("docs");
	make_directory("docs/letters");
	make_directory("docs/letters/d");
	make_file("docs/letters/d/f", "");
	make_file("docs/letters/x.jpg", "");
	make_directory("docs/other");
	make_file("docs/other/y.jpg", "");
	make_file("docs/other/f", "");
	assert_int_equal(bt_rules_new(include, LENGTH(include), &wanted, NULL), 0);
	assert_int_equal(bt_rules_new(out, LENGTH(out), &rules, NULL), 0);
	exclusion.include = wanted;
	exclusion.rules = rules;
	const char *all = "a,docs,a/b,a/b/f,docs/letters,docs/other,docs/letters/d,docs/letters/d/f,docs/other/y.jpg,";
	assert_paths(&options, all, 3);
	faults.hide_types = true;
	assert_paths(&options, all, 3);
	/* A directory may lie below what matches. */
	options.prefix = "a/b/";
	assert_paths(&options,
		     "a,docs,a/b,a/c,a/b/f,docs/letters,docs/other,docs/letters/d,docs/letters/d/f,docs/other/f,"
		     "docs/other/y.jpg,",
		     1);
	bt_rules_free(wanted);
	bt_rules_free(rules);
}

static void store_is_left_out(void **state)
{
	struct bt_scan_options options = {0};
	struct stat stat;

	make_directory("a");
	make_directory("a/store");
	make_file("a/store/f", "");
	make_directory("b");
	assert_int_equal(lstat(at_top("a/store"), &stat), 0);
	options.skip_dev = stat.st_dev;
	options.skip_ino = stat.st_ino;
	assert_paths(&options, "a,b,", 0);
	options.skip_dev = ~stat.st_dev;
	assert_paths(&options, "a,b,a/store,a/store/f,", 0);
}

static int scan_with_mount(void)
{
	struct bt_scan_options options = {.one_file_system = true};
	struct bt_scan_dir *root;
	struct bt_scan *scan;
	int fd;

	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", at_top("m"), "tmpfs", 0, NULL) != 0)
		return 77;
	fd = open(at_top("m/f"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	for (int i = 0; i < 2; i++, options.one_file_system = false) {
		bool entered = !options.one_file_system;

		if (bt_scan_open(top, &options, &scan, NULL) != 0)
			return 1;
		root = bt_scan_root(scan);
		if (bt_scan_list(scan, root, NULL) != 0 || root->count != 2)
			return 2;
		if (!root->found[0].child || root->found[0].boundary)
			return 3;
		if ((!root->found[1].child) == entered || (!root->found[1].boundary) != entered)
			return 4;
		if (!entered && strcmp(root->found[1].boundary, "tmpfs") != 0)
			return 6;
		if (entered &&
		    (bt_scan_list(scan, root->found[1].child, NULL) != 0 || root->found[1].child->count != 1))
			return 5;
		bt_scan_close(scan);
	}
	return 0;
}

static void one_file_system(void **state)
{
	int status;
	pid_t pid;

	make_directory("d");
	make_directory("m");
	pid = fork();
	if (pid == 0)
		_exit(scan_with_mount());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(rules),	       TEST(markers), TEST(cache_directories), TEST(store_is_left_out),
		TEST(one_file_system), TEST(sizes),   TEST(files_of_patterns), TEST(only_what_matches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
