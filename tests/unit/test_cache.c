/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "base/cache.h"
#include "base/fail.h"
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct value {
	struct bt_cached cached;
	uint64_t *content; /* of its own, so that use after free is seen */
};

/* What the loader does, and how often. */
struct loader {
	atomic_int loads, alive, arrived;
	int wait_for; /* threads that must have come before a load ends */
	bool fail;
	size_t weight;
};

static struct loader *counts; /* of the one test that runs: free has no arg */

static int load(void *arg, const struct bt_table_key *key, const void *hint, struct bt_cached **ret_value,
		size_t *ret_weight, struct bt_error *error)
{
	struct loader *loader = arg;

	atomic_fetch_add(&loader->loads, 1);
	while (atomic_load(&loader->arrived) < loader->wait_for)
		sched_yield();
	if (loader->fail)
		return bt_fail_damaged(error, BT_R_BAD_FRAME, hint, key->a);
	struct value *value = calloc(1, sizeof(*value));
	if (value)
		value->content = malloc(sizeof(uint64_t));
	if (!value || !value->content)
		abort();
	*value->content = key->a ^ key->b;
	atomic_fetch_add(&loader->alive, 1);
	*ret_weight = loader->weight;
	*ret_value = &value->cached;
	return 0;
}

static void unload(struct bt_cached *cached)
{
	struct value *value = (struct value *)cached;

	atomic_fetch_sub(&counts->alive, 1);
	free(value->content);
	free(value);
}

static struct bt_cache *cache_new(struct loader *loader, size_t budget)
{
	struct bt_cache *cache = NULL;
	struct bt_cache_options options = {.budget = budget, .load = load, .free = unload, .arg = loader};

	counts = loader;
	assert_int_equal(bt_cache_new(&options, &cache), 0);
	return cache;
}

static struct bt_table_key key_of(uint64_t n)
{
	return (struct bt_table_key){bt_mix64(n), bt_mix64(n + 1000000)};
}

static struct bt_cached *get(struct bt_cache *cache, uint64_t n)
{
	struct bt_table_key key = key_of(n);
	struct bt_cached *value = NULL;

	if (bt_cache_get(cache, &key, NULL, &value, NULL) != 0)
		return NULL;
	return *((struct value *)value)->content == (key.a ^ key.b) ? value : NULL;
}

static bool has(struct bt_cache *cache, uint64_t n)
{
	struct bt_table_key key = key_of(n);

	return bt_cache_has(cache, &key);
}

static void touch(struct bt_cache *cache, uint64_t n)
{
	struct bt_cached *value = get(cache, n);

	assert_non_null(value);
	bt_cache_put(cache, value);
}

static void test_least_recently_used_goes(void **state)
{
	struct loader loader = {.weight = 10};
	struct bt_cache *cache = cache_new(&loader, 35);

	touch(cache, 1);
	touch(cache, 2);
	touch(cache, 3);
	touch(cache, 1);
	assert_int_equal(atomic_load(&loader.loads), 3);
	assert_int_equal(bt_cache_weight(cache), 30);
	touch(cache, 4);
	assert_true(has(cache, 1) && has(cache, 3) && has(cache, 4));
	assert_false(has(cache, 2));
	touch(cache, 5);
	assert_false(has(cache, 3));
	assert_int_equal(bt_cache_weight(cache), 30);
	assert_int_equal(atomic_load(&loader.alive), 3);
	bt_cache_free(cache);
	assert_int_equal(atomic_load(&loader.alive), 0);
	bt_cache_free(NULL);
}

static void test_pinned_stay(void **state)
{
	struct loader loader = {.weight = 10};
	struct bt_cache *cache = cache_new(&loader, 15);
	struct bt_cached *one = get(cache, 1), *two = get(cache, 2), *again = get(cache, 1);

	assert_ptr_equal(one, again);
	assert_int_equal(bt_cache_weight(cache), 20); /* over the budget, but in use */
	bt_cache_put(cache, one);
	assert_true(has(cache, 1)); /* once more in use */
	touch(cache, 3);
	assert_false(has(cache, 3)); /* the only one that could go */
	bt_cache_put(cache, again);
	assert_false(has(cache, 1));
	assert_true(has(cache, 2));
	bt_cache_put(cache, two);
	assert_int_equal(bt_cache_weight(cache), 10);
	bt_cache_free(cache);
	assert_int_equal(atomic_load(&loader.alive), 0);
}

static void test_dropped_ones_leave_unless_others_have_them(void **state)
{
	struct loader loader = {.weight = 10};
	struct bt_cache *cache = cache_new(&loader, 100);
	struct bt_cached *one = get(cache, 1), *again = get(cache, 1);

	touch(cache, 2);
	bt_cache_drop(cache, one);
	assert_true(has(cache, 1));
	assert_int_equal(bt_cache_weight(cache), 20);
	bt_cache_drop(cache, again);
	assert_false(has(cache, 1));
	assert_true(has(cache, 2));
	assert_int_equal(bt_cache_weight(cache), 10);
	assert_int_equal(atomic_load(&loader.alive), 1);
	touch(cache, 1);
	assert_int_equal(atomic_load(&loader.loads), 3);
	bt_cache_free(cache);
	assert_int_equal(atomic_load(&loader.alive), 0);
}

static void test_budget_zero_keeps_nothing(void **state)
{
	struct loader loader = {.weight = 1};
	struct bt_cache *cache = cache_new(&loader, 0);

	touch(cache, 1);
	assert_false(has(cache, 1));
	assert_int_equal(bt_cache_weight(cache), 0);
	bt_cache_free(cache);
}

static void test_many(void **state)
{
	struct loader loader = {.weight = 1};
	struct bt_cache *cache = cache_new(&loader, 5000);

	for (uint64_t n = 0; n < 7000; n++)
		touch(cache, n);
	for (uint64_t n = 0; n < 7000; n++)
		assert_int_equal(has(cache, n), n >= 2000);
	for (uint64_t n = 2000; n < 7000; n++)
		touch(cache, n);
	assert_int_equal(atomic_load(&loader.loads), 7000);
	bt_cache_free(cache);
}

static void test_failed_load(void **state)
{
	struct loader loader = {.weight = 1, .fail = true};
	struct bt_cache *cache = cache_new(&loader, 100);
	struct bt_table_key key = {5, 6};
	struct bt_cached *value = (struct bt_cached *)&loader;
	struct bt_error error = {0}, older = {.code = BT_E_LOCKED};

	assert_int_equal(bt_cache_get(cache, &key, "hint", &value, &error), BT_E_DAMAGED);
	assert_ptr_equal(value, &loader);
	assert_int_equal(error.reason, BT_R_BAD_FRAME);
	assert_string_equal(error.file, "hint");
	assert_int_equal(error.offset, 5);
	assert_false(bt_cache_has(cache, &key));
	assert_int_equal(bt_cache_get(cache, &key, NULL, &value, &older), BT_E_DAMAGED);
	assert_int_equal(older.code, BT_E_LOCKED);
	loader.fail = false;
	assert_int_equal(bt_cache_get(cache, &key, NULL, &value, NULL), 0);
	assert_int_equal(atomic_load(&loader.loads), 3);
	bt_cache_put(cache, value);
	bt_cache_free(cache);
}

enum { THREADS = 8 };

struct visitor {
	pthread_t thread;
	struct bt_cache *cache;
	struct loader *loader;
	uint64_t seed;
	int result, wrong;
	struct bt_error error;
	struct bt_cached *value;
};

static void run_visitors(struct bt_cache *cache, struct loader *loader, struct visitor *visitors,
			 void *(*visit)(void *arg))
{
	for (uint64_t i = 0; i < THREADS; i++) {
		visitors[i] = (struct visitor){.cache = cache, .loader = loader, .seed = i};
		assert_int_equal(pthread_create(&visitors[i].thread, NULL, visit, &visitors[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(visitors[i].thread, NULL);
}

static void *visit_one(void *arg)
{
	struct visitor *v = arg;
	struct bt_table_key key = key_of(42);

	atomic_fetch_add(&v->loader->arrived, 1);
	v->result = bt_cache_get(v->cache, &key, NULL, &v->value, &v->error);
	return NULL;
}

static void test_single_flight(void **state)
{
	for (int round = 0; round < 50; round++) {
		struct loader loader = {.weight = 1, .wait_for = THREADS};
		struct bt_cache *cache = cache_new(&loader, 0); /* only the pins keep it */
		struct visitor visitors[THREADS];

		run_visitors(cache, &loader, visitors, visit_one);
		assert_int_equal(atomic_load(&loader.loads), 1);
		for (size_t i = 0; i < THREADS; i++) {
			assert_int_equal(visitors[i].result, 0);
			assert_ptr_equal(visitors[i].value, visitors[0].value);
		}
		for (size_t i = 0; i < THREADS; i++) {
			assert_true(has(cache, 42));
			bt_cache_put(cache, visitors[i].value);
		}
		assert_false(has(cache, 42));
		bt_cache_free(cache);
		assert_int_equal(atomic_load(&loader.alive), 0);
	}
}

static void test_failure_reaches_all(void **state)
{
	struct loader loader = {.fail = true, .wait_for = THREADS};
	struct bt_cache *cache = cache_new(&loader, 100);
	struct visitor visitors[THREADS];

	run_visitors(cache, &loader, visitors, visit_one);
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(visitors[i].result, BT_E_DAMAGED);
		assert_int_equal(visitors[i].error.reason, BT_R_BAD_FRAME);
		assert_true(visitors[i].error.offset == key_of(42).a);
	}
	bt_cache_free(cache);
}

/* Each load waits for all others to have begun: with a lock held this would never end. */
static void *visit_own(void *arg)
{
	struct visitor *v = arg;
	struct bt_table_key key = key_of(v->seed);

	atomic_fetch_add(&v->loader->arrived, 1);
	v->result = bt_cache_get(v->cache, &key, NULL, &v->value, NULL);
	bt_cache_put(v->cache, v->value);
	return NULL;
}

static void test_loads_run_side_by_side(void **state)
{
	struct loader loader = {.weight = 1, .wait_for = THREADS};
	struct bt_cache *cache = cache_new(&loader, 100);
	struct visitor visitors[THREADS];

	run_visitors(cache, &loader, visitors, visit_own);
	assert_int_equal(atomic_load(&loader.loads), THREADS);
	bt_cache_free(cache);
}

static void *visit_at_random(void *arg)
{
	struct visitor *v = arg;
	struct bt_cached *held[4] = {0};
	uint64_t state = v->seed;

	for (int i = 0; i < 4000; i++) {
		state = bt_mix64(state + 1);
		size_t slot = state % 4;
		if (held[slot]) {
			if (*((struct value *)held[slot])->content != (held[slot]->key.a ^ held[slot]->key.b))
				v->wrong++;
			bt_cache_put(v->cache, held[slot]);
		}
		held[slot] = get(v->cache, (state >> 8) % 60);
		if (!held[slot])
			v->wrong++;
	}
	for (size_t slot = 0; slot < 4; slot++) {
		if (held[slot])
			bt_cache_put(v->cache, held[slot]);
	}
	return NULL;
}

static void test_crowd(void **state)
{
	struct loader loader = {.weight = 3};
	struct bt_cache *cache = cache_new(&loader, 60);
	struct visitor visitors[THREADS];

	run_visitors(cache, &loader, visitors, visit_at_random);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(visitors[i].wrong, 0);
	assert_int_equal(bt_cache_weight(cache), 60);
	assert_int_equal(atomic_load(&loader.alive), 20);
	bt_cache_free(cache);
	assert_int_equal(atomic_load(&loader.alive), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_least_recently_used_goes),
		cmocka_unit_test(test_pinned_stay),
		cmocka_unit_test(test_dropped_ones_leave_unless_others_have_them),
		cmocka_unit_test(test_budget_zero_keeps_nothing),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_failed_load),
		cmocka_unit_test(test_single_flight),
		cmocka_unit_test(test_failure_reaches_all),
		cmocka_unit_test(test_loads_run_side_by_side),
		cmocka_unit_test(test_crowd),
	};

	return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
