/* SPDX-License-Identifier: MIT */
#include "base/arena.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/fail.h"
#include "base/path.h"
#include "base/table.h"
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- errors ---- */

static void test_reason_names(void **state)
{
	for (int i = 0; i < BT_REASONS; i++) {
		assert_string_not_equal(bt_reason_name((enum bt_reason)i), "unknown");
		for (int j = 0; j < i; j++)
			assert_string_not_equal(bt_reason_name((enum bt_reason)i), bt_reason_name((enum bt_reason)j));
	}
	assert_string_equal(bt_reason_name(BT_R_NONE), "none");
	assert_string_equal(bt_reason_name(BT_R_DIGEST_MISMATCH), "digest-mismatch");
	assert_string_equal(bt_reason_name(BT_REASONS), "unknown");
	assert_string_equal(bt_reason_name((enum bt_reason) - 1), "unknown");
}

static void test_errno_names(void **state)
{
	char words[BT_ERRNO_WORDS_SIZE];

	assert_string_equal(bt_errno_name(EACCES), "EACCES");
	assert_string_equal(bt_errno_name(EIO), "EIO");
	bt_errno_words("EACCES", words);
	assert_string_equal(words, "permission denied");
	bt_errno_words("EIO", words);
	assert_string_equal(words, "input/output error");
	bt_errno_words("ENOTHERE", words);
	assert_string_equal(words, "ENOTHERE");
	assert_string_equal(bt_errno_name(EAGAIN), "EAGAIN");
	assert_string_equal(bt_errno_name(EDQUOT), "EDQUOT");
	assert_string_equal(bt_errno_name(EHWPOISON), "EHWPOISON");
	assert_string_equal(bt_errno_name(0), "EIO");
	assert_string_equal(bt_errno_name(-1), "EIO");
	assert_string_equal(bt_errno_name(41), "EIO"); /* a gap */
	assert_string_equal(bt_errno_name(100000), "EIO");
}

static void assert_text(const struct bt_error *error, const char *expected)
{
	char text[640];

	bt_error_text(error, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void test_sentences(void **state)
{
	struct bt_error error = {0};

	assert_int_equal(bt_fail_damaged(&error, BT_R_BAD_BASE64, NULL, 17), BT_E_DAMAGED);
	bt_error_in_file(&error, "snapshots/x.json", 200);
	assert_text(&error, "snapshots/x.json: damaged at byte 217 (bad-base64)");
	error = (struct bt_error){0};
	bt_fail_damaged(&error, BT_R_TRUNCATED, "x", BT_NO_OFFSET);
	assert_text(&error, "x: damaged (truncated)");
	error = (struct bt_error){0};
	assert_int_equal(bt_fail_sys(&error, EACCES, "x", "open"), BT_E_SYSTEM);
	assert_int_equal(error.sys, EACCES);
	assert_text(&error, "x: open failed: Permission denied");
	error = (struct bt_error){0};
	bt_fail_sys(&error, ENOSPC, NULL, NULL);
	assert_text(&error, "system call failed: No space left on device");
	error = (struct bt_error){0};
	assert_int_equal(bt_fail(&error, BT_E_INVALID, NULL, "not a time: “soon”"), BT_E_INVALID);
	assert_text(&error, "not a time: “soon”");
	error = (struct bt_error){0};
	assert_int_equal(bt_fail_sys(&error, ENOMEM, "x", "read"), BT_E_NOMEM);
	assert_int_equal(error.sys, 0);
	assert_text(&error, "x: out of memory: read");
	error = (struct bt_error){0};
	bt_fail(&error, BT_E_LOCKED, "lock", NULL);
	assert_text(&error, "lock: locked by another process");
	error = (struct bt_error){0};
	bt_fail(&error, BT_E_LOCKED, "lock", "backuptool job (process 12)");
	assert_text(&error, "lock: locked by backuptool job (process 12)");
	error = (struct bt_error){.code = -99};
	assert_text(&error, "unknown error");
}

static void test_first_failure_wins(void **state)
{
	struct bt_error error = {0};

	assert_int_equal(bt_fail(NULL, BT_E_LOCKED, "a", "b"), BT_E_LOCKED);
	bt_fail(&error, BT_E_NOT_FOUND, "first", NULL);
	assert_int_equal(bt_fail_damaged(&error, BT_R_BAD_FRAME, "second", 3), BT_E_DAMAGED);
	assert_int_equal(error.code, BT_E_NOT_FOUND);
	assert_int_equal(error.reason, BT_R_NONE);
	assert_string_equal(error.file, "first");
	bt_error_in_file(&error, "third", 1); /* no damage */
	assert_string_equal(error.file, "first");

	error = (struct bt_error){0};
	bt_fail_damaged(&error, BT_R_BAD_FRAME, "named", 3);
	bt_error_in_file(&error, "other", 7);
	assert_string_equal(error.file, "named");
	assert_int_equal(error.offset, 3);

	error = (struct bt_error){0};
	bt_fail_damaged(&error, BT_R_BAD_FRAME, NULL, UINT64_MAX - 5);
	bt_error_in_file(&error, "x", 7);
	assert_true(error.offset == BT_NO_OFFSET);
	bt_error_in_file(NULL, "x", 7);
}

static void test_escapes(void **state)
{
	struct bt_error error = {0};

	bt_fail(&error, BT_E_NOT_FOUND, "a\033[31m\n\x7f\xff\\ü\xc2\x9b\xe2\x80\xae.json", NULL);
	assert_text(&error, "a\\x1b[31m\\x0a\\x7f\\xff\\\\ü\\xc2\\x9b\\xe2\\x80\\xae.json: not found");
}

static void test_cut_between_characters(void **state)
{
	char name[400];
	struct bt_error error = {0};

	for (size_t i = 0; i < 199; i++)
		memcpy(name + 2 * i, "é", 2);
	name[398] = 0;
	bt_fail(&error, BT_E_NOT_FOUND, name, name + 1); /* the detail begins inside a character */
	assert_int_equal(strlen(error.file), 262);
	assert_true(bt_utf8_valid(error.file, strlen(error.file)));
	assert_int_equal(strlen(error.detail), 199); /* a stray byte and 99 whole ones */
	for (size_t shift = 0; shift < 4; shift++) { /* the cut falls behind each byte of four */
		memset(name, 'x', sizeof(name));
		for (size_t i = shift; i + 4 < sizeof(name); i += 4)
			memcpy(name + i, "😀", 4);
		name[399] = 0;
		error = (struct bt_error){0};
		bt_fail(&error, BT_E_NOT_FOUND, name, NULL);
		assert_int_equal(strlen(error.file), shift + (263 - shift) / 4 * 4);
		assert_true(bt_utf8_valid(error.file, strlen(error.file)));
	}
	memset(name, 0x80, 399);
	name[399] = 0;
	error = (struct bt_error){0};
	bt_fail(&error, BT_E_NOT_FOUND, name, NULL);
	assert_int_equal(strlen(error.file), 263); /* no characters at all: cut anywhere */
	memset(name, 'x', 263);
	name[263] = 0;
	error = (struct bt_error){0};
	bt_fail(&error, BT_E_NOT_FOUND, name, NULL);
	assert_string_equal(error.file, name); /* fits exactly */
}

static uint64_t random_state = 1;

static uint64_t next_random(void)
{
	return bt_mix64(random_state += 0x9e3779b97f4a7c15);
}

static void assert_printable(const char *text)
{
	assert_true(bt_utf8_valid(text, strlen(text)));
	for (const char *c = text; *c; c++)
		assert_true((unsigned char)*c >= 0x20 && *c != 0x7f);
}

static void test_any_bytes_any_size(void **state)
{
	static const enum bt_code codes[] = {BT_E_SYSTEM, BT_E_DAMAGED, BT_E_NOT_FOUND};

	for (int round = 0; round < 300; round++) {
		struct bt_error error = {.code = codes[round % 3], .reason = BT_R_TRAILING_FRAME, .sys = ENOTEMPTY};
		size_t kind = next_random() % 3;

		for (size_t i = 0; i < sizeof(error.file) - 1; i++)
			error.file[i] = (char)(kind == 0 ? 1 : kind == 1 ? 1 + next_random() % 255 : 'a');
		memset(error.detail, 2, sizeof(error.detail) - 1);
		for (size_t size = 0; size <= 640; size += 1 + next_random() % 20) {
			char text[641];

			memset(text, 'Z', sizeof(text));
			bt_error_text(&error, text, size);
			assert_int_equal(text[size], 'Z');
			if (size > 0) {
				assert_true(strnlen(text, size) < size);
				assert_printable(text);
			}
		}
		char whole[640]; /* 640 is enough to reach the reason behind the longest name */
		bt_error_text(&error, whole, sizeof(whole));
		if (error.code == BT_E_DAMAGED)
			assert_non_null(strstr(whole, "(trailing-frame)"));
	}
}

/* ---- bytes ---- */

static void test_hex(void **state)
{
	unsigned char data[256], back[256];
	char text[513] = {0};

	for (size_t i = 0; i < 256; i++)
		data[i] = (unsigned char)i;
	bt_hex_encode(text, data, 256);
	assert_memory_equal(text, "000102030405060708090a0b0c0d0e0f10", 34);
	assert_true(bt_hex_decode(back, 256, text));
	assert_memory_equal(back, data, 256);
	assert_true(bt_hex_decode(back, 0, ""));
	for (unsigned c = 0; c < 256; c++) {
		char two[3] = {(char)c, '0', 0}, other[3] = {'0', (char)c, 0};
		bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');

		assert_int_equal(bt_hex_decode(back, 1, two), digit);
		assert_int_equal(bt_hex_decode(back, 1, other), digit);
	}
}

static void test_digests(void **state)
{
	struct bt_digest a = {{0}}, b = {{0}};
	char text[65];

	assert_true(bt_digest_equal(&a, &b));
	b.bytes[31] = 0x80;
	assert_false(bt_digest_equal(&a, &b));
	assert_true(bt_digest_compare(&a, &b) < 0);
	assert_true(bt_digest_compare(&b, &a) > 0);
	bt_digest_text(&b, text);
	assert_string_equal(text, "0000000000000000000000000000000000000000000000000000000000000080");
}

/* The definition, by way of the code point. */
static bool is_character(const unsigned char *c, size_t length)
{
	static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t point;

	if (length == 1)
		return c[0] < 0x80;
	if ((unsigned)c[0] >> (7 - length) != (1U << (length + 1)) - 2)
		return false;
	point = c[0] & (0x7fU >> length);
	for (size_t i = 1; i < length; i++) {
		if (c[i] >> 6 != 2)
			return false;
		point = point << 6 | (c[i] & 0x3f);
	}
	return point >= smallest[length] && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
}

static void check_character(const unsigned char *bytes, size_t length)
{
	bool valid = is_character(bytes, length);

	if (valid) {
		assert_int_equal(bt_utf8_length((const char *)bytes, length), length);
		assert_true(bt_utf8_valid((const char *)bytes, length));
		assert_int_equal(bt_utf8_length((const char *)bytes, length - 1), 0);
	} else {
		assert_int_not_equal(bt_utf8_length((const char *)bytes, length), length);
	}
}

static void test_utf8_characters(void **state)
{
	static const unsigned char ends[] = {0x00, 0x41, 0x7f, 0x80, 0x9f, 0xa0, 0xbf, 0xc0, 0xff};

	for (unsigned a = 0; a < 256; a++) {
		check_character((unsigned char[]){(unsigned char)a}, 1);
		for (unsigned b = 0; b < 256; b++) {
			unsigned char bytes[4] = {(unsigned char)a, (unsigned char)b};

			check_character(bytes, 2);
			for (size_t i = 0; i < sizeof(ends); i++) {
				bytes[2] = ends[i];
				check_character(bytes, 3);
				for (size_t j = 0; j < sizeof(ends); j++) {
					bytes[3] = ends[j];
					check_character(bytes, 4);
				}
			}
		}
	}
}

static void test_utf8_places(void **state)
{
	char text[40];

	assert_true(bt_utf8_valid("", 0));
	for (size_t at = 0; at < 37; at++) {
		memset(text, 'a', sizeof(text));
		memcpy(text + at, "€", 3);
		assert_true(bt_utf8_valid(text, sizeof(text)));
		assert_false(bt_utf8_valid(text, at + 2));
		text[at + 1] = 'b';
		assert_false(bt_utf8_valid(text, sizeof(text)));
		assert_true(bt_utf8_valid(text, at));
	}
}

static void test_names(void **state)
{
	char name[257];

	memset(name, 'x', sizeof(name));
	assert_true(bt_name_valid(name, 1));
	assert_true(bt_name_valid(name, 255));
	assert_false(bt_name_valid(name, 256));
	assert_false(bt_name_valid(name, 0));
	assert_false(bt_name_valid(".", 1));
	assert_false(bt_name_valid("..", 2));
	assert_true(bt_name_valid("...", 3));
	assert_true(bt_name_valid(".a", 2));
	assert_false(bt_name_valid("a/b", 3));
	assert_false(bt_name_valid("a\0b", 3));
	assert_true(bt_name_valid("\xff\n", 2));
	assert_int_equal(bt_name_compare("a", 1, "a", 1), 0);
	assert_true(bt_name_compare("a", 1, "ab", 2) < 0);
	assert_true(bt_name_compare("b", 1, "ab", 2) > 0);
	assert_true(bt_name_compare("\xff", 1, "a", 1) > 0);
	assert_true(bt_name_compare("", 0, "a", 1) < 0);
	assert_int_equal(bt_name_compare("", 0, "", 0), 0);
}

static void test_mixing(void **state)
{
	unsigned char data[64] = {0};
	uint64_t plain = bt_hash_bytes(data, sizeof(data), 1);

	/* The first number of splitmix64 from 0. */
	assert_true(bt_mix64(0x9e3779b97f4a7c15) == 0xe220a8397b1dcdaf);
	assert_true(bt_hash_bytes(data, sizeof(data), 2) != plain);
	for (size_t bit = 0; bit < 8 * sizeof(data); bit++) {
		data[bit / 8] ^= (unsigned char)(1 << bit % 8);
		int changed = __builtin_popcountll(bt_hash_bytes(data, sizeof(data), 1) ^ plain);
		assert_in_range(changed, 8, 56);
		data[bit / 8] = 0;
	}
	for (size_t a = 0; a < sizeof(data); a++) {
		for (size_t b = 0; b < a; b++)
			assert_true(bt_hash_bytes(data, a, 1) != bt_hash_bytes(data, b, 1));
	}
}

static void test_sums(void **state)
{
	uint64_t sum = 5;

	assert_false(bt_add_overflows(UINT64_MAX - 1, 1, &sum));
	assert_true(sum == UINT64_MAX);
	assert_true(bt_add_overflows(UINT64_MAX, 1, &sum));
	assert_true(sum == UINT64_MAX); /* untouched */
}

/* ---- memory ---- */

static void test_buf(void **state)
{
	struct bt_buf buf = {0};

	assert_int_equal(bt_buf_append(&buf, NULL, 0), 0);
	assert_null(buf.data);
	for (unsigned i = 0; i < 10000; i++)
		assert_int_equal(bt_buf_append(&buf, &i, sizeof(i)), 0);
	assert_int_equal(buf.length, 40000);
	assert_true(buf.capacity >= buf.length && buf.capacity < 2 * buf.length);
	for (unsigned i = 0, value; i < 10000; i++) {
		memcpy(&value, buf.data + i * sizeof(value), sizeof(value));
		assert_int_equal(value, i);
	}
	unsigned char *before = buf.data;
	assert_int_equal(bt_buf_reserve(&buf, SIZE_MAX), BT_E_NOMEM);
	assert_int_equal(bt_buf_reserve(&buf, SIZE_MAX / 2), BT_E_NOMEM);
	assert_int_equal(bt_buf_append(&buf, "a", 1), 0);
	assert_int_equal(bt_buf_result(&buf), BT_E_NOMEM); /* until it is cleared */
	bt_buf_clear(&buf);
	assert_int_equal(bt_buf_result(&buf), 0);
	assert_int_equal(buf.length, 0);
	assert_ptr_equal(buf.data, before);
	assert_int_equal(bt_buf_reserve(&buf, 100000), 0);
	assert_true(buf.capacity - buf.length >= 100000);
	bt_buf_free(&buf);
	assert_null(buf.data);
	assert_int_equal(buf.length + buf.capacity, 0);
	bt_buf_free(&buf);
}

static void test_arena(void **state)
{
	enum { PIECES = 3000 };
	struct bt_arena arena = {0};
	static unsigned char *pieces[PIECES];
	static size_t sizes[PIECES];
	size_t total = 0;

	for (size_t i = 0; i < PIECES; i++) {
		sizes[i] = i % 100 == 99 ? 5000 + i : next_random() % 200;
		pieces[i] = bt_arena_alloc(&arena, sizes[i]);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
		memset(pieces[i], (int)(i & 0xff), sizes[i]);
		total += sizes[i];
	}
	for (size_t i = 0; i < PIECES; i++) {
		for (size_t j = 0; j < sizes[i]; j++)
			assert_int_equal(pieces[i][j], i & 0xff);
	}
	assert_true(arena.used >= total && arena.used < 2 * total + (512 << 10));
	assert_null(bt_arena_alloc(&arena, SIZE_MAX));
	assert_null(bt_arena_copy(&arena, "", SIZE_MAX));
	char *copy = bt_arena_copy(&arena, "abc", 2);
	assert_string_equal(copy, "ab");
	assert_string_equal(bt_arena_copy(&arena, NULL, 0), "");
	bt_arena_free(&arena);
	assert_null(arena.blocks);
	assert_int_equal(arena.used, 0);
	bt_arena_free(&arena);
}

/* ---- tables and paths ---- */

static void test_table(void **state)
{
	enum { COUNT = 3000 };
	static struct {
		struct bt_table_key key;
		bool seen;
	} elements[COUNT], *element;
	struct bt_table table = {0};

	assert_null(bt_table_find(&table, (struct bt_table_key){1, 2}));
	for (uint64_t i = 0; i < COUNT; i++) {
		elements[i].key = (struct bt_table_key){i % 7, i / 7};
		assert_int_equal(bt_table_add(&table, &elements[i]), 0);
	}
	for (size_t i = 0; i < COUNT; i += 1 + i / 3 % 2)
		bt_table_remove(&table, &elements[i]);
	size_t left = 0, at = 0;
	for (element = bt_table_next(&table, &at); element; element = bt_table_next(&table, &at), left++) {
		assert_false(element->seen);
		element->seen = true;
	}
	assert_int_equal(left, table.count);
	for (size_t i = 0; i < COUNT; i++)
		assert_ptr_equal(bt_table_find(&table, elements[i].key), elements[i].seen ? &elements[i] : NULL);
	assert_true(left > COUNT / 4 && left < COUNT);
	bt_table_free(&table);
}

/* The last letter of a word does not count. */
static uint64_t hash_word(const struct bt_seed *seed, const void *key)
{
	return bt_seeded_hash(seed, key, strlen(key) - 1);
}

static bool same_word(const void *key, const void *other)
{
	return strlen(key) == strlen(other) && strncmp(key, other, strlen(key) - 1) == 0;
}

static void test_table_of_words(void **state)
{
	static const struct bt_table_kind kind = {hash_word, same_word};
	char words[200][8];
	struct bt_table table = {.kind = &kind};
	size_t at = 0, seen = 0;

	for (unsigned i = 0; i < 200; i++) {
		snprintf(words[i], sizeof(words[i]), "w%ux", i);
		assert_int_equal(bt_table_add(&table, words[i]), 0);
	}
	assert_ptr_equal(bt_table_find_key(&table, "w17y"), words[17]);
	assert_null(bt_table_find_key(&table, "w200x"));
	for (char *word = bt_table_next(&table, &at); word; word = bt_table_next(&table, &at), seen++) {
		bt_table_remove(&table, word);
		at--;
	}
	assert_int_equal(seen, 200);
	assert_int_equal(table.count, 0);
	bt_table_free(&table);
}

/* A table that is not as it should be ends the program, in builds that look. */
static void test_invariant(void **state)
{
#ifdef BT_INVARIANTS
	struct bt_table_key keys[3] = {{1, 1}, {2, 2}, {3, 3}};
	struct bt_table table = {0};
	int status;
	pid_t child;

	assert_int_equal(bt_table_add(&table, &keys[0]), 0);
	assert_int_equal(bt_table_add(&table, &keys[1]), 0);
	keys[0] = keys[1]; /* any other key might belong into the same slot */
	child = fork();
	if (child == 0) {
		signal(SIGILL, SIG_DFL);
		setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
		bt_table_add(&table, &keys[2]);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	bt_table_free(&table);
#endif
}

struct step {
	const struct step *above;
	const char *name;
};

static const void *step_up(const void *dir, const char **ret_name, size_t *ret_length)
{
	const struct step *step = dir;

	*ret_name = step->name;
	*ret_length = strlen(step->name);
	return step->above;
}

static void assert_path(const struct step *dir, const char *name, const char *expected)
{
	char *path = bt_path_new(step_up, dir, name);

	assert_non_null(path);
	assert_string_equal(path, expected);
	free(path);
}

static void test_paths_from_parents(void **state)
{
	const struct step top = {NULL, ""}, a = {&top, "a"}, bc = {&a, "bc"};

	assert_path(&top, NULL, "");
	assert_path(&top, "", "");
	assert_path(&top, "x", "x");
	assert_path(&a, NULL, "a");
	assert_path(&a, "", "a");
	assert_path(&bc, NULL, "a/bc");
	assert_path(&bc, "long name", "a/bc/long name");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reason_names),
		cmocka_unit_test(test_errno_names),
		cmocka_unit_test(test_sentences),
		cmocka_unit_test(test_first_failure_wins),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_cut_between_characters),
		cmocka_unit_test(test_any_bytes_any_size),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_digests),
		cmocka_unit_test(test_utf8_characters),
		cmocka_unit_test(test_utf8_places),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_mixing),
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_buf),
		cmocka_unit_test(test_arena),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_table_of_words),
		cmocka_unit_test(test_invariant),
		cmocka_unit_test(test_paths_from_parents),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
