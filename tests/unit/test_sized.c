/* SPDX-License-Identifier: MIT */
/* A program with older or newer headers than the library. */
#include "base/sized.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct old {
	size_t size;
	uint64_t first;
};

struct ours {
	size_t size;
	uint64_t first;
	uint64_t second;
};

struct newer {
	size_t size;
	uint64_t first;
	uint64_t second, third;
};

static void test_take(void **state)
{
	const struct old old = {sizeof(old), 1};
	const struct ours same = {sizeof(same), 2, 3};
	struct newer newer = {sizeof(newer), 4, 5, 0};
	struct bt_error error = {0};
	struct ours own = {7, 7, 7};

	assert_int_equal(bt_sized_take(&own, sizeof(own), &old, &error), 0);
	assert_memory_equal(&own, (&(struct ours){sizeof(own), 1, 0}), sizeof(own));
	assert_int_equal(bt_sized_take(&own, sizeof(own), &same, &error), 0);
	assert_memory_equal(&own, &same, sizeof(own));
	assert_int_equal(bt_sized_take(&own, sizeof(own), &newer, &error), 0);
	assert_memory_equal(&own, (&(struct ours){sizeof(own), 4, 5}), sizeof(own));
	assert_int_equal(bt_sized_take(&own, sizeof(own), NULL, &error), 0);
	assert_memory_equal(&own, (&(struct ours){sizeof(own), 0, 0}), sizeof(own));
	assert_int_equal(error.code, 0);
	newer.third = (uint64_t)1 << 63;
	assert_int_equal(bt_sized_take(&own, sizeof(own), &newer, &error), BT_E_INVALID);
	assert_int_equal(error.code, BT_E_INVALID);
}

static void test_give(void **state)
{
	const struct ours own = {0, 1, 2};
	struct old old[2] = {{sizeof(*old), 7}, {8, 9}};
	struct newer newer = {sizeof(newer), 7, 7, 7};

	bt_sized_give(&old[0], &own, sizeof(own));
	assert_int_equal(old[0].size, sizeof(*old));
	assert_int_equal(old[0].first, 1);
	assert_int_equal(old[1].size, 8); /* nothing beyond it was touched */
	assert_int_equal(old[1].first, 9);
	bt_sized_give(&newer, &own, sizeof(own));
	assert_int_equal(newer.size, sizeof(newer));
	assert_int_equal(newer.second, 2);
	assert_int_equal(newer.third, 0);
	bt_sized_give(NULL, &own, sizeof(own));
}

static void test_no_size(void **state)
{
	const struct ours none = {.first = 1}, small = {.size = sizeof(size_t) - 1}, wild = {.size = SIZE_MAX};
	const struct ours *bad[] = {&none, &small, &wild};
	struct ours own = {7, 7, 7};

	for (size_t i = 0; i < 3; i++) {
		struct bt_error error = {0};

		assert_int_equal(bt_sized_check(bad[i], &error), BT_E_INVALID);
		assert_string_equal(error.detail, "a struct does not begin with its size");
		assert_int_equal(bt_sized_take(&own, sizeof(own), bad[i], NULL), BT_E_INVALID);
		assert_int_equal(own.first, 7);
	}
	assert_int_equal(bt_sized_check(NULL, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_take),
		cmocka_unit_test(test_give),
		cmocka_unit_test(test_no_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
