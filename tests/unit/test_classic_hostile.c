/* SPDX-License-Identifier: MIT */
/* Version 1 files with wrong contents or hostile texts. */
#include "classic_derived.h"
#include <time.h>

static void test_wrong_contents(void **state)
{
	static const char *const texts[] = {
		"aGVsbG9=", /* tail bits */
		"aGVsbG8",
		"aGVsbG8==",
		"aGVs*G8=",
		"aGVsbG84",
		"aGVs bG8=",
		"aGVsbG8=aGVsbG8=",
		"aGVs\xff\xff\xff\xff",
		"a",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		char *json = NULL;

		assert_true(asprintf(&json,
				     "{" STAMP ",\"files\":{" HELLO("d/a") "," EMPTY(
					     "d/b") ",\"d/c\":\"%064d\"},"
						    "\"file_contents\":{\"" HELLO_DIGEST "\":\"%s\",\"" EMPTY_DIGEST
						    "\":\"\"}}",
				     0, texts[i]) > 0);
		assert_listing(json, "d", "EIO a\n" EMPTY_DIGEST " b\nEIO c\n");
		struct derived derived = derive(json);
		assert_int_equal(derived.info.errors, 2);
		assert_int_equal(derived.info.files, 3);
		assert_int_equal(derived.content_count, 0);
		drop(&derived);
		free(json);
	}
}

#define DEEP15 "[[[[[[[[[[[[[[["
#define END15  "]]]]]]]]]]]]]]]"
static const struct {
	const char *json;
	enum bt_reason reason;
	const char *at; /* the rest of the text from where it is refused; NULL: not looked at */
} hostile[] = {
	{"", BT_R_TRUNCATED, ""},
	{"\xef\xbb\xbf" WITH(""), BT_R_BYTE_ORDER_MARK, NULL},
	{"[]", BT_R_NOT_JSON, "[]"},
	{"{" STAMP "}x", BT_R_MISSING_KEY, "x"},
	{"{" STAMP ",\"files\":{}}", BT_R_MISSING_KEY, ""},
	{"{\"files\":{}," CONTENTS "}", BT_R_MISSING_KEY, ""},
	{"{" STAMP "," CONTENTS "}", BT_R_MISSING_KEY, ""},
	{WITH("") "x", BT_R_TRAILING_BYTES, "x"},
	{WITH("") "{}", BT_R_TRAILING_BYTES, "{}"},
	{"{" STAMP "," STAMP "}", BT_R_DUPLICATE_KEY, STAMP "}"},
	{"{\"files\":{},\"files\":{}}", BT_R_DUPLICATE_KEY, "\"files\":{}}"},
	{WITH(HELLO("a") "," HELLO("b") "," HELLO("a")), BT_R_DUPLICATE_KEY, NULL},
	{WITH(HELLO("a") "," HELLO("\\u0061")), BT_R_DUPLICATE_KEY, NULL},
	{"{" STAMP ",\"files\":{},\"file_contents\":{\"" EMPTY_DIGEST "\":\"\",\"" EMPTY_DIGEST "\":\"\"}}",
	 BT_R_DUPLICATE_KEY, "\"}}"},
	{"{" STAMP " \"files\":{}}", BT_R_NOT_JSON, "\"files\":{}}"},
	{"{" STAMP ",}", BT_R_NOT_JSON, "}"},
	{"{,}", BT_R_NOT_JSON, ",}"},
	{"{timestamp:1}", BT_R_NOT_JSON, NULL},
	{"{\"files\" {}}", BT_R_NOT_JSON, "{}}"},
	{"{'files':{}}", BT_R_NOT_JSON, NULL},
	{"{\"timestamp\":5}", BT_R_WRONG_TYPE, "5}"},
	{"{\"files\":[]}", BT_R_WRONG_TYPE, "[]}"},
	{"{\"files\":null}", BT_R_WRONG_TYPE, "null}"},
	{"{\"file_contents\":\"\"}", BT_R_WRONG_TYPE, NULL},
	{"{\"files\":}", BT_R_NOT_JSON, "}"},
	{"{\"files\":{\"a\":null}}", BT_R_WRONG_TYPE, "null}}"},
	{"{\"file_contents\":{\"" EMPTY_DIGEST "\":7}}", BT_R_WRONG_TYPE, "7}}"},
	{"{\"directory_size\":\"5\"}", BT_R_WRONG_TYPE, "\"5\"}"},
	{"{\"directory_size\":-5}", BT_R_BAD_NUMBER, NULL},
	{"{\"directory_size\":5.5}", BT_R_BAD_NUMBER, "5.5}"},
	{"{\"directory_size\":5e3}", BT_R_BAD_NUMBER, "5e3}"},
	{"{\"snapshot_size\":05}", BT_R_BAD_NUMBER, NULL},
	{"{\"snapshot_size\":18446744073709551616}", BT_R_BAD_NUMBER, NULL},
	{"{\"x\":01}", BT_R_BAD_NUMBER, NULL},
	{"{\"x\":1.}", BT_R_BAD_NUMBER, "}"},
	{"{\"x\":1e}", BT_R_BAD_NUMBER, "}"},
	{"{\"x\":-}", BT_R_BAD_NUMBER, "}"},
	{"{\"x\":+1}", BT_R_NOT_JSON, "+1}"},
	{"{\"x\":NaN}", BT_R_NOT_JSON, "NaN}"},
	{"{\"x\":trux}", BT_R_NOT_JSON, "x}"},
	{"{\"x\":[1,]}", BT_R_NOT_JSON, "]}"},
	{"{\"x\":[1 2]}", BT_R_NOT_JSON, "2]}"},
	{"{\"x\":[}", BT_R_NOT_JSON, "}"},
	{"{\"x\":{\"a\":1]}", BT_R_NOT_JSON, "]}"},
	{"{\"x\":" DEEP15 "[" END15 "]}", BT_R_TOO_DEEP, "[" END15 "]}"},
	{"{\"x\":\"a\x01\"}", BT_R_NOT_JSON, "\x01\"}"},
	{"{\"x\":\"\\x\"}", BT_R_BAD_ESCAPE, "\\x\"}"},
	{"{\"x\":\"\\u12g4\"}", BT_R_BAD_ESCAPE, "g4\"}"},
	{"{\"x\":\"\\ud800\"}", BT_R_BAD_UTF8, "\\ud800\"}"},
	{"{\"x\":\"\\ud800\\u0041\"}", BT_R_BAD_UTF8, NULL},
	{"{\"x\":\"\\ud800\\n\"}", BT_R_BAD_UTF8, NULL},
	{"{\"x\":\"\\udc7f\"}", BT_R_BAD_UTF8, NULL},
	{"{\"x\":\"\\udd00\"}", BT_R_BAD_UTF8, NULL},
	{"{\"x\":\"\xff\"}", BT_R_BAD_UTF8, "\xff\"}"},
	{"{\"x\":\"\xc0\x80\"}", BT_R_BAD_UTF8, NULL},
	{"{\"x\":\"\xed\xa0\x80\"}", BT_R_BAD_UTF8, NULL},
	{"{\"x\":\"\x80\"}", BT_R_BAD_UTF8, NULL},
	{"{\"timestamp\":\"2024-13-01T10-00-00\"}", BT_R_BAD_TIME, NULL},
	{"{\"timestamp\":\"2024-12-01T10:00:00\"}", BT_R_BAD_TIME, NULL},
	{"{\"timestamp\":\"\"}", BT_R_BAD_TIME, NULL},
	{"{\"files\":{\"a\":\"\"}}", BT_R_BAD_DIGEST, NULL},
	{"{\"files\":{\"a\":\"" EMPTY_DIGEST "0\"}}", BT_R_BAD_DIGEST, NULL},
	{"{\"files\":{\"a\":\"E3B0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}}", BT_R_BAD_DIGEST,
	 NULL},
	{"{\"file_contents\":{\"abc\":\"\"}}", BT_R_BAD_DIGEST, "\"abc\":\"\"}}"},
	{"{\"file_contents\":{\"" HELLO_DIGEST "\":\"aGVs\\u0062G8=\"}}", BT_R_BAD_ESCAPE, "\\u0062G8=\"}}"},
	{"{\"file_contents\":{\"" HELLO_DIGEST "\":\"aGVsbG8=\\/\"}}", BT_R_BAD_ESCAPE, "\\/\"}}"},
	{"{\"file_contents\":{\"" HELLO_DIGEST "\":\"aGVs\nbG8=\"}}", BT_R_NOT_JSON, "\nbG8=\"}}"},
	{"{\"file_contents\":{\"" HELLO_DIGEST "\":\"aGVsbG8=\n\"}}", BT_R_NOT_JSON, "\n\"}}"},
	{WITH(HELLO("")), BT_R_BAD_NAME, NULL},
	{WITH(HELLO("a\\u0000b")), BT_R_BAD_NAME, NULL},
	{WITH(HELLO("a/")), BT_R_BAD_NAME, NULL},
	{WITH(HELLO("..")), BT_R_BAD_NAME, NULL},
	{WITH(HELLO("a/x") "," HELLO("a/../b")), BT_R_BAD_NAME, NULL},
	{WITH(HELLO("a/x") "," HELLO("a/./b")), BT_R_BAD_NAME, NULL},
	{WITH(HELLO("a/x") "," HELLO("a//b")), BT_R_BAD_NAME, NULL},
	{WITH(HELLO("a/x") "," HELLO("../b")), BT_R_BAD_NAME, NULL},
	{WITH(HELLO("/a") "," HELLO("b")), BT_R_BAD_TARGET, NULL},
	{WITH(HELLO("d/a") "," HELLO("d/a/b")), BT_R_BAD_TARGET, NULL},
	{WITH(HELLO("d/a/b") "," HELLO("d/a-") "," HELLO("d/a")), BT_R_BAD_TARGET, NULL},
};

static void test_hostile(void **state)
{
	for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++) {
		const char *json = hostile[i].json;
		struct derived derived = derive(json);

		if (derived.result != BT_E_DAMAGED || derived.error.reason != hostile[i].reason)
			fail_msg("%s: %d %s", json, derived.result, bt_reason_name(derived.error.reason));
		if (hostile[i].at && derived.error.offset != strlen(json) - strlen(hostile[i].at))
			fail_msg("%s: refused at %llu", json, (unsigned long long)derived.error.offset);
		assert_string_equal(derived.error.file, "old.json");
		drop(&derived);
	}
}

static void test_long_names(void **state)
{
	struct bt_buf json = {0};
	char *name = malloc(256);

	memset(name, 'n', 256);
	for (size_t length = 255; length <= 256; length++) {
		json.length = 0;
		bt_buf_append(&json, "{" STAMP ",\"files\":{\"", strlen("{" STAMP ",\"files\":{\""));
		bt_buf_append(&json, name, length);
		bt_buf_append(&json, "\":\"" HELLO_DIGEST "\"}," CONTENTS "}",
			      strlen("\":\"" HELLO_DIGEST "\"}," CONTENTS "}") + 1);
		struct derived derived = derive((const char *)json.data);
		assert_int_equal(derived.result, length == 255 ? 0 : BT_E_DAMAGED);
		if (length == 256)
			assert_int_equal(derived.error.reason, BT_R_BAD_NAME);
		drop(&derived);
	}
	bt_buf_free(&json);
	free(name);
}

/* Reads a file whose only path is given, with as many digits for its digest as are given. */
static struct derived derive_long(const char *before, size_t length, const char *after)
{
	struct bt_buf json = {0};
	char *many = malloc(length);

	assert_non_null(many);
	memset(many, 'n', length);
	for (size_t i = 100; i < length; i += 100) /* names of directories */
		many[i] = '/';
	bt_buf_append(&json, before, strlen(before));
	bt_buf_append(&json, many, length);
	bt_buf_append(&json, after, strlen(after) + 1);
	struct derived derived = derive((const char *)json.data);
	bt_buf_free(&json);
	free(many);
	return derived;
}

/* What a path, a digest, and the directory of all paths may have at most: that one has to fit into a header. */
static void test_long_texts(void **state)
{
	static const struct {
		const char *before, *after;
		size_t length;
	} cases[] = {
		{"{" STAMP ",\"files\":{\"", "\":\"" HELLO_DIGEST "\"}," CONTENTS "}", (1 << 20) + 1},
		{"{" STAMP ",\"files\":{\"a\":\"", "\"}," CONTENTS "}", (64 << 10) + 1},
		{"{" STAMP ",\"files\":{\"/", "\":\"" HELLO_DIGEST "\"}," CONTENTS "}", 70000},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct derived derived = derive_long(cases[i].before, cases[i].length, cases[i].after);

		assert_int_equal(derived.result, BT_E_DAMAGED);
		assert_string_equal(bt_reason_name(derived.error.reason), "too-large");
		drop(&derived);
	}
}

static void test_truncations(void **state)
{
	static const char json[] = WITH(HELLO("d/a\\n\\udcff\\ud83d\\ude00\xc3\xa9") "," EMPTY("d/b"));

	for (size_t length = 0; length < sizeof(json) - 1; length++) {
		struct derived derived = derive_fd(memory_file(json, length));

		assert_int_equal(derived.result, BT_E_DAMAGED);
		assert_int_equal(derived.error.reason, BT_R_TRUNCATED);
		drop(&derived);
	}
}

/* Every byte changed in every bit: it is refused, or what is shown is still true to its digests (load checks). */
static void test_flips(void **state)
{
	static const char json[] = WITH(HELLO("d/a") "," EMPTY("d/b"));
	char changed[sizeof(json)];

	for (size_t bit = 0; bit < (sizeof(json) - 1) * 8; bit++) {
		memcpy(changed, json, sizeof(json));
		changed[bit / 8] = (char)(changed[bit / 8] ^ 1 << bit % 8);
		struct derived derived = derive_fd(memory_file(changed, sizeof(json) - 1));
		if (!derived.result)
			free(listing(&derived));
		else
			assert_int_equal(derived.result, BT_E_DAMAGED);
		drop(&derived);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong_contents), cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_long_names),     cmocka_unit_test(test_truncations),
		cmocka_unit_test(test_flips),	       cmocka_unit_test(test_long_texts),
	};

	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
