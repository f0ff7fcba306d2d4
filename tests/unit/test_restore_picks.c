/* SPDX-License-Identifier: MIT */
/* What patterns select of a snapshot, what becomes of the rest, and a directory of it in place of its root. */
#include "restore_world.h"

struct wanted {
	struct back back;
	const char *includes[4], *excludes[4];
	bool include_used[4], exclude_used[4];
};

static void put_tree(struct wanted *wanted)
{
	struct world *world = &wanted->back.world;

	memset(wanted, 0, sizeof(*wanted));
	back_begin(&wanted->back);
	put_dir(world, "pictures");
	put_dir(world, "pictures/may");
	put_text(world, "pictures/may/a.jpg", "a");
	put_text(world, "pictures/may/a.txt", "a");
	put_dir(world, "letters");
	put_text(world, "letters/b.txt", "b");
	put_dir(world, "letters/none");
	put_text(world, "top.jpg", "t");
	set_times(in_source(world, "letters"), 1000, 0);
	world_snap(world);
}

/* NULL ends each list. */
static void select_by(struct wanted *wanted, const char *include, const char *second, const char *exclude)
{
	struct bt_restore_options *options = &wanted->back.options;

	wanted->includes[0] = include;
	wanted->includes[1] = second;
	wanted->excludes[0] = exclude;
	options->includes = wanted->includes;
	options->include_count = (size_t)(include ? 1 + !!second : 0);
	options->excludes = wanted->excludes;
	options->exclude_count = !!exclude;
	options->include_used = wanted->include_used;
	options->exclude_used = wanted->exclude_used;
	expect(&wanted->back, 0);
}

static bool has(struct wanted *wanted, const char *name)
{
	return exists(in_output(&wanted->back, name));
}

static void test_include(void **state)
{
	struct wanted wanted;

	put_tree(&wanted);
	select_by(&wanted, "*.jpg", NULL, NULL);
	assert_true(has(&wanted, "pictures/may/a.jpg"));
	assert_true(has(&wanted, "top.jpg"));
	assert_false(has(&wanted, "pictures/may/a.txt"));
	assert_false(has(&wanted, "letters"));
	assert_int_equal(wanted.back.result.files, 2);
	assert_true(wanted.include_used[0]);
	select_by(&wanted, "/letters", "*.odt", NULL);
	assert_true(has(&wanted, "letters/b.txt"));
	assert_true(has(&wanted, "letters/none"));
	assert_true(wanted.include_used[0]);
	assert_false(wanted.include_used[1]);
	assert_int_equal(status_of(in_output(&wanted.back, "letters")).st_mtim.tv_sec, 1000);
	back_end(&wanted.back);
}

/* A pattern counts as used also where another one decides. */
static void test_used(void **state)
{
	struct wanted wanted;

	put_tree(&wanted);
	select_by(&wanted, "/letters", "b.txt", NULL);
	assert_true(wanted.include_used[0] && wanted.include_used[1]);
	select_by(&wanted, "*.txt", "b*", "nothing");
	assert_true(wanted.include_used[0] && wanted.include_used[1]);
	assert_false(wanted.exclude_used[0]);
	back_end(&wanted.back);
}

static void test_exclude(void **state)
{
	struct wanted wanted;

	put_tree(&wanted);
	select_by(&wanted, NULL, NULL, "/pictures");
	assert_false(has(&wanted, "pictures"));
	assert_true(has(&wanted, "letters/none"));
	assert_true(wanted.exclude_used[0]);
	select_by(&wanted, "may", NULL, "*.txt");
	assert_true(has(&wanted, "pictures/may/a.jpg"));
	assert_false(has(&wanted, "pictures/may/a.txt"));
	back_end(&wanted.back);
}

/* Directories that only lead there keep what they have, and nothing is made where nothing matches. */
static void test_parents(void **state)
{
	struct wanted wanted;

	put_tree(&wanted);
	assert_int_equal(mkdir(wanted.back.output, 0755), 0);
	assert_int_equal(mkdir(in_output(&wanted.back, "letters"), 0700), 0);
	set_times(in_output(&wanted.back, "letters"), 5, 0);
	select_by(&wanted, "b.txt", NULL, NULL);
	struct stat letters = status_of(in_output(&wanted.back, "letters"));
	assert_int_equal(letters.st_mode & 07777, 0700);
	assert_int_equal(letters.st_mtim.tv_sec, 5);
	assert_true(has(&wanted, "letters/b.txt"));
	assert_false(has(&wanted, "letters/none"));
	back_end(&wanted.back);
}

/* --delete removes what is selected, and no more. */
static void test_delete(void **state)
{
	struct wanted wanted;

	put_tree(&wanted);
	expect(&wanted.back, 0);
	assert_int_equal(mkdir(in_output(&wanted.back, "extra"), 0755), 0);
	append(in_output(&wanted.back, "extra/x.jpg"), "x");
	append(in_output(&wanted.back, "extra/x.txt"), "x");
	assert_int_equal(mkdir(in_output(&wanted.back, "extra/empty"), 0755), 0);
	append(in_output(&wanted.back, "letters/x.jpg"), "x");
	append(in_output(&wanted.back, "letters/x.txt"), "x");
	wanted.back.options.delete_extra = true;
	select_by(&wanted, "*.jpg", NULL, "/extra");
	assert_int_equal(wanted.back.result.deleted, 1);
	assert_false(has(&wanted, "letters/x.jpg"));
	assert_true(has(&wanted, "letters/x.txt"));
	assert_true(has(&wanted, "extra/x.jpg"));
	select_by(&wanted, "*.jpg", NULL, NULL);
	assert_int_equal(wanted.back.result.deleted, 1);
	assert_false(has(&wanted, "extra/x.jpg"));
	assert_true(has(&wanted, "extra/x.txt"));
	assert_true(has(&wanted, "extra/empty"));
	select_by(&wanted, NULL, NULL, "*.txt");
	assert_false(has(&wanted, "extra/empty"));
	assert_true(has(&wanted, "extra/x.txt"));
	assert_true(has(&wanted, "letters/x.txt"));
	back_end(&wanted.back);
}

static void test_base(void **state)
{
	static const char *const paths[] = {"a.jpg"};
	struct wanted wanted;

	put_tree(&wanted);
	wanted.back.options.base = "/pictures//may";
	expect(&wanted.back, 0);
	assert_true(has(&wanted, "a.jpg"));
	assert_true(has(&wanted, "a.txt"));
	assert_int_equal(wanted.back.result.files, 2);
	assert_int_equal(status_of(wanted.back.output).st_mtim.tv_sec,
			 status_of(in_source(&wanted.back.world, "pictures/may")).st_mtim.tv_sec);
	append(in_output(&wanted.back, "extra"), "x");
	wanted.back.options.delete_extra = true;
	select_by(&wanted, NULL, NULL, "/pictures/may/extra");
	assert_true(has(&wanted, "extra"));
	select_by(&wanted, NULL, NULL, "/extra");
	assert_false(has(&wanted, "extra"));
	remove_tree(wanted.back.output);
	wanted.back.options.paths = paths;
	wanted.back.options.path_count = 1;
	select_by(&wanted, "/pictures/may/a.*", NULL, NULL);
	assert_true(has(&wanted, "a.jpg"));
	assert_false(has(&wanted, "a.txt"));
	wanted.back.options.base = "top.jpg";
	expect(&wanted.back, BT_E_INVALID);
	wanted.back.options.base = "nowhere";
	expect(&wanted.back, BT_E_NOT_FOUND);
	back_end(&wanted.back);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_include), cmocka_unit_test(test_used),   cmocka_unit_test(test_exclude),
		cmocka_unit_test(test_parents), cmocka_unit_test(test_delete), cmocka_unit_test(test_base),
	};

	umask(022);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
