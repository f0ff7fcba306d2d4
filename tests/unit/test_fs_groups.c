/* SPDX-License-Identifier: MIT */
#include "groups.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static uint32_t add(struct groups *groups, const char *host, const char *target)
{
	uint32_t number;

	assert_int_equal(groups_number(groups, host, target, &number), 0);
	groups_count_snapshot(groups, number, 1);
	return number;
}

static void names(void **state)
{
	static const struct {
		const char *target, *name;
	} table[] = {
		{"/home/me", "home-me"},
		{"/home-me", "home-me~2"},
		{"/home/me/", "home-me-"},
		{"/", "-"},
		{"", "-~2"},
		{"//", "-~3"},
		{"/.", "-"},
		{"/..", "-."},
		{"/versions", "versions~2"},
	};
	struct groups *groups = groups_new();

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		char host[16];

		snprintf(host, sizeof(host), "h%zu", i / 6); /* "-" is free again there */
		assert_string_equal(groups_name(groups, add(groups, host, table[i].target)), table[i].name);
	}
	groups_free(groups);
}

static void long_names(void **state)
{
	struct groups *groups = groups_new();
	char target[4001];

	memset(target, 'x', 4000);
	target[4000] = '\0';
	for (int i = 0; i < 12; i++) {
		target[i] = '/';
		assert_true(strlen(groups_name(groups, add(groups, target, target))) < 256);
	}
	groups_free(groups);
}

static void what_is_shown(void **state)
{
	struct groups *groups = groups_new();
	uint32_t etc = add(groups, "laptop", "/etc"), srv = add(groups, "laptop", "/srv");
	uint32_t other = add(groups, "server", "/etc"), laptop = groups_above(groups, etc);

	assert_int_equal(add(groups, "laptop", "/etc"), etc);
	assert_int_equal(groups_above(groups, srv), laptop);
	assert_true(groups_is_host(groups, laptop));
	assert_false(groups_is_host(groups, etc));
	assert_int_equal(groups_next(groups, GROUPS_NONE, 0), laptop);
	assert_int_equal(groups_next(groups, GROUPS_NONE, laptop + 1), groups_above(groups, other));
	assert_int_equal(groups_next(groups, laptop, 0), etc);
	assert_int_equal(groups_next(groups, laptop, etc + 1), srv);
	assert_int_equal(groups_find(groups, laptop, "srv"), srv);
	assert_int_equal(groups_find(groups, GROUPS_NONE, "srv"), GROUPS_NONE);
	groups_count_snapshot(groups, etc, -1); /* it has another one */
	assert_int_equal(groups_find(groups, laptop, "etc"), etc);
	groups_count_snapshot(groups, etc, -1);
	assert_int_equal(groups_find(groups, laptop, "etc"), GROUPS_NONE);
	assert_int_equal(groups_next(groups, laptop, 0), srv);
	groups_count_snapshot(groups, srv, -1);
	assert_int_equal(groups_find(groups, GROUPS_NONE, "laptop"), GROUPS_NONE);
	assert_int_equal(groups_number(groups, "laptop", "/etc", &srv), 0); /* it keeps its number */
	assert_int_equal(srv, etc);
	groups_free(groups);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(long_names),
		cmocka_unit_test(what_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
