/* SPDX-License-Identifier: MIT */
#include "codec/base64.h"
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* Memory that ends where nothing may be touched: end is the first byte behind it. */
struct guarded {
	unsigned char *map, *end;
	size_t size;
};

static struct guarded guarded_new(size_t room)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = (room + page - 1) / page;
	struct guarded g = {.size = (pages + 1) * page};

	g.map = mmap(NULL, g.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(g.map != MAP_FAILED);
	g.end = g.map + pages * page;
	assert_int_equal(mprotect(g.end, page, PROT_NONE), 0);
	return g;
}

static void guarded_free(struct guarded *g)
{
	munmap(g->map, g->size);
}

static void fill_random(unsigned char *data, size_t length, uint64_t seed)
{
	for (size_t i = 0; i < length; i++) {
		seed = seed * 6364136223846793005 + 1442695040888963407;
		data[i] = (unsigned char)(seed >> 56);
	}
}

enum { LONGEST = 700, ROOM = 4096 };

struct sample {
	const unsigned char *plain;
	size_t length;
	const char *text;
};

/* Input and output end at a guard page, or begin at each alignment; the bytes before the output stay. */
static void check_encode(const struct bt_base64_code *code, const struct sample *sample, struct guarded *in,
			 struct guarded *out, size_t shift)
{
	size_t size = BT_BASE64_SIZE(sample->length);
	unsigned char *data = in->end - sample->length - shift;
	char *target = (char *)out->end - size - shift;

	memcpy(data, sample->plain, sample->length);
	memset(out->map, 0x5a, ROOM);
	code->encode(target, data, sample->length);
	assert_memory_equal(target, sample->text, size);
	for (size_t i = 1; i <= 64; i++)
		assert_int_equal(target[-(ptrdiff_t)i], 0x5a);
	for (size_t i = 0; i < shift; i++)
		assert_int_equal(target[size + i], 0x5a);
}

static void check_decode(const struct bt_base64_code *code, const struct sample *sample, struct guarded *in,
			 struct guarded *out, size_t shift)
{
	size_t size = BT_BASE64_SIZE(sample->length), room = size / 4 * 3, got = 12345, bad = 54321;
	char *source = (char *)in->end - size - shift;
	unsigned char *target = out->end - room - shift;

	memcpy(source, sample->text, size);
	memset(out->map, 0x5a, ROOM);
	assert_true(code->decode(target, &got, source, size, &bad));
	assert_int_equal(got, sample->length);
	assert_int_equal(bad, 54321);
	assert_memory_equal(target, sample->plain, sample->length);
	for (size_t i = 1; i <= 64; i++)
		assert_int_equal(target[-(ptrdiff_t)i], 0x5a);
	for (size_t i = 0; i < shift; i++)
		assert_int_equal(target[room + i], 0x5a);
}

static void test_all_lengths_and_alignments(void **state)
{
	const struct bt_base64_code *codes;
	size_t count = bt_base64_codes(&codes);
	struct guarded in = guarded_new(ROOM), out = guarded_new(ROOM);
	unsigned char plain[LONGEST];
	char text[BT_BASE64_SIZE(LONGEST) + 1];

	for (size_t length = 0; length <= LONGEST; length++) {
		const struct sample sample = {plain, length, text};

		fill_random(plain, length, length);
		EVP_EncodeBlock((unsigned char *)text, plain, (int)length);
		for (size_t c = 0; c < count; c++) {
			for (size_t shift = 0; shift < 64; shift += length % 7 == 0 ? 1 : 13) {
				check_encode(&codes[c], &sample, &in, &out, shift);
				check_decode(&codes[c], &sample, &in, &out, shift);
			}
		}
	}
	guarded_free(&in);
	guarded_free(&out);
}

static bool is_digit(unsigned c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

static void expect_bad(const struct bt_base64_code *code, const char *text, size_t length, size_t index)
{
	unsigned char data[1024];
	size_t size = 777, bad = SIZE_MAX;

	assert_false(code->decode(data, &size, text, length, &bad));
	assert_int_equal(bad, index);
	assert_int_equal(size, 777);
	assert_false(code->decode(data, &size, text, length, NULL));
}

static void test_every_byte_at_every_place(void **state)
{
	static const size_t lengths[] = {4, 40, 64, 68, 132, 400};
	const struct bt_base64_code *codes;
	size_t count = bt_base64_codes(&codes);
	unsigned char plain[300], data[304];
	char text[404];

	fill_random(plain, sizeof(plain), 7);
	for (size_t l = 0; l < sizeof(lengths) / sizeof(lengths[0]); l++) {
		EVP_EncodeBlock((unsigned char *)text, plain, (int)(lengths[l] / 4 * 3));

		for (size_t at = 0; at < lengths[l]; at++) {
			char saved = text[at];

			for (unsigned c = 0; c < 256; c++) {
				text[at] = (char)c;
				bool last = at == lengths[l] - 1;
				for (size_t k = 0; k < count; k++) {
					size_t size;

					if (is_digit(c))
						assert_true(codes[k].decode(data, &size, text, lengths[l], NULL));
					else if (c != '=' || !last) /* see test_padding */
						expect_bad(&codes[k], text, lengths[l], at);
				}
			}
			text[at] = saved;
		}
	}
}

/* Every digit decodes to its six bits in every place of a vector. */
static void test_every_digit(void **state)
{
	const struct bt_base64_code *codes;
	size_t count = bt_base64_codes(&codes);
	char text[256], back[256];
	unsigned char data[192];

	for (unsigned shift = 0; shift < 64; shift++) {
		for (unsigned i = 0; i < sizeof(text); i++)
			text[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[(i + shift) % 64];
		for (size_t k = 0; k < count; k++) {
			size_t size;

			assert_true(codes[k].decode(data, &size, text, sizeof(text), NULL));
			for (unsigned i = 0; i < sizeof(text); i++) {
				unsigned bit = 6 * i, pair = (unsigned)data[bit / 8] << 8;

				if (bit / 8 + 1 < size)
					pair |= data[bit / 8 + 1];
				assert_int_equal(pair >> (10 - bit % 8) & 63, (i + shift) % 64);
			}
			codes[k].encode(back, data, size);
			assert_memory_equal(back, text, sizeof(text));
		}
	}
}

static void check_padding(const struct bt_base64_code *code, size_t before)
{
	static const struct {
		const char *text;
		size_t bad;
	} cases[] = {
		{"A", 1},    {"AA", 2},	    {"AAA", 3},	     {"=", 0},	      {"A=", 1},   {"AA=", 2},	 {"====", 0},
		{"A===", 1}, {"AA=A", 2},   {"A=AA", 1},     {"=AAA", 0},     {"AB==", 1}, {"AAB=", 2},	 {"A/==", 1},
		{"AA/=", 2}, {"AP==", 1},   {"AAD=", 2},     {"AA\n", 2},     {"AA= ", 2}, {"\nAAA", 0}, {"A-AA", 1},
		{"AAA_", 3}, {"AA==\n", 2}, {"AA==AAAA", 2}, {"AAA=AAAA", 3},
	};
	char text[600];

	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memcpy(text + before, cases[i].text, strlen(cases[i].text));
		expect_bad(code, text, before + strlen(cases[i].text), before + cases[i].bad);
	}
}

static void test_padding(void **state)
{
	const struct bt_base64_code *codes;
	size_t count = bt_base64_codes(&codes), size;
	unsigned char data[4];

	for (size_t k = 0; k < count; k++) {
		for (size_t before = 0; before <= 512; before += 4)
			check_padding(&codes[k], before);
		for (unsigned i = 1; i < 256; i++) { /* the tail bits: exactly the canonical ones pass */
			char two[4] = {'A', (char)i, '=', '='}, one[4] = {'A', 'A', (char)i, '='};

			assert_int_equal(codes[k].decode(data, &size, two, 4, NULL), !!strchr("AQgw", (int)i));
			assert_int_equal(codes[k].decode(data, &size, one, 4, NULL),
					 !!strchr("AEIMQUYcgkosw048=", (int)i));
		}
	}
}

static void test_public_calls(void **state)
{
	char text[12];
	unsigned char data[9];
	size_t size = 0;

	bt_base64_encode(text, "hello w", 7);
	assert_memory_equal(text, "aGVsbG8gdw==", 12);
	assert_true(bt_base64_decode(data, &size, text, 12, NULL));
	assert_int_equal(size, 7);
	assert_memory_equal(data, "hello w", 7);
	assert_true(bt_base64_decode(data, &size, "", 0, NULL));
	assert_int_equal(size, 0);
	assert_int_equal(BT_BASE64_SIZE(0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_lengths_and_alignments),
		cmocka_unit_test(test_every_byte_at_every_place),
		cmocka_unit_test(test_every_digit),
		cmocka_unit_test(test_padding),
		cmocka_unit_test(test_public_calls),
	};

	return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
