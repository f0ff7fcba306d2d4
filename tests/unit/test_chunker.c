/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "codec/chunker.h"
#include "codec/gear.h"
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MIB ((size_t)1 << 20)

static void fill_random(unsigned char *data, size_t length, uint64_t seed)
{
	for (size_t i = 0; i < length; i += 8) {
		uint64_t word = htole64(bt_mix64(seed + i)); /* the cuts that are known are of these bytes */

		memcpy(data + i, &word, length - i < 8 ? length - i : 8);
	}
}

static void test_table(void **state)
{
	for (uint64_t i = 0; i < 256; i++)
		assert_true(bt_gear[i] == bt_mix64(BT_GEAR_SEED + (i + 1) * BT_GEAR_STEP));
}

/* Kinds of data in which cuts are found early, late, and never. */
static void fill_kind(unsigned char *data, size_t length, unsigned kind)
{
	switch (kind) {
	case 0:
		fill_random(data, length, 99);
		break;
	case 1:
		memset(data, 0, length);
		break;
	case 2: /* lines */
		for (size_t i = 0; i < length; i++)
			data[i] = (unsigned char)(i % 41 == 40 ? '\n' : 'a' + i / 41 % 26);
		break;
	case 3: /* random pages between zeros */
		memset(data, 0, length);
		for (size_t i = 0; i + 4096 <= length; i += 16384)
			fill_random(data + i, 4096, i);
		break;
	default: /* long counters */
		for (size_t i = 0; i < length; i++)
			data[i] = (unsigned char)(i / 8 >> 8 * (i % 8));
		break;
	}
}

static void test_fast_equals_reference(void **state)
{
	size_t length = 10 * MIB;
	unsigned char *data = malloc(length);

	assert_non_null(data);
	for (unsigned kind = 0; kind < 5; kind++) {
		fill_kind(data, length, kind);
		for (size_t at = 0; at < length;) {
			size_t cut = bt_chunk_cut(data + at, length - at);

			assert_int_equal(cut, bt_chunk_cut_reference(data + at, length - at));
			assert_true(cut <= BT_CHUNK_MAX && (cut > BT_CHUNK_MIN || cut == length - at));
			at += cut;
		}
		/* Ends everywhere around the places where the loops begin and change. */
		static const size_t around[] = {0, BT_CHUNK_MIN, BT_CHUNK_AVERAGE, BT_CHUNK_MAX};
		for (size_t a = 0; a < 4; a++) {
			for (size_t size = around[a] > 20 ? around[a] - 20 : 0; size < around[a] + 20; size++)
				assert_int_equal(bt_chunk_cut(data, size), bt_chunk_cut_reference(data, size));
		}
		for (size_t at = 0; at < 40; at++)
			assert_int_equal(bt_chunk_cut(data + at, 5 * MIB), bt_chunk_cut_reference(data + at, 5 * MIB));
	}
	free(data);
}

/* The cuts of every store depend on these: they may never change. */
static void test_known_cuts(void **state)
{
	static const size_t expected[] = {538026, 1633144, 618395, 481645, 841245,
					  723259, 594275,  613726, 613422, 348237};
	size_t length = 16 * MIB, at = 0;
	unsigned char *data = malloc(length);

	assert_non_null(data);
	fill_random(data, length, 12345);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		size_t cut = bt_chunk_cut(data + at, length - at);

		assert_int_equal(cut, expected[i]);
		at += cut;
	}
	free(data);
}

static void test_small(void **state)
{
	unsigned char byte = 0;

	assert_int_equal(bt_chunk_cut(&byte, 0), 0);
	assert_int_equal(bt_chunk_cut(&byte, 1), 1);
	assert_int_equal(bt_chunk_cut_reference(&byte, 1), 1);
}

struct cuts {
	uint64_t hashes[400];
	size_t sizes[400], count;
};

static void cut_all(const unsigned char *data, size_t length, struct cuts *cuts)
{
	cuts->count = 0;
	for (size_t at = 0; at < length;) {
		size_t cut = bt_chunk_cut(data + at, length - at);

		assert_true(cuts->count < 400);
		cuts->hashes[cuts->count] = bt_hash_bytes(data + at, cut, 1);
		cuts->sizes[cuts->count++] = cut;
		at += cut;
	}
}

static size_t new_chunks(const struct cuts *before, const struct cuts *after)
{
	size_t count = 0;

	for (size_t i = 0; i < after->count; i++) {
		size_t j = 0;

		while (j < before->count && before->hashes[j] != after->hashes[i])
			j++;
		count += j == before->count;
	}
	return count;
}

static void test_sizes(void **state)
{
	static struct cuts cuts;
	size_t length = 64 * MIB;
	unsigned char *data = malloc(length);
	size_t near = 0;

	assert_non_null(data);
	fill_random(data, length, 4711);
	cut_all(data, length, &cuts);
	assert_in_range(length / cuts.count, BT_CHUNK_AVERAGE * 3 / 4, BT_CHUNK_AVERAGE * 3 / 2);
	for (size_t i = 0; i < cuts.count; i++)
		near += cuts.sizes[i] >= BT_CHUNK_AVERAGE / 2 && cuts.sizes[i] <= 2 * BT_CHUNK_AVERAGE;
	assert_true(near * 4 > cuts.count * 3); /* what the normalisation is for */
	free(data);
}

static void test_insertion_stays_local(void **state)
{
	static struct cuts before, after;
	size_t length = 24 * MIB, inserted[] = {1, 7, MIB};
	unsigned char *data = malloc(length), *other = malloc(length + MIB);

	assert_true(data && other);
	fill_random(data, length, 1);
	cut_all(data, length, &before);
	for (size_t i = 0; i < 3; i++) {
		for (size_t at = 0; at < length; at += length / 3 + 12345) {
			memcpy(other, data, at);
			fill_random(other + at, inserted[i], 77);
			memcpy(other + at + inserted[i], data + at, length - at);
			cut_all(other, length + inserted[i], &after);
			assert_in_range(new_chunks(&before, &after), 1, 8 + inserted[i] / BT_CHUNK_AVERAGE);
			cut_all(other + at + inserted[i], length - at, &after); /* all before it removed */
			assert_in_range(new_chunks(&before, &after), 0, 6);
		}
	}
	free(data);
	free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),	   cmocka_unit_test(test_small),
		cmocka_unit_test(test_known_cuts), cmocka_unit_test(test_fast_equals_reference),
		cmocka_unit_test(test_sizes),	   cmocka_unit_test(test_insertion_stays_local),
	};

	return cmocka_run_group_tests_name("chunker", tests, NULL, NULL);
}
