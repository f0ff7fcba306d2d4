/* SPDX-License-Identifier: MIT */
/* Contents in many pieces. */
#include "classic_derived.h"

#include "codec/base64.h"
#include <sys/resource.h>
#include <time.h>

#define PIECE ((size_t)3 << 20)

static void write_text(FILE *file, const char *text)
{
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
}

/* One content of size bytes whose value depends on the place, in a file "big"; contents come first. */
static int large_source(uint64_t size, char hex[65])
{
	FILE *file = tmpfile();
	struct bt_hasher *hasher = bt_hasher_new();
	struct bt_digest digest;
	size_t step = 3 * 65536;
	unsigned char *data = malloc(step);
	char *text = malloc(BT_BASE64_SIZE(step));

	for (int pass = 0; pass < 2; pass++) {
		bt_hasher_start(hasher);
		for (uint64_t at = 0; at < size; at += step) {
			size_t length = size - at < step ? (size_t)(size - at) : step;

			memset(data, (int)(at / step % 251), length);
			bt_hasher_add(hasher, data, length);
			if (pass) {
				bt_base64_encode(text, data, length);
				assert_int_equal(fwrite(text, 1, BT_BASE64_SIZE(length), file), BT_BASE64_SIZE(length));
			}
		}
		bt_hasher_finish(hasher, &digest);
		bt_digest_text(&digest, hex);
		if (!pass) {
			write_text(file, "{\n    \"file_contents\": {\n        \"");
			write_text(file, hex);
			write_text(file, "\": \"");
		}
	}
	write_text(file, "\"}, \"files\": {\"d/big\": \"");
	write_text(file, hex);
	write_text(file, "\"}, " STAMP "}");
	assert_int_equal(fflush(file), 0);
	int fd = dup(fileno(file));
	fclose(file);
	bt_hasher_free(hasher);
	free(data);
	free(text);
	return fd;
}

static void test_pieces(void **state)
{
	static const uint64_t sizes[] = {1, 2, 3, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE - 1, 2 * PIECE, 2 * PIECE + 2};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		char hex[65], *expected = NULL;
		struct derived derived = derive_fd(large_source(sizes[i], hex));
		char *found = listing(&derived);

		assert_true(asprintf(&expected, "%s big\n", hex) > 0);
		assert_string_equal(found, expected);
		assert_int_equal(derived.content_count, (sizes[i] + PIECE - 1) / PIECE);
		assert_int_equal(derived.info.directory_size, sizes[i]);
		free(found);
		free(expected);
		drop(&derived);
	}
}

static long peak_kib(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

/* More than 64 pieces, so that chunk pages are needed; memory must not follow the content. */
static void test_large(void **state)
{
	char hex[65], *expected = NULL;
	int source = large_source(66 * PIECE + 5, hex);
	long before = peak_kib();
	struct derived derived = derive_fd(source);

	assert_true(peak_kib() - before < 24 << 10);
	char *found = listing(&derived);
	assert_true(asprintf(&expected, "%s big\n", hex) > 0);
	assert_string_equal(found, expected);
	assert_int_equal(derived.content_count, 67);
	free(found);
	free(expected);
	drop(&derived);
}

/* A file's digest is right and its content not: bit rot in the middle of a long one stays local to it. */
static void test_rot_in_large(void **state)
{
	char hex[65];
	int source = large_source(2 * PIECE, hex);

	assert_int_equal(pwrite(source, "Q", 1, (off_t)PIECE), 1);
	struct derived derived = derive_fd(source);
	char *found = listing(&derived);
	assert_string_equal(found, "EIO big\n");
	assert_int_equal(derived.content_count, 0);
	free(found);
	drop(&derived);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_rot_in_large),
	};

	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
