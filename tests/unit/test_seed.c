/* SPDX-License-Identifier: MIT */
/* Tables whose keys are made by others: by counts, since the time that they take says nothing on a busy machine. */
#include "base/cache.c" /* the table is its own */ /* NOLINT(bugprone-suspicious-include) */
#include "base/digest_set.h"
#include "watch/names.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define KEYS 50000
#define LONG 1000 /* with so many keys a longest run is below 200 by chance; without a seed it is KEYS */

/* What a store can hold for others to be slow: everything equal but for these bytes of a digest. */
static const struct family {
	const char *name;
	size_t at, bytes;
} families[] = {
	{"the first 12 bytes are the same", 12, 4},
	{"the first 8 bytes are the same", 8, 8},
	{"only the first 4 bytes differ", 0, 4},
	{"only the 6th to 9th byte differ", 5, 4},
};

static struct bt_digest made(const struct family *family, uint32_t number)
{
	struct bt_digest digest;

	memset(&digest, 0x11, sizeof(digest));
	for (size_t i = 0; i < family->bytes && i < sizeof(number); i++)
		digest.bytes[family->at + i] = (unsigned char)(number >> 8 * i);
	return digest;
}

/* The same numbers as everybody has them, who writes it as its authors do. */
static void test_known_values(void **state)
{
	const struct bt_seed zero = {0};
	unsigned char bytes[31];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)i;
	assert_int_equal(bt_seeded_hash(&zero, "abc", 3), 0xc03bc3a0042630f2);
	assert_int_equal(bt_seeded_hash(&zero, "abcdefgh", 8), 0x3f7b849c0b8e35ea);
	assert_int_equal(bt_seeded_hash(&zero, "0123456789abcdef", 16), 0x1d42b30f7e060c24);
	assert_int_equal(bt_seeded_hash(&zero, bytes, sizeof(bytes)), 0x169739443111d49b);
}

static void test_seed(void **state)
{
	const struct bt_seed seed = bt_seed(), again = bt_seed(), zero = {0}, other = {seed.a, seed.b + 1};

	assert_memory_equal(&seed, &again, sizeof(seed));
	assert_true(seed.a && seed.b);
	assert_int_not_equal(bt_seeded_hash(&seed, "name", 4), bt_seeded_hash(&zero, "name", 4));
	assert_int_not_equal(bt_seeded_hash(&seed, "name", 4), bt_seeded_hash(&other, "name", 4));
}

static size_t longest_run(const struct bt_digest_set *set)
{
	size_t longest = 0, run = 0;

	for (size_t i = 0; i < set->room; i++) {
		run = set->slots[i].a || set->slots[i].b ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	return longest;
}

static void test_digest_set(void **state)
{
	for (size_t f = 0; f < sizeof(families) / sizeof(*families); f++) {
		struct bt_digest_set set = {0};

		for (uint32_t i = 0; i < KEYS; i++) {
			const struct bt_digest digest = made(&families[f], i);

			assert_int_equal(bt_digest_set_add(&set, &digest), 1);
		}
		if (longest_run(&set) >= LONG)
			fail_msg("%s: %zu in a row", families[f].name, longest_run(&set));
		for (uint32_t i = 0; i < KEYS; i++) {
			const struct bt_digest digest = made(&families[f], i), next = made(&families[f], i + 1);

			bt_digest_set_remove(&set, &digest);
			assert_false(bt_digest_set_has(&set, &digest));
			assert_true(i + 1 == KEYS || bt_digest_set_has(&set, &next));
		}
		assert_int_equal(set.count, 0);
		bt_digest_set_free(&set);
	}
}

/* Whoever finds two contents that begin alike must not make one pass for the other. */
static void tell_apart(size_t shift)
{
	struct bt_digest_set set = {0}, other = {0};
	struct bt_digest first = {.bytes = {1}}, second = first;

	second.bytes[16 + shift] = 1;
	assert_int_equal(bt_digest_set_add(&set, &first), 1);
	assert_int_equal(bt_digest_set_add(&set, &first), 0);
	assert_false(bt_digest_set_has(&set, &second));
	assert_int_equal(bt_digest_set_add(&other, &second), 1);
	assert_int_equal(bt_digest_set_join(&set, &other), 0);
	assert_int_equal(set.count, 2);
	assert_true(bt_digest_set_has(&set, &first) && bt_digest_set_has(&set, &second));
	bt_digest_set_free(&set);
	bt_digest_set_free(&other);
}

static void test_digests_that_begin_alike(void **state)
{
	for (size_t shift = 0; shift < 16; shift++)
		tell_apart(shift);
}

static size_t longest_row(const struct bt_table *table)
{
	size_t longest = 0, run = 0;

	for (size_t i = 0; i < table->room; i++) {
		run = table->slots[i] ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	return longest;
}

static void test_names(void **state)
{
	struct bt_names names = {0};
	char text[16];

	for (uint32_t i = 0; i < KEYS; i++) {
		int length = snprintf(text, sizeof(text), "n%u", i);

		assert_non_null(bt_names_add(&names, &names, text, (size_t)length));
	}
	assert_true(longest_row(&names.table) < LONG);
	bt_names_clear(&names);
}

static int load_any(void *arg, const struct bt_table_key *key, const void *hint, struct bt_cached **ret_value,
		    size_t *ret_weight, struct bt_error *error)
{
	*ret_value = calloc(1, sizeof(**ret_value));
	*ret_weight = 1;
	return *ret_value ? 0 : BT_E_NOMEM;
}

static void free_any(struct bt_cached *value)
{
	free(value);
}

/* Pages are kept by the beginning of their ids, blocks by their places: whoever writes the store has chosen both. */
static void test_cache(void **state)
{
	const struct bt_cache_options options = {.budget = SIZE_MAX, .load = load_any, .free = free_any};

	for (unsigned shift = 0; shift < 64; shift += 16) {
		struct bt_cache *cache = NULL;

		assert_int_equal(bt_cache_new(&options, &cache), 0);
		for (uint64_t i = 0; i < KEYS; i++) {
			const struct bt_table_key key = {i << shift, i >> (63 - shift)};
			struct bt_cached *value = NULL;

			assert_int_equal(bt_cache_get(cache, &key, NULL, &value, NULL), 0);
			bt_cache_put(cache, value);
		}
		assert_true(longest_row(&cache->values) < LONG);
		bt_cache_free(cache);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_values), cmocka_unit_test(test_seed),
		cmocka_unit_test(test_digest_set),   cmocka_unit_test(test_names),
		cmocka_unit_test(test_cache),	     cmocka_unit_test(test_digests_that_begin_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
