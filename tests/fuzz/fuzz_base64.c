/* SPDX-License-Identifier: MIT */
/* All implementations agree with the scalar one, and what decodes encodes to the same text again. */
#include "codec/base64.h"
#include "fuzz.h"
#include <string.h>

static void check_decode(const struct bt_base64_code *codes, size_t count, const uint8_t *data, size_t size)
{
	size_t room = size / 4 * 3;
	unsigned char *expected = malloc(room + 1), *actual = malloc(room + 1);
	char *text = malloc(size + 4);
	size_t n = 0, bad = 0;

	FUZZ_CHECK(expected && actual && text);
	bool ok = codes[0].decode(expected, &n, (const char *)data, size, &bad);
	for (size_t i = 1; i < count; i++) {
		size_t m = 0, worse = 0;

		FUZZ_CHECK(codes[i].decode(actual, &m, (const char *)data, size, &worse) == ok);
		FUZZ_CHECK(m == n && worse == bad && (!ok || memcmp(actual, expected, n) == 0));
	}
	if (ok) {
		FUZZ_CHECK(BT_BASE64_SIZE(n) == size);
		bt_base64_encode(text, expected, n);
		FUZZ_CHECK(memcmp(text, data, size) == 0);
	}
	free(expected);
	free(actual);
	free(text);
}

static void check_encode(const struct bt_base64_code *codes, size_t count, const uint8_t *data, size_t size)
{
	size_t length = BT_BASE64_SIZE(size), n = 0;
	char *text = malloc(length + 1);
	unsigned char *back = malloc(length / 4 * 3 + 1);

	FUZZ_CHECK(text && back);
	for (size_t i = 0; i < count; i++) {
		codes[i].encode(text, data, size);
		FUZZ_CHECK(codes[0].decode(back, &n, text, length, NULL));
		FUZZ_CHECK(n == size && memcmp(back, data, size) == 0);
	}
	free(text);
	free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bt_base64_code *codes;
	size_t count = bt_base64_codes(&codes);

	check_decode(codes, count, data, size);
	check_encode(codes, count, data, size);
	return 0;
}
