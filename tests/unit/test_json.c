/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include "base/bytes.h"
#include "json/read.h"
#include "json/write.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

static void assert_text(struct bt_buf *out, const char *expected)
{
	assert_int_equal(out->length, strlen(expected));
	assert_memory_equal(out->data, expected, out->length);
	out->length = 0;
}

/* A line on the heap with nothing behind it, so that reading too far is caught by the sanitizer. */
struct line {
	char *text, *scratch_start, *scratch;
	struct bt_json json;
	struct bt_error error;
};

static void line_open(struct line *line, const char *text, size_t length, uint64_t offset)
{
	*line = (struct line){.text = malloc(length + !length), .scratch_start = malloc(length + !length)};
	memcpy(line->text, text, length);
	line->scratch = line->scratch_start;
	bt_json_begin(&line->json, line->text, length, offset, &line->error);
}

static void line_close(struct line *line)
{
	free(line->text);
	free(line->scratch_start);
}

static void test_numbers_are_written_in_one_spelling(void **state)
{
	static const struct {
		uint64_t value;
		const char *text;
	} cases[] = {
		{0, "0"},
		{9, "9"},
		{10, "10"},
		{99, "99"},
		{100, "100"},
		{12345, "12345"},
		{9007199254740991, "9007199254740991"},
		{9007199254740992, "\"9007199254740992\""},
		{UINT64_MAX, "\"18446744073709551615\""},
	};
	struct bt_buf out = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct line line;
		uint64_t value;

		assert_int_equal(bt_json_u64(&out, cases[i].value), 0);
		assert_text(&out, cases[i].text);
		line_open(&line, cases[i].text, strlen(cases[i].text), 0);
		assert_int_equal(bt_json_read_u64(&line.json, UINT64_MAX, &value), 0);
		assert_true(value == cases[i].value);
		assert_int_equal(bt_json_end(&line.json), 0);
		line_close(&line);
	}
	bt_buf_free(&out);
}

static void test_times(void **state)
{
	static const struct {
		struct bt_time time;
		const char *text;
	} cases[] = {
		{{0, 0}, "[0,0]"},
		{{-1, 999999999}, "[-1,999999999]"},
		{{1732271400, 123456789}, "[1732271400,123456789]"},
		{{INT64_C(4294967296) * 4, 1}, "[17179869184,1]"},
		{{9007199254740991, 0}, "[9007199254740991,0]"},
		{{-9007199254740991, 0}, "[-9007199254740991,0]"},
	};
	struct bt_time wide = {INT64_MIN, 0};
	struct bt_buf out = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct line line;
		struct bt_time time;

		assert_int_equal(bt_json_time(&out, &cases[i].time), 0);
		assert_text(&out, cases[i].text);
		line_open(&line, cases[i].text, strlen(cases[i].text), 0);
		assert_int_equal(bt_json_read_time(&line.json, &time), 0);
		assert_true(time.seconds == cases[i].time.seconds && time.nanoseconds == cases[i].time.nanoseconds);
		line_close(&line);
	}
	assert_int_equal(bt_json_time(&out, &wide), 0);
	assert_text(&out, "[-9007199254740991,0]");
	wide.seconds = INT64_MAX;
	assert_int_equal(bt_json_time(&out, &wide), 0);
	assert_text(&out, "[9007199254740991,0]");
	bt_buf_free(&out);
}

static void test_strings_escape_what_the_format_says(void **state)
{
	struct bt_buf out = {0};

	assert_int_equal(bt_json_string(&out, "", 0), 0);
	assert_text(&out, "\"\"");
	assert_int_equal(bt_json_string(&out, "plain / text, long enough for a word or two", 43), 0);
	assert_text(&out, "\"plain / text, long enough for a word or two\"");
	assert_int_equal(bt_json_string(&out, "a\"b\\c\n\t\x7f\x1f", 9), 0);
	assert_text(&out, "\"a\\\"b\\\\c\\u000a\\u0009\\u007f\\u001f\"");
	assert_int_equal(bt_json_string(&out, "a\0b", 3), 0);
	assert_text(&out, "\"a\\u0000b\"");
	assert_int_equal(bt_json_string(&out, "caf\xc3\xa9 \xf0\x9f\x92\xbe", 10), 0);
	assert_text(&out, "\"caf\xc3\xa9 \xf0\x9f\x92\xbe\"");
	bt_buf_free(&out);
}

/* Every byte at every place of strings of several lengths comes back, read as itself and as bytes. */
static void test_bytes_come_back(void **state)
{
	char text[40];

	for (size_t length = 1; length <= sizeof(text); length += 3)
		for (size_t at = 0; at < length; at++)
			for (int byte = 0; byte < 256; byte++) {
				struct bt_buf out = {0};
				struct bt_text back;
				struct line line;

				memset(text, 'x', length);
				text[at] = (char)byte;
				assert_int_equal(bt_json_bytes(&out, "k", text, length), 0);
				assert_memory_equal(out.data, byte < 0x80 ? "\"k\":\"" : "\"k_b64\":\"", 5);
				line_open(&line, (char *)out.data, out.length, 0);
				assert_int_equal(bt_json_read_bytes(&line.json, "k", true, &line.scratch, &back), 0);
				assert_int_equal(bt_json_end(&line.json), 0);
				assert_int_equal(back.length, length);
				assert_memory_equal(back.bytes, text, length);
				line_close(&line);
				bt_buf_free(&out);
			}
}

static void test_strings_agree_with_cjson(void **state)
{
	struct bt_buf out = {0};
	char text[128];
	cJSON *parsed;

	for (int i = 1; i < 128; i++)
		text[i - 1] = (char)i;
	text[127] = 0;
	assert_int_equal(bt_json_string(&out, text, 127), 0);
	parsed = cJSON_ParseWithLength((char *)out.data, out.length);
	assert_non_null(parsed);
	assert_string_equal(cJSON_GetStringValue(parsed), text);
	cJSON_Delete(parsed);
	bt_buf_free(&out);
}

/* Texts without escapes are not copied; those with some are decoded one behind the other. */
static void test_strings_share_the_line(void **state)
{
	static const char text[] = "\"ab\"\"c\\\\d\"\"\\\"\"";
	struct bt_text a, b, c;
	struct line line;

	line_open(&line, text, sizeof(text) - 1, 0);
	assert_int_equal(bt_json_read_string(&line.json, &line.scratch, &a), 0);
	assert_int_equal(bt_json_read_string(&line.json, &line.scratch, &b), 0);
	assert_int_equal(bt_json_read_string(&line.json, &line.scratch, &c), 0);
	assert_ptr_equal(a.bytes, line.text + 1);
	assert_ptr_equal(b.bytes, line.scratch_start);
	assert_ptr_equal(c.bytes, line.scratch_start + 3);
	assert_memory_equal(line.scratch_start, "c\\d\"", 4);
	assert_int_equal(line.scratch - line.scratch_start, 4);
	line_close(&line);
}

enum call { U64, U64_100, I64, BOOL, DIGEST, TIME, STRING, BASE64, BYTES, EXPECT, KEY, CLOSE, END };

static int call(struct line *line, enum call call)
{
	struct bt_json *json = &line->json;
	struct bt_digest digest;
	struct bt_time time;
	struct bt_text text;
	uint64_t u64;
	int64_t i64;
	bool flag;

	switch (call) {
	case U64:
		return bt_json_read_u64(json, UINT64_MAX, &u64);
	case U64_100:
		return bt_json_read_u64(json, 100, &u64);
	case I64:
		return bt_json_read_i64(json, &i64);
	case BOOL:
		return bt_json_read_bool(json, &flag);
	case DIGEST:
		return bt_json_read_digest(json, &digest);
	case TIME:
		return bt_json_read_time(json, &time);
	case STRING:
		return bt_json_read_string(json, &line->scratch, &text);
	case BASE64:
		return bt_json_read_base64(json, &line->scratch, &text);
	case BYTES:
		return bt_json_read_bytes(json, "name", true, &line->scratch, &text);
	case EXPECT:
		return bt_json_expect(json, "{\"entries\":[");
	case KEY: /* an object of a, b, c, of which b is optional and wanted after {"a":1 */
		json->keys = "a b c";
		json->at += 6;
		return bt_json_key(json, "c", false);
	case CLOSE:
		json->keys = "a b c";
		json->at += 6;
		return bt_json_close(json, "}");
	case END:
		json->at += 1;
		return bt_json_end(json);
	}
	return 0;
}

#define DEEP15	    "[[[[[[[[[[[[[[["
#define DIGEST_TEXT "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\""

static const struct hostile {
	enum call call;
	const char *text;
	enum bt_reason reason;
	unsigned offset;
} hostile[] = {
	{U64, "", BT_R_TRUNCATED, 0},
	{U64, "x", BT_R_NOT_JSON, 0},
	{U64, " 1", BT_R_NOT_JSON, 0},
	{U64, "+1", BT_R_NOT_JSON, 0},
	{U64,
	 "\xef\xbb\xbf"
	 "1",
	 BT_R_BYTE_ORDER_MARK, 0},
	{U64, "null", BT_R_WRONG_TYPE, 0},
	{U64, "true", BT_R_WRONG_TYPE, 0},
	{U64, "[1]", BT_R_WRONG_TYPE, 0},
	{U64, "{}", BT_R_WRONG_TYPE, 0},
	{U64, "\"x\"", BT_R_WRONG_TYPE, 0},
	{U64, "\"\"", BT_R_WRONG_TYPE, 0},
	{U64, "-1", BT_R_BAD_NUMBER, 0},
	{U64, "01", BT_R_BAD_NUMBER, 0},
	{U64, "00", BT_R_BAD_NUMBER, 0},
	{U64, "1.0", BT_R_BAD_NUMBER, 0},
	{U64, "1e3", BT_R_BAD_NUMBER, 0},
	{U64, "9007199254740992", BT_R_BAD_NUMBER, 0},
	{U64, "18446744073709551616", BT_R_BAD_NUMBER, 0},
	{U64, "99999999999999999999999", BT_R_BAD_NUMBER, 0},
	{U64, "\"9007199254740991\"", BT_R_BAD_NUMBER, 0},
	{U64, "\"0\"", BT_R_BAD_NUMBER, 0},
	{U64, "\"18446744073709551616\"", BT_R_BAD_NUMBER, 1},
	{U64, "\"018446744073709551615\"", BT_R_BAD_NUMBER, 1},
	{U64, "\"18446744073709551615", BT_R_TRUNCATED, 21},
	{U64, "\"", BT_R_TRUNCATED, 1},
	{U64, "\"9007199254740992x\"", BT_R_WRONG_TYPE, 0},
	{U64_100, "101", BT_R_BAD_NUMBER, 0},
	{U64, "[" DEEP15 "]", BT_R_WRONG_TYPE, 0},
	{U64, "[[" DEEP15 "]", BT_R_TOO_DEEP, 16},
	{I64, "-0", BT_R_BAD_NUMBER, 0},
	{I64, "-", BT_R_TRUNCATED, 1},
	{I64, "--1", BT_R_WRONG_TYPE, 1},
	{I64, "-01", BT_R_BAD_NUMBER, 1},
	{I64, "-9007199254740992", BT_R_BAD_NUMBER, 0},
	{I64, "\"9007199254740992\"", BT_R_WRONG_TYPE, 0},
	{BOOL, "1", BT_R_WRONG_TYPE, 0},
	{BOOL, "True", BT_R_NOT_JSON, 0},
	{BOOL, "tru", BT_R_NOT_JSON, 0},
	{DIGEST, "7", BT_R_WRONG_TYPE, 0},
	{DIGEST, "\"0123\"", BT_R_BAD_DIGEST, 5},
	{DIGEST, "\"0123", BT_R_TRUNCATED, 5},
	{DIGEST, "\"0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef\"", BT_R_BAD_DIGEST, 11},
	{DIGEST, "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdefa\"", BT_R_BAD_DIGEST, 65},
	{DIGEST, "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\"", BT_R_BAD_DIGEST, 64},
	{TIME, "[1]", BT_R_NOT_JSON, 2},
	{TIME, "[1,1000000000]", BT_R_BAD_TIME, 3},
	{TIME, "[1,-1]", BT_R_BAD_NUMBER, 3},
	{TIME, "[1,1", BT_R_TRUNCATED, 4},
	{TIME, "[1,1,1]", BT_R_NOT_JSON, 4},
	{TIME, "\"now\"", BT_R_WRONG_TYPE, 0},
	{STRING, "12", BT_R_WRONG_TYPE, 0},
	{STRING, "", BT_R_TRUNCATED, 0},
	{STRING, "\"abc", BT_R_TRUNCATED, 4},
	{STRING, "\"abc\\", BT_R_TRUNCATED, 5},
	{STRING, "\"a\nb\"", BT_R_NOT_JSON, 2},
	{STRING, "\"a\x7f\"", BT_R_BAD_ESCAPE, 2},
	{STRING, "\"a\\n\"", BT_R_BAD_ESCAPE, 2},
	{STRING, "\"a\\/\"", BT_R_BAD_ESCAPE, 2},
	{STRING, "\"\\u0041\"", BT_R_BAD_ESCAPE, 1},
	{STRING, "\"\\u001F\"", BT_R_BAD_ESCAPE, 1},
	{STRING, "\"\\u0080\"", BT_R_BAD_ESCAPE, 1},
	{STRING, "\"\\ud800\"", BT_R_BAD_ESCAPE, 1},
	{STRING, "\"\\u00", BT_R_BAD_ESCAPE, 1},
	{STRING, "\"ab\xff\"", BT_R_BAD_UTF8, 3},
	{STRING, "\"\xc3\xa9\xc3\"", BT_R_BAD_UTF8, 3},
	{STRING, "\"\xed\xa0\x80\"", BT_R_BAD_UTF8, 1},
	{STRING, "\"\xc0\x80\"", BT_R_BAD_UTF8, 1},
	{STRING, "\"\xf4\x90\x80\x80\"", BT_R_BAD_UTF8, 1},
	{STRING, "\"\\\\\xff\"", BT_R_BAD_UTF8, 3},
	{BASE64, "\"YQ==", BT_R_TRUNCATED, 5},
	{BASE64, "\"YQ=\"", BT_R_BAD_BASE64, 3},
	{BASE64, "\"YR==\"", BT_R_BAD_BASE64, 2},
	{BASE64, "\"YW Jj\"", BT_R_BAD_BASE64, 3},
	{BASE64, "\"Y*Jj\"", BT_R_BAD_BASE64, 2},
	{BASE64, "[]", BT_R_WRONG_TYPE, 0},
	{BYTES, "\"name_b64\":\"YQ==\"", BT_R_NEEDLESS_BASE64, 11},
	{BYTES, "\"name_b64\":\"\"", BT_R_NEEDLESS_BASE64, 11},
	{BYTES, "\"name\":\"\xff\"", BT_R_BAD_UTF8, 8},
	{BYTES, "\"nam\":\"\"", BT_R_UNKNOWN_KEY, 0},
	{BYTES, "\"nam", BT_R_TRUNCATED, 4},
	{EXPECT, "", BT_R_TRUNCATED, 0},
	{EXPECT, "{\"ent", BT_R_TRUNCATED, 5},
	{EXPECT, "{\"enter\":[", BT_R_NOT_JSON, 5},
	{EXPECT, "[\"entries\"", BT_R_WRONG_TYPE, 0},
	{EXPECT, "{\"entries\":7", BT_R_WRONG_TYPE, 11},
	{EXPECT, "{\"entries\": [", BT_R_NOT_JSON, 11},
	{EXPECT, "\xef\xbb\xbf{", BT_R_BYTE_ORDER_MARK, 0},
	{KEY, "{\"a\":1}", BT_R_MISSING_KEY, 6},
	{KEY, "{\"a\":1,\"b\":2}", BT_R_MISSING_KEY, 7},
	{KEY, "{\"a\":1,\"b\":2,\"c\":3}", BT_R_KEY_ORDER, 7},
	{KEY, "{\"a\":1,\"b\":[{\"c\":0}],\"d\":3}", BT_R_MISSING_KEY, 7},
	{KEY, "{\"a\":1,\"a\":2}", BT_R_DUPLICATE_KEY, 7},
	{KEY, "{\"a\":1,\"x\":2,\"c\":3}", BT_R_UNKNOWN_KEY, 7},
	{KEY, "{\"a\":1,\"C\":2,\"c\":3}", BT_R_UNKNOWN_KEY, 7},
	{KEY, "{\"a\":1,\"\":2,\"c\":3}", BT_R_UNKNOWN_KEY, 7},
	{KEY, "{\"a\":1,\"a b\":2,\"c\":3}", BT_R_UNKNOWN_KEY, 7},
	{KEY, "{\"a\":1,\"\\u0063\":2,\"c\":3}", BT_R_UNKNOWN_KEY, 7},
	{KEY, "{\"a\":1,\"x\":" DEEP15 "]", BT_R_UNKNOWN_KEY, 7},
	{KEY, "{\"a\":1,\"x\":[" DEEP15 "]", BT_R_TOO_DEEP, 26},
	{KEY, "{\"a\":1, \"c\":2}", BT_R_NOT_JSON, 7},
	{KEY, "{\"a\":1 ,\"c\":2}", BT_R_NOT_JSON, 6},
	{KEY, "{\"a\":1,\"c\" :2}", BT_R_NOT_JSON, 10},
	{KEY, "{\"a\":1", BT_R_TRUNCATED, 6},
	{KEY, "{\"a\":1,\"c\"", BT_R_TRUNCATED, 10},
	{CLOSE, "{\"a\":1,\"x\":1}", BT_R_UNKNOWN_KEY, 7},
	{CLOSE, "{\"a\":1,\"c\":1}", BT_R_KEY_ORDER, 7},
	{CLOSE, "{\"a\":1,\"a\":1}", BT_R_DUPLICATE_KEY, 7},
	{CLOSE, "{\"a\":1]", BT_R_NOT_JSON, 6},
	{CLOSE, "{\"a\":1", BT_R_TRUNCATED, 6},
	{END, "12", BT_R_TRAILING_BYTES, 1},
};

static void test_hostile_lines_have_their_reason(void **state)
{
	for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++) {
		const struct hostile *h = &hostile[i];
		struct line line;
		int r;

		line_open(&line, h->text, strlen(h->text), 1000);
		r = call(&line, h->call);
		if (r != BT_E_DAMAGED || line.error.reason != h->reason || line.error.offset != 1000 + h->offset)
			fail_msg("%s: %s at %d, not %s at %u", h->text, bt_reason_name(line.error.reason),
				 (int)line.error.offset - 1000, bt_reason_name(h->reason), h->offset);
		line_close(&line);
	}
}

/* Every beginning of a value is refused, and nothing beyond it is read (the sanitizer sees to that). */
static void test_truncated_values_are_refused(void **state)
{
	static const struct {
		enum call call;
		const char *text;
	} values[] = {
		{DIGEST, DIGEST_TEXT},
		{TIME, "[-1732271400,123456789]"},
		{STRING, "\"caf\xc3\xa9 \\u001f\\\\\\\"\""},
		{BASE64, "\"QmFzZTY0\""},
		{BYTES, "\"name_b64\":\"/w==\""},
		{U64, "\"18446744073709551615\""},
		{BOOL, "false"},
		{EXPECT, "{\"entries\":["},
	};

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		size_t whole = strlen(values[i].text);

		for (size_t length = 0; length <= whole; length++) {
			struct line line;

			line_open(&line, values[i].text, length, 0);
			assert_int_equal(call(&line, values[i].call), length == whole ? 0 : BT_E_DAMAGED);
			line_close(&line);
		}
	}
}

static void test_optional_keys(void **state)
{
	static const char text[] = "{\"a\":1,\"bb\":2}";
	struct line line;

	line_open(&line, text, sizeof(text) - 1, 0);
	assert_true(bt_json_try(&line.json, "{"));
	assert_false(bt_json_try_key(&line.json, "b", true));
	assert_true(bt_json_try_key(&line.json, "a", true));
	assert_true(bt_json_try(&line.json, "1"));
	assert_false(bt_json_try_key(&line.json, "b", false));
	assert_false(bt_json_try_key(&line.json, "bbb", false));
	assert_true(bt_json_try_key(&line.json, "bb", false));
	assert_true(bt_json_try(&line.json, "2"));
	assert_int_equal(bt_json_close(&line.json, "}"), 0);
	assert_int_equal(bt_json_end(&line.json), 0);
	assert_int_equal(line.error.code, 0);
	line_close(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_are_written_in_one_spelling),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_strings_escape_what_the_format_says),
		cmocka_unit_test(test_bytes_come_back),
		cmocka_unit_test(test_strings_agree_with_cjson),
		cmocka_unit_test(test_strings_share_the_line),
		cmocka_unit_test(test_hostile_lines_have_their_reason),
		cmocka_unit_test(test_truncated_values_are_refused),
		cmocka_unit_test(test_optional_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
