/* SPDX-License-Identifier: MIT */
#include "hash.h"
#include "nodes.h"
#include "table.h"
#include "versions_places.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void the_root_is_node_one(void **state)
{
	struct node root = {.kind = NODE_TOP, .number = TOP_ROOT, .index = 0};

	assert_int_equal(node_pack(root), 1);
}

static void numbers_survive_packing(void **state)
{
	static const uint32_t values[] = {0, 1, 255, 1 << 16, NODE_INDEX_MAX - 1, NODE_INDEX_MAX};
	uint64_t last = 0;

	for (int kind = NODE_TOP; kind <= NODE_SHARED; kind++)
		for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
			for (size_t j = 0; j < sizeof(values) / sizeof(*values); j++) {
				struct node in = {.kind = kind, .number = values[i], .index = values[j]};
				struct node out = node_unpack(node_pack(in));

				assert_int_equal(out.kind, in.kind);
				assert_int_equal(out.number, in.number);
				assert_int_equal(out.index, in.index);
				assert_true(node_pack(in) > last); /* so no two are the same */
				last = node_pack(in);
			}
}

static struct node_page page_of(unsigned id, uint64_t path)
{
	struct node_page page = {.path = path};

	memcpy(page.id.bytes, &id, sizeof(id));
	return page;
}

static void a_page_keeps_its_number(void **state)
{
	struct nodes *nodes;
	struct node_page copy;
	uint32_t number, again;

	assert_int_equal(nodes_new(&nodes), 0);
	for (unsigned i = 0; i < 5000; i++) {
		struct node_page page = page_of(i, i % 7);

		assert_int_equal(nodes_page(nodes, &page, &number), 0);
		assert_int_equal(number, i);
	}
	for (unsigned i = 0; i < 5000; i++) {
		struct node_page page = page_of(i, i % 7);

		assert_int_equal(nodes_page(nodes, &page, &again), 0);
		assert_int_equal(again, i);
		assert_true(nodes_page_at(nodes, i, &copy));
		assert_memory_equal(&copy, &page, sizeof(page));
	}
	assert_false(nodes_page_at(nodes, 5000, &copy));
	nodes_free(nodes);
}

static void the_same_page_elsewhere_is_another_record(void **state)
{
	struct nodes *nodes;
	uint32_t here, there, salted;
	struct node_page page = page_of(1, 10), other = page_of(1, 11), own = page_of(1, 10);

	own.snapshot = 3;
	assert_int_equal(nodes_new(&nodes), 0);
	assert_int_equal(nodes_page(nodes, &page, &here), 0);
	assert_int_equal(nodes_page(nodes, &other, &there), 0);
	assert_int_equal(nodes_page(nodes, &own, &salted), 0);
	assert_int_not_equal(here, there);
	assert_int_not_equal(here, salted);
	nodes_free(nodes);
}

static void directories_are_found_by_node(void **state)
{
	struct nodes *nodes;
	struct node_dir dir;
	uint32_t number;

	assert_int_equal(nodes_new(&nodes), 0);
	assert_false(nodes_dir_find(nodes, 99, &number));
	for (uint64_t i = 0; i < 1000; i++)
		assert_int_equal(
			nodes_dir(nodes, &(struct node_dir){.node = i << 31 | 1, .page = (uint32_t)i}, &number), 0);
	for (uint64_t i = 0; i < 1000; i++) {
		assert_true(nodes_dir_find(nodes, i << 31 | 1, &number));
		assert_true(nodes_dir_at(nodes, number, &dir));
		assert_int_equal(dir.page, i);
	}
	assert_false(nodes_dir_find(nodes, 2, &number));
	nodes_free(nodes);
}

struct race {
	struct nodes *nodes;
	uint32_t numbers[500];
};

static void *add_all(void *arg)
{
	struct race *race = arg;

	for (unsigned i = 0; i < 500; i++) {
		struct node_page page = page_of(i * 7919 % 500, 1);

		if (nodes_page(race->nodes, &page, &race->numbers[i * 7919 % 500]) != 0)
			return race;
	}
	return NULL;
}

static void threads_get_the_same_numbers(void **state)
{
	struct race races[4];
	pthread_t threads[4];
	void *failed;

	assert_int_equal(nodes_new(&races[0].nodes), 0);
	for (int i = 0; i < 4; i++) {
		races[i].nodes = races[0].nodes;
		assert_int_equal(pthread_create(&threads[i], NULL, add_all, &races[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &failed);
		assert_null(failed);
		assert_memory_equal(races[i].numbers, races[0].numbers, sizeof(races[0].numbers));
	}
	nodes_free(races[0].nodes);
}

static void an_empty_table_has_nothing(void **state)
{
	struct table table = {.record_size = 16, .key_size = 8};
	uint64_t key = 0;
	uint32_t number;

	assert_false(table_find(&table, &key, &number));
	assert_null(table_at(&table, 0));
	table_free(&table);
}

/* Found by a search for two names of one hash with this seed. */
static void names_of_one_hash_are_two_places(void **state)
{
	static const char one[] = "3qpnph5is40ypaaa", two[] = "ggccky5oczfsdaaa";
	struct places *places;
	struct place_path path;
	uint32_t first, second, again;

	assert_true(hash_bytes(hash_add(HASH_SEED, 0), one, strlen(one)) ==
		    hash_bytes(hash_add(HASH_SEED, 0), two, strlen(two)));
	assert_int_equal(places_new(HASH_SEED, &places), 0);
	assert_int_equal(places_add(places, 0, one, &first), 0);
	assert_false(places_find(places, 0, two, &again));
	assert_int_equal(places_add(places, 0, two, &second), 0);
	assert_int_not_equal(first, second);
	assert_int_equal(places_add(places, 0, one, &again), 0);
	assert_int_equal(again, first);
	assert_true(places_find(places, 0, two, &again));
	assert_int_equal(again, second);
	assert_true(places_at(places, second, &path));
	assert_string_equal(path.name, two);
	places_free(places);
}

struct same_hash {
	uint64_t hash, what;
};

static bool is_same_what(const void *record, const void *key)
{
	return ((const struct same_hash *)record)->what == ((const struct same_hash *)key)->what;
}

static void records_of_one_hash_stay_apart(void **state)
{
	struct table table = {
		.record_size = sizeof(struct same_hash), .key_size = sizeof(uint64_t), .is_same = is_same_what};
	uint32_t number;

	for (uint64_t i = 0; i < 300; i++) { /* grows more than once */
		assert_int_equal(table_add(&table, &(struct same_hash){.what = i}, &number), 0);
		assert_int_equal(number, i);
	}
	for (uint64_t i = 0; i < 300; i++) {
		assert_true(table_find(&table, &(struct same_hash){.what = i}, &number));
		assert_int_equal(number, i);
	}
	assert_false(table_find(&table, &(struct same_hash){.what = 300}, &number));
	table_free(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_root_is_node_one),
		cmocka_unit_test(numbers_survive_packing),
		cmocka_unit_test(a_page_keeps_its_number),
		cmocka_unit_test(the_same_page_elsewhere_is_another_record),
		cmocka_unit_test(directories_are_found_by_node),
		cmocka_unit_test(threads_get_the_same_numbers),
		cmocka_unit_test(an_empty_table_has_nothing),
		cmocka_unit_test(names_of_one_hash_are_two_places),
		cmocka_unit_test(records_of_one_hash_stay_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
