/* SPDX-License-Identifier: MIT */
/* The pool of large buffers. */
#include "base/buffers.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

static size_t idle_count(const struct bt_buffers *buffers)
{
	size_t count = 0;

	for (const struct bt_buffer *buffer = buffers->idle; buffer; buffer = buffer->next)
		count++;
	return count;
}

static void are_used_again(enum bt_buffers_kind kind)
{
	struct bt_buffers buffers;

	bt_buffers_init(&buffers, kind, 8 * MIB);
	struct bt_buffer *large = bt_buffer_get(&buffers, MIB);
	assert_true(large->capacity >= MIB);
	memset(large->data, 1, large->capacity);
	bt_buffer_put(&buffers, large);
	assert_ptr_equal(bt_buffer_get(&buffers, MIB - 5000), large);
	bt_buffer_put(&buffers, large);
	struct bt_buffer *small = bt_buffer_get(&buffers, 1000); /* not the large one */
	assert_ptr_not_equal(small, large);
	bt_buffer_put(&buffers, small);
	bt_buffer_put(&buffers, NULL);
	bt_buffers_destroy(&buffers);
}

static void test_are_used_again(void **state)
{
	are_used_again(BT_BUFFERS_MAPPED);
	are_used_again(BT_BUFFERS_HUGE);
}

/* Blocks of one large file are of many sizes: each gets the memory of the one before it, which is a huge page. */
static void test_huge_ones_fit_each_other(void **state)
{
	const size_t sizes[] = {1100000, 1900000, 1040000, 2 * MIB - 1};
	struct bt_buffers buffers;

	bt_buffers_init(&buffers, BT_BUFFERS_HUGE, 8 * MIB);
	struct bt_buffer *first = bt_buffer_get(&buffers, 1500000);
	assert_int_equal((uintptr_t)first->data % (2 * MIB), 0);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		bt_buffer_put(&buffers, first);
		assert_ptr_equal(bt_buffer_get(&buffers, sizes[i]), first);
	}
	bt_buffer_put(&buffers, first);
	bt_buffers_destroy(&buffers);
}

/* The latest stay, within the limit. */
static void keep_a_limit(enum bt_buffers_kind kind)
{
	struct bt_buffer *all[12];
	struct bt_buffers buffers;

	bt_buffers_init(&buffers, kind, 2 * MIB);
	for (size_t i = 0; i < 12; i++)
		all[i] = bt_buffer_get(&buffers, 256 * KIB);
	for (size_t i = 0; i < 12; i++)
		bt_buffer_put(&buffers, all[i]);
	assert_int_equal(idle_count(&buffers), 8);
	assert_int_equal(buffers.idle_bytes, 2 * MIB);
	assert_ptr_equal(buffers.idle, all[11]);
	bt_buffer_put(&buffers, bt_buffer_get(&buffers, 3 * MIB)); /* which would drive out the others */
	assert_int_equal(idle_count(&buffers), 8);
	bt_buffers_destroy(&buffers);
}

static void test_keep_a_limit(void **state)
{
	keep_a_limit(BT_BUFFERS_MAPPED);
	keep_a_limit(BT_BUFFERS_HUGE);
}

static void test_no_memory(void **state)
{
	struct bt_buffers buffers;

	bt_buffers_init(&buffers, BT_BUFFERS_MAPPED, MIB);
	assert_null(bt_buffer_get(&buffers, SIZE_MAX));
	assert_null(bt_buffer_get(&buffers, SIZE_MAX / 2 + 1));
	bt_buffers_destroy(&buffers);
	bt_buffers_init(&buffers, BT_BUFFERS_HUGE, MIB);
	assert_null(bt_buffer_get(&buffers, SIZE_MAX));
	bt_buffers_destroy(&buffers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_are_used_again),
		cmocka_unit_test(test_huge_ones_fit_each_other),
		cmocka_unit_test(test_keep_a_limit),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("buffers", tests, NULL, NULL);
}
