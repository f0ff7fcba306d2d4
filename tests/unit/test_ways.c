/* SPDX-License-Identifier: MIT */
/* Directories of deep trees are opened a number of times that is linear in the depth. */
#include "base/ways.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static atomic_size_t descents;
static struct bt_way *absent; /* cannot be opened */

static int descend(struct bt_ways *ways, int parent, struct bt_way *child)
{
	assert_true(parent >= 0);
	assert_true(fcntl(parent, F_GETFD) >= 0);
	descents++;
	return child == absent ? -ESTALE : open("/", O_PATH | O_CLOEXEC);
}

static struct bt_way *make_chain(struct bt_ways *ways, size_t most, size_t depth)
{
	struct bt_way *chain = calloc(depth + 1, sizeof(*chain));

	assert_non_null(chain);
	bt_ways_init(ways, most, descend);
	for (size_t i = 0; i <= depth; i++)
		bt_way_init(&chain[i], i ? &chain[i - 1] : NULL);
	bt_ways_set(ways, &chain[0], open("/", O_PATH | O_CLOEXEC));
	descents = 0;
	return chain;
}

static void end_chain(struct bt_ways *ways, struct bt_way *chain, size_t depth)
{
	for (size_t i = depth + 1; i-- > 0;)
		bt_ways_close(ways, &chain[i]);
	assert_int_equal(ways->open, 0);
	assert_int_equal(ways->recent.count + ways->landmarks.count, 0);
	bt_ways_destroy(ways);
	free(chain);
}

static void visit(struct bt_ways *ways, struct bt_way *way)
{
	assert_true(bt_ways_get(ways, way) >= 0);
	assert_in_range(ways->open, 1, ways->limit + 2);
	bt_ways_put(ways, way);
}

/* Down to the last, back to the root, and the last again. */
static void test_linear(void **state)
{
	static const size_t depths[] = {10, 1000, 5000, 20000, 50000};
	struct bt_ways ways;

	for (size_t i = 0; i < sizeof(depths) / sizeof(*depths); i++) {
		size_t depth = depths[i];
		struct bt_way *chain = make_chain(&ways, 200, depth);

		for (size_t at = 0; at <= depth; at++)
			visit(&ways, &chain[at]);
		assert_int_equal(descents, depth);
		for (size_t at = depth; at-- > 0;)
			visit(&ways, &chain[at]);
		assert_in_range(descents, depth, 5 * depth);
		descents = 0;
		visit(&ways, &chain[depth]);
		assert_in_range(descents, 0, depth);
		end_chain(&ways, chain, depth);
	}
}

/* Many directories at the depth of a landmark do not crowd out the others. */
static void test_wide(void **state)
{
	enum { WIDE = 5000, DEPTH = 128 };
	struct bt_ways ways;
	struct bt_way *chain = make_chain(&ways, 200, DEPTH), *wide = calloc(WIDE, sizeof(*wide));

	for (size_t i = 0; i < WIDE; i++) {
		bt_way_init(&wide[i], &chain[DEPTH - 1]);
		visit(&ways, &wide[i]);
		visit(&ways, &chain[DEPTH - 1]);
	}
	assert_in_range(descents, WIDE + DEPTH - 1, WIDE + 2 * DEPTH);
	for (size_t i = 0; i < WIDE; i++)
		bt_ways_close(&ways, &wide[i]);
	free(wide);
	end_chain(&ways, chain, DEPTH);
}

static void test_failure(void **state)
{
	struct bt_ways ways;
	struct bt_way *chain = make_chain(&ways, 200, 300);

	absent = &chain[150];
	assert_int_equal(bt_ways_get(&ways, &chain[300]), -ESTALE);
	assert_true(bt_ways_is_open(&ways, &chain[149]));
	assert_false(bt_ways_is_open(&ways, &chain[150]));
	absent = NULL;
	visit(&ways, &chain[300]);
	assert_int_equal(descents, 301);
	bt_ways_spare(&ways);
	assert_in_range(ways.open, 1, 101);
	visit(&ways, &chain[300]);
	end_chain(&ways, chain, 300);
}

struct walker {
	struct bt_ways *ways;
	struct bt_way *chain;
	unsigned seed;
};

static void *wander(void *arg)
{
	struct walker *walker = arg;

	for (unsigned i = 0; i < 3000; i++)
		for (unsigned j = 0, at = (unsigned)rand_r(&walker->seed) % 1000; j < 3; j++) {
			int fd = bt_ways_get(walker->ways, &walker->chain[at]);

			assert_true(fd >= 0 && fcntl(fd, F_GETFD) >= 0);
			bt_ways_put(walker->ways, &walker->chain[at]);
			at = at ? at - 1 : 0;
		}
	return NULL;
}

static void test_threads(void **state)
{
	enum { THREADS = 4 };
	struct walker walkers[THREADS];
	pthread_t threads[THREADS];
	struct bt_ways ways;
	struct bt_way *chain = make_chain(&ways, 32, 1000);

	for (unsigned i = 0; i < THREADS; i++) {
		walkers[i] = (struct walker){&ways, chain, i};
		assert_int_equal(pthread_create(&threads[i], NULL, wander, &walkers[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	end_chain(&ways, chain, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_linear),
		cmocka_unit_test(test_wide),
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
