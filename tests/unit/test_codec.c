/* SPDX-License-Identifier: MIT */
/* Hashes and frames. */
#include "base/bytes.h"
#include "codec/frame.h"
#include "codec/hash.h"
#include <openssl/sha.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include <cmocka.h>

static void fill_random(unsigned char *data, size_t length, uint64_t seed)
{
	for (size_t i = 0; i < length; i++)
		data[i] = (unsigned char)bt_mix64(seed + i);
}

/* ---- hash ---- */

static void test_hash_vectors(void **state)
{
	struct bt_hasher *hasher = bt_hasher_new();
	struct bt_digest digest;
	char text[65];

	assert_non_null(hasher);
	assert_int_equal(bt_hasher_digest(hasher, "", 0, &digest), 0);
	bt_digest_text(&digest, text);
	assert_string_equal(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_int_equal(bt_hasher_digest(hasher, "abc", 3, &digest), 0);
	bt_digest_text(&digest, text);
	assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	bt_hasher_free(hasher);
	bt_hasher_free(NULL);
}

static void test_hash_in_pieces(void **state)
{
	struct bt_hasher *hasher = bt_hasher_new();
	struct bt_digest digest, expected;
	unsigned char data[1000];

	fill_random(data, sizeof(data), 3);
	bt_hasher_start(hasher);
	for (size_t done = 0, n; done < sizeof(data); done += n) {
		n = done % 97 < sizeof(data) - done ? done % 97 + 1 : 1;
		bt_hasher_add(hasher, data + done, n);
		SHA256(data, done + n, expected.bytes);
		assert_int_equal(bt_hasher_peek(hasher, &digest), 0);
		assert_true(bt_digest_equal(&digest, &expected));
	}
	assert_int_equal(bt_hasher_finish(hasher, &digest), 0);
	assert_true(bt_digest_equal(&digest, &expected));
	/* Finished: nothing more until it is started again. */
	memset(&digest, 1, sizeof(digest));
	expected = digest;
	bt_hasher_add(hasher, data, 1);
	assert_int_equal(bt_hasher_finish(hasher, &digest), BT_E_NOMEM);
	assert_int_equal(bt_hasher_peek(hasher, &digest), BT_E_NOMEM);
	assert_true(bt_digest_equal(&digest, &expected));
	bt_hasher_free(hasher);
}

/* ---- frame ---- */

struct tools {
	struct bt_compressor *compressor;
	struct bt_decompressor *decompressor;
	unsigned char *frame, *plain;
};

enum { MOST = 5 << 20 };

static void tools_start(struct tools *tools, int level)
{
	tools->compressor = bt_compressor_new(level);
	tools->decompressor = bt_decompressor_new();
	tools->frame = malloc(bt_frame_bound(MOST));
	tools->plain = malloc(MOST + 1);
	assert_true(tools->compressor && tools->decompressor && tools->frame && tools->plain);
}

static void tools_end(struct tools *tools)
{
	bt_compressor_free(tools->compressor);
	bt_decompressor_free(tools->decompressor);
	free(tools->frame);
	free(tools->plain);
}

static size_t check_round_trip(struct tools *tools, const unsigned char *data, size_t size)
{
	size_t length = 0;

	assert_int_equal(bt_compress(tools->compressor, data, size, tools->frame, &length), 0);
	assert_true(length <= bt_frame_bound(size));
	assert_true(ZSTD_getFrameContentSize(tools->frame, length) == size);
	assert_int_equal(tools->frame[4] & 7, 4); /* a checksum, no dictionary */
	tools->plain[size] = 0x5a;
	assert_int_equal(bt_decompress(tools->decompressor, tools->frame, length, tools->plain, size, NULL), 0);
	assert_memory_equal(tools->plain, data, size);
	assert_int_equal(tools->plain[size], 0x5a);
	return length;
}

/* Random bytes that come again after a while: the samples of it are incompressible. */
static void test_what_repeats_at_a_distance_is_found(void **state)
{
	static const size_t periods[] = {5000, 50000, 300000};
	unsigned char *data = malloc(1 << 20);
	struct tools tools;

	assert_non_null(data);
	tools_start(&tools, BT_LEVEL_AUTO);
	for (size_t p = 0; p < sizeof(periods) / sizeof(*periods); p++) {
		fill_random(data, periods[p], p);
		for (size_t i = periods[p]; i < 1 << 20; i++)
			data[i] = data[i - periods[p]];
		assert_true(check_round_trip(&tools, data, 1 << 20) < periods[p] + periods[p] / 2);
	}
	tools_end(&tools);
	free(data);
}

static void test_round_trips(void **state)
{
	static const size_t sizes[] = {0,     1,     2,	     3,	     255,	256,	       257,	4096,
				       65535, 65536, 262143, 262144, (1 << 20), (1 << 20) + 1, 4 << 20, MOST};
	static const int levels[] = {BT_LEVEL_AUTO, 1, 3, 9};
	unsigned char *random = malloc(MOST), *text = malloc(MOST);

	assert_true(random && text);
	fill_random(random, MOST, 1);
	for (size_t i = 0; i < MOST; i++)
		text[i] = (unsigned char)('a' + bt_mix64(i / 5 % 1000) % 26);
	for (size_t l = 0; l < sizeof(levels) / sizeof(levels[0]); l++) {
		struct tools tools;

		tools_start(&tools, levels[l]);
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			if (levels[l] == 9 && sizes[i] > 1 << 20)
				continue; /* slow under the sanitizers */
			size_t a = check_round_trip(&tools, text, sizes[i]), b;
			if (sizes[i] >= 4096)
				assert_true(a < sizes[i] / 2);
			b = check_round_trip(&tools, random, sizes[i]);
			assert_true(b <= sizes[i] + 32 + sizes[i] / 4096);
		}
		tools_end(&tools);
	}
	free(random);
	free(text);
}

/* Each kind by its own context and by one that saw the others before: frames do not depend on history. */
static void test_same_bytes_again(void **state)
{
	enum { SIZE = 1 << 20 };
	unsigned char *data[3], *first = malloc(bt_frame_bound(SIZE));
	struct tools fresh, used;

	tools_start(&used, BT_LEVEL_AUTO);
	for (size_t k = 0; k < 3; k++) {
		data[k] = calloc(1, SIZE);
		assert_non_null(data[k]);
	}
	fill_random(data[1], SIZE, 5);
	fill_random(data[2], SIZE / 2, 6); /* half of it compresses: one sample is enough to notice */
	for (int round = 0; round < 2; round++) {
		for (size_t k = 0; k < 3; k++) {
			size_t a = 0, b = 0;

			tools_start(&fresh, BT_LEVEL_AUTO);
			assert_int_equal(bt_compress(fresh.compressor, data[k], SIZE, first, &a), 0);
			assert_int_equal(bt_compress(used.compressor, data[k], SIZE, used.frame, &b), 0);
			assert_int_equal(a, b);
			assert_memory_equal(first, used.frame, a);
			if (k == 2)
				assert_true(a < SIZE / 2 + SIZE / 100);
			tools_end(&fresh);
		}
	}
	for (size_t k = 0; k < 3; k++)
		free(data[k]);
	free(first);
	tools_end(&used);
}

static void expect_refused(struct tools *tools, const void *frame, size_t length, size_t size, enum bt_reason reason)
{
	struct bt_error error = {0};
	unsigned char *copy = malloc(length > 0 ? length : 1); /* exactly as long, so that reading beyond is seen */

	assert_non_null(copy);
	memcpy(copy, frame, length);
	assert_int_equal(bt_decompress(tools->decompressor, copy, length, tools->plain, size, &error), BT_E_DAMAGED);
	assert_string_equal(bt_reason_name(error.reason), bt_reason_name(reason));
	assert_int_equal(error.offset, 0);
	free(copy);
}

static size_t compress_with(unsigned char *frame, const void *data, size_t size, ZSTD_cParameter parameter, int value)
{
	ZSTD_CCtx *context = ZSTD_createCCtx();

	ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
	ZSTD_CCtx_setParameter(context, parameter, value);
	size_t n = ZSTD_compress2(context, frame, bt_frame_bound(MOST), data, size);
	assert_false(ZSTD_isError(n));
	ZSTD_freeCCtx(context);
	return n;
}

static void test_only_one_plain_frame(void **state)
{
	static const unsigned char skippable[] = {0x5a, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4};
	struct tools tools;
	unsigned char data[5000], *frame;
	size_t length, n;

	tools_start(&tools, 3);
	frame = tools.frame;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(bt_mix64(i) % 10);
	length = check_round_trip(&tools, data, sizeof(data));

	for (size_t cut = 0; cut < length; cut++)
		expect_refused(&tools, frame, cut, sizeof(data), BT_R_BAD_FRAME);
	expect_refused(&tools, frame, length, sizeof(data) - 1, BT_R_FRAME_SIZE);
	expect_refused(&tools, frame, length, sizeof(data) + 1, BT_R_FRAME_SIZE);
	memcpy(frame + length, frame, length);
	expect_refused(&tools, frame, length + 1, sizeof(data), BT_R_TRAILING_FRAME);
	expect_refused(&tools, frame, 2 * length, sizeof(data), BT_R_TRAILING_FRAME);
	expect_refused(&tools, frame, 2 * length, 2 * sizeof(data), BT_R_FRAME_SIZE);
	memcpy(frame + length, skippable, sizeof(skippable));
	expect_refused(&tools, frame, length + sizeof(skippable), sizeof(data), BT_R_TRAILING_FRAME);
	expect_refused(&tools, skippable, sizeof(skippable), 0, BT_R_TRAILING_FRAME);

	n = compress_with(frame, data, sizeof(data), ZSTD_c_checksumFlag, 0);
	expect_refused(&tools, frame, n, sizeof(data), BT_R_BAD_FRAME);
	n = compress_with(frame, data, sizeof(data), ZSTD_c_contentSizeFlag, 0);
	expect_refused(&tools, frame, n, sizeof(data), BT_R_BAD_FRAME);
	frame[0] = 0x27; /* the magic of version 0.7 */
	expect_refused(&tools, frame, n, sizeof(data), BT_R_BAD_FRAME);
	tools_end(&tools);
}

static void test_dictionary_refused(void **state)
{
	/* A frame that names dictionary 1, else as it should be: one raw block of one byte. */
	static const unsigned char frame[] = {0x28, 0xb5, 0x2f, 0xfd, 0x25, 1, 1, 9, 0, 0, 'x', 0, 0, 0, 0};
	struct tools tools;

	tools_start(&tools, 3);
	expect_refused(&tools, frame, sizeof(frame), 1, BT_R_BAD_FRAME);
	tools_end(&tools);
}

/* A window is at most as large as contents are, whatever libzstd takes. */
static void test_declared_windows(void **state)
{
	unsigned char frame[] = {0x28, 0xb5, 0x2f, 0xfd, 0x84, 0x68, 1, 0, 0, 0, 9, 0, 0, 'x', 0, 0, 0, 0};
	struct tools tools;
	size_t length;

	tools_start(&tools, 3);
	length = check_round_trip(&tools, (const unsigned char *)"x", 1);
	memcpy(frame + sizeof(frame) - 4, tools.frame + length - 4, 4); /* the checksum of the same byte */
	assert_int_equal(bt_decompress(tools.decompressor, frame, sizeof(frame), tools.plain, 1, NULL), 0);
	assert_int_equal(tools.plain[0], 'x');
	expect_refused(&tools, frame, sizeof(frame), 2, BT_R_FRAME_SIZE);
	frame[5] = 0x69; /* 9 MiB */
	expect_refused(&tools, frame, sizeof(frame), 1, BT_R_BAD_FRAME);
	frame[5] = 0xff; /* 2^41 and more */
	expect_refused(&tools, frame, sizeof(frame), 1, BT_R_BAD_FRAME);
	tools_end(&tools);
}

static void test_every_bit_counts(void **state)
{
	struct tools tools;
	unsigned char data[300];
	size_t length, accepted = 0;

	tools_start(&tools, 3);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)("abcabd"[i % 6] + bt_mix64(i) % 3);
	length = check_round_trip(&tools, data, sizeof(data));
	for (size_t bit = 0; bit < 8 * length; bit++) {
		struct bt_error error = {0};

		tools.frame[bit / 8] ^= (unsigned char)(1 << bit % 8);
		int r = bt_decompress(tools.decompressor, tools.frame, length, tools.plain, sizeof(data), &error);
		if (!r) /* some bits mean nothing (the unused one, paddings): then the same came out */
			assert_memory_equal(tools.plain, data, sizeof(data));
		else
			assert_int_equal(error.code, BT_E_DAMAGED);
		accepted += !r;
		tools.frame[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	assert_true(accepted * 50 < 8 * length);
	check_round_trip(&tools, data, sizeof(data));
	tools_end(&tools);
}

static void test_levels(void **state)
{
	assert_null(bt_compressor_new(-1));
	assert_null(bt_compressor_new(BT_LEVEL_MAX + 1));
	bt_compressor_free(bt_compressor_new(BT_LEVEL_MAX));
	bt_compressor_free(NULL);
	bt_decompressor_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash_vectors),	   cmocka_unit_test(test_hash_in_pieces),
		cmocka_unit_test(test_round_trips),	   cmocka_unit_test(test_what_repeats_at_a_distance_is_found),
		cmocka_unit_test(test_same_bytes_again),   cmocka_unit_test(test_only_one_plain_frame),
		cmocka_unit_test(test_dictionary_refused), cmocka_unit_test(test_declared_windows),
		cmocka_unit_test(test_every_bit_counts),   cmocka_unit_test(test_levels),
	};

	return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}
