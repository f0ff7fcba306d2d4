/* SPDX-License-Identifier: MIT */
#include "policy/listed.h"
#include <internal/policy.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <setjmp.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static struct bt_listed *listed_of(const char *const *paths, size_t count)
{
	struct bt_listed *listed = NULL;

	assert_int_equal(bt_listed_new(paths, count, &listed, NULL), 0);
	return listed;
}

static void assert_lost(const struct bt_listed *listed, const char *want)
{
	char lost[256] = "";
	size_t at = 0;

	for (const char *path = bt_listed_lost(listed, &at); path; path = bt_listed_lost(listed, &at))
		snprintf(lost + strlen(lost), sizeof(lost) - strlen(lost), "%s,", path);
	assert_string_equal(lost, want);
}

static void ranges(void **state)
{
	static const char *const paths[] = {"b/c", "a.b", "./a//", "a/x/", "a/y", "a!", "b/c", "d/e/f"};
	struct bt_listed *listed = listed_of(paths, LENGTH(paths));
	const struct bt_listed_range root = bt_listed_root(listed);

	assert_false(root.whole);
	assert_int_equal(root.end - root.first, 7);
	struct bt_listed_range a = bt_listed_find(listed, &root, "a");
	assert_true(a.whole);
	assert_int_equal(a.end - a.first, 2);
	struct bt_listed_range in_a = bt_listed_find(listed, &a, "a/q");
	assert_true(in_a.whole && in_a.first == in_a.end);
	struct bt_listed_range b = bt_listed_find(listed, &root, "b");
	assert_false(b.whole);
	assert_int_equal(b.end - b.first, 1);
	assert_true(bt_listed_find(listed, &b, "b/c").whole);
	assert_false(bt_listed_find(listed, &b, "b/c.d").whole);
	assert_false(bt_listed_find(listed, &root, "z").whole);
	assert_lost(listed, "a/x,a/y,a!,a.b,d/e/f,");
	struct bt_listed_range d = bt_listed_find(listed, &root, "d");
	bt_listed_pass(listed, &d);
	assert_lost(listed, "a/x,a/y,a!,a.b,");
	bt_listed_free(listed);
}

static void all_and_nothing(void **state)
{
	static const char *const all[] = {"x", "."};
	struct bt_listed *listed = listed_of(all, LENGTH(all));
	struct bt_listed_range root = bt_listed_root(listed);

	assert_true(root.whole);
	assert_int_equal(root.end - root.first, 1);
	assert_lost(listed, "x,");
	bt_listed_free(listed);
	listed = listed_of(NULL, 0);
	root = bt_listed_root(listed);
	assert_true(!root.whole && root.first == root.end);
	bt_listed_free(listed);
}

static void bad_paths(void **state)
{
	static const char *const bad[] = {"..", "a/..", "../a", "a/../b", "/a", "/"}, *const good[] = {"...", "a..",
												       ".a/..b"};
	struct bt_listed *listed;
	char tidy[16];

	for (size_t i = 0; i < LENGTH(bad); i++) {
		assert_int_equal(bt_listed_path(bad[i], tidy), BT_E_INVALID);
		assert_int_equal(bt_listed_new(&bad[i], 1, &listed, NULL), BT_E_INVALID);
	}
	for (size_t i = 0; i < LENGTH(good); i++) {
		assert_int_equal(bt_listed_path(good[i], tidy), 0);
		assert_string_equal(tidy, good[i]);
	}
}

/* Each question halves the table: 100,000 of them are a matter of seconds even where every step is slow. */
static void many(void **state)
{
	enum { COUNT = 100000 };
	static char names[COUNT][24];
	static const char *paths[COUNT];

	for (unsigned i = 0; i < COUNT; i++) {
		snprintf(names[i], sizeof(names[i]), "d%u/f%u", i % 100, i * 7919u % COUNT);
		paths[i] = names[i];
	}
	struct bt_listed *listed = listed_of(paths, COUNT);
	struct bt_listed_range root = bt_listed_root(listed);
	clock_t begun = clock();
	for (unsigned i = 0; i < COUNT; i++)
		assert_true(bt_listed_find(listed, &root, names[i]).whole);
	assert_true(clock() - begun < 20 * CLOCKS_PER_SEC);
	assert_lost(listed, "");
	bt_listed_free(listed);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges),
		cmocka_unit_test(all_and_nothing),
		cmocka_unit_test(bad_paths),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
