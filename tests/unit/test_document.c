/* SPDX-License-Identifier: MIT */
/* Damaged and hostile headers and summaries: each is refused with its own reason at its own place. */
#include "hostile_lines.h"
#include "model/document.h"

#define NAME_65 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"

static const struct hostile hostile_headers[] = {
	{"~[]", BT_R_WRONG_TYPE},
	{"{~\"version\":2", BT_R_MISSING_KEY},
	{"{\"format\":~\"other\",\"version\":2", BT_R_UNKNOWN_FORMAT},
	{"{\"format\":~2,\"version\":2", BT_R_WRONG_TYPE},
	{"{\"format\":\"backuptool\",\"version\":~3", BT_R_UNKNOWN_VERSION},
	{"{\"format\":\"backuptool\",\"version\":~\"2\"", BT_R_BAD_NUMBER},
	{"{\"format\":\"backuptool\",\"version\":2,\"kind\":~\"volume\"", BT_R_UNKNOWN_KIND},
	{"{\"format\":\"backuptool\",\"version\":2,\"kind\":~\"x\"", BT_R_UNKNOWN_KIND},
#define KIND "{\"format\":\"backuptool\",\"version\":2,\"kind\":\"snapshot\",\"timestamp\":"
	{KIND "~\"2026-11-22T10:30:00Z\"", BT_R_BAD_TIME},
#define NEEDS "{\"format\":\"backuptool\",\"version\":2,\"kind\":\"snapshot\",\"needs\":"
	{NEEDS "[~\"sealed\"],\"strange\":", BT_R_UNKNOWN_NEED},
	{NEEDS "[~\"a\",\"b\"]", BT_R_UNKNOWN_NEED},
	{NEEDS "[\"b\",~\"a\"]", BT_R_UNSORTED},
	{NEEDS "[\"ab\",~\"a\"]", BT_R_UNSORTED},
	{NEEDS "[\"a\",~\"a\"]", BT_R_DUPLICATE_NAME},
	{NEEDS "[~]", BT_R_BAD_SIZE},
	{NEEDS "[~\"A\"]", BT_R_BAD_NAME},
	{NEEDS "[~\"\"]", BT_R_BAD_NAME},
	{NEEDS "[~\"" NAME_65 "\"]", BT_R_BAD_NAME},
	{NEEDS "[~1]", BT_R_WRONG_TYPE},
	{NEEDS "~1", BT_R_WRONG_TYPE},
	{NEEDS "[\"a\"~", BT_R_TRUNCATED},
	{NEEDS "[\"a~", BT_R_TRUNCATED},
	{NEEDS "[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\",\"j\",\"k\",\"l\",\"m\",\"n\",\"o\","
	       "\"p\",~\"q\"]",
	 BT_R_TOO_LARGE},
	{KIND "~\"2026-11-31T10:30:00.123456789Z\"", BT_R_BAD_TIME},
#define WHEN KIND "\"2026-11-22T10:30:00.123456789Z\""
	{WHEN ",\"host\":~null", BT_R_WRONG_TYPE},
	{WHEN ",\"host\":~\"\\u0000\"", BT_R_BAD_NAME},
	{WHEN ",\"host\":\"h\",\"target\":~\"home\"", BT_R_BAD_TARGET},
	{WHEN ",\"host\":\"h\",\"target\":~\"\"", BT_R_BAD_TARGET},
	{WHEN ",\"host\":\"h\",\"target\":~\"/\\u0000\"", BT_R_BAD_TARGET},
	{WHEN ",\"host\":\"h\",\"target_b64\":~\"Lw==\"", BT_R_NEEDLESS_BASE64},
#define PLACE WHEN ",\"host\":\"h\",\"target\":\"/\""
	{PLACE ",\"parent\":~\"a/b\",\"tags\":[]", BT_R_BAD_NAME},
	{PLACE ",\"parent\":~5,\"tags\":[]", BT_R_WRONG_TYPE},
	{PLACE ",~\"tags\":[]", BT_R_MISSING_KEY},
	{PLACE ",\"parent\":null~", BT_R_TRUNCATED},
	{PLACE ",\"parent\":null,\"tags\":[\"a\",~\"a\"]", BT_R_DUPLICATE_NAME},
	{PLACE ",\"parent\":null,\"tags\":[\"b\",~\"a\"]", BT_R_UNSORTED},
	{PLACE ",\"parent\":null,\"tags\":[~\"a\\u000a\"]", BT_R_BAD_NAME},
	{PLACE ",\"parent\":null,\"tags\":[~1]", BT_R_WRONG_TYPE},
	{PLACE ",\"parent\":null,\"tags\":~null", BT_R_WRONG_TYPE},
	{PLACE ",\"parent\":null,~\"more\":1,\"tags\":[]", BT_R_UNKNOWN_KEY},
	{PLACE ",\"parent\":null,\"tags\":[],~\"More\":1", BT_R_BAD_NAME},
	{PLACE ",\"parent\":null,\"tags\":[],\"more\":1,~\"host\":\"h\"", BT_R_DUPLICATE_KEY},
	{PLACE ",\"parent\":null,\"tags\":[],~\"needs\":[]", BT_R_KEY_ORDER},
	{PLACE ",\"parent\":null,\"tags\":[],\"more\":1~}", BT_R_TRAILING_BYTES},
	{PLACE ",\"parent\":null,\"tags\":[],~", BT_R_TRUNCATED},
	{PLACE ",\"parent\":null,\"tags\":[],~\"tags\":[]", BT_R_DUPLICATE_KEY},
	{PLACE ",\"parent\":null,\"tags\":[]~}", BT_R_TRAILING_BYTES},
#define TAKEN PLACE ",\"parent\":null,\"tags\":[]"
	{TAKEN ",\"program\":~\"\"", BT_R_BAD_NAME},
	{TAKEN ",\"program\":~\"a\\u0000\"", BT_R_BAD_NAME},
	{TAKEN ",\"program\":~\"" NAME_65 "\"", BT_R_BAD_NAME},
	{TAKEN ",\"program\":~1", BT_R_WRONG_TYPE},
	{TAKEN ",\"user\":~\"a\\u000a\"", BT_R_BAD_NAME},
	{TAKEN ",\"user\":~\"" NAME_65 NAME_65 NAME_65 NAME_65 "\"", BT_R_BAD_NAME},
	{TAKEN ",\"user\":\"a\",~\"program\":\"a\"", BT_R_KEY_ORDER},
	{TAKEN ",\"rules\":[~]", BT_R_BAD_SIZE},
	{TAKEN ",\"rules\":~\"a\"", BT_R_WRONG_TYPE},
	{TAKEN ",\"rules\":[\"a\",~1]", BT_R_WRONG_TYPE},
	{TAKEN ",\"rules\":[~\"a\\u0000\"]", BT_R_BAD_NAME},
	{TAKEN ",\"rules\":[~{\"b64\":\"/wA=\"}]", BT_R_BAD_NAME},
	{TAKEN ",\"rules\":[{\"b64\":~\"YQ==\"}]", BT_R_NEEDLESS_BASE64},
	{TAKEN ",\"rules\":[{\"b64\":\"/w==\"~,\"a\":1}]", BT_R_NOT_JSON},
	{TAKEN ",\"rules\":[~{}]", BT_R_WRONG_TYPE},
	{TAKEN ",\"rules\":[\"a\"~", BT_R_TRUNCATED},
	{TAKEN ",\"rules\":[\"a\"],\"rules_omitted\":~true", BT_R_BAD_TYPE},
	{TAKEN ",\"rules_omitted\":~false", BT_R_BAD_TYPE},
	{TAKEN ",\"options\":[\"b\",~\"a\"]", BT_R_UNSORTED},
	{TAKEN ",\"options\":[\"a\",~\"a\"]", BT_R_DUPLICATE_NAME},
	{TAKEN ",\"options\":[~]", BT_R_BAD_SIZE},
	{TAKEN ",\"pinned\":~false", BT_R_BAD_TYPE},
	{TAKEN ",\"pinned\":~1", BT_R_WRONG_TYPE},
	{TAKEN ",\"expires\":~\"2026-11-22\"", BT_R_BAD_TIME},
	{TAKEN ",\"expires\":~[0,0]", BT_R_WRONG_TYPE},
	{TAKEN ",\"description\":~\"\"", BT_R_BAD_NAME},
	{TAKEN ",\"description\":~\"a\\u007fb\"", BT_R_BAD_NAME},
	{TAKEN ",\"partial\":~false", BT_R_BAD_TYPE},
	{TAKEN ",\"streams\":~false", BT_R_BAD_TYPE},
	{TAKEN ",\"streams\":true,~\"partial\":true", BT_R_KEY_ORDER},
	{TAKEN ",\"partial\":true,~\"pinned\":true", BT_R_KEY_ORDER},
	{TAKEN ",\"rewritten\":~\"a/b\"", BT_R_BAD_NAME},
	{TAKEN ",\"rewritten\":~null", BT_R_WRONG_TYPE},
	{TAKEN ",\"rewritten\":\"a\",~\"partial\":true", BT_R_KEY_ORDER},
	{TAKEN ",\"partial\":true,\"more\":1,~\"pinned\":true", BT_R_KEY_ORDER},
	{TAKEN ",\"more\":1,~\"rules\":[\"a\"]", BT_R_KEY_ORDER},
};

#define ROOT "{\"root\":{\"type\":\"dir\",%,\"mtime\":[0,0],\"tree\":\"$\"},"

static const struct hostile hostile_summaries[] = {
	{"{~}", BT_R_MISSING_KEY},
	{"{\"root\":{~\"name\":\"a\",\"type\":\"dir\",%,\"mtime\":[0,0],\"tree\":\"$\"}", BT_R_UNKNOWN_KEY},
	{"{\"root\":~{\"type\":\"fifo\",%,\"mtime\":[0,0]}", BT_R_BAD_TYPE},
	{"{\"root\":{\"type\":\"dir\",%,\"mtime\":[0,0]~}", BT_R_MISSING_KEY},
	{"{\"root\":~5}", BT_R_WRONG_TYPE},
	{ROOT "\"files\":~-1}", BT_R_BAD_NUMBER},
	{ROOT "~\"directories\":1}", BT_R_MISSING_KEY},
	{ROOT "~\"root\":1}", BT_R_DUPLICATE_KEY},
	{ROOT "~\"tree\":1}", BT_R_UNKNOWN_KEY},
#define NUMBERS                                                                                                        \
	ROOT "\"files\":0,\"directories\":1,\"others\":0,\"directory_size\":0,\"stored_size\":0,\"new\":0,"            \
	     "\"changed\":0,\"unchanged\":0,\"errors\":0"
	{NUMBERS "~}", BT_R_MISSING_KEY},
	{NUMBERS ",\"xattrs\":~1}", BT_R_WRONG_TYPE},
	{NUMBERS ",\"removed\":~0,\"xattrs\":true}", BT_R_BAD_NUMBER},
	{NUMBERS ",\"torn\":1,\"xattrs\":true~}", BT_R_BAD_SIZE},
	{NUMBERS ",\"left_out\":1,~\"removed\":1,\"xattrs\":true}", BT_R_KEY_ORDER},
	{NUMBERS ",\"boundaries\":~true,\"xattrs\":true}", BT_R_WRONG_TYPE},
	{NUMBERS ",\"names\":\"~x\",\"xattrs\":true}", BT_R_BAD_DIGEST},
	{NUMBERS ",\"names\":\"$\",~\"boundaries\":1,\"xattrs\":true}", BT_R_KEY_ORDER},
	{NUMBERS ",\"names\":~null,\"xattrs\":true}", BT_R_WRONG_TYPE},
	{NUMBERS ",\"xattrs\":true,~\"files\":0}", BT_R_DUPLICATE_KEY},
	{NUMBERS ",\"xattrs\":true}~,", BT_R_TRAILING_BYTES},
	{NUMBERS ",~\"more\":1,\"xattrs\":true}", BT_R_UNKNOWN_KEY},
	{NUMBERS ",\"xattrs\":true,~\"torn\":1}", BT_R_KEY_ORDER},
	{NUMBERS ",\"xattrs\":true,\"more\":[[[[[[[[[[[[[[[~[]]]]]]]]]]]]]]]]}", BT_R_TOO_DEEP},
	{NUMBERS ",\"xattrs\":true,\"more\":{}~", BT_R_TRUNCATED},
};

typedef int (*part_reader)(const struct bt_text *text, uint64_t offset, struct bt_arena *arena,
			   struct bt_snapshot_info *info, struct bt_error *error);

static void expect_parts(part_reader read, const struct hostile *hostile, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct bt_snapshot_info info = {0};
		struct bt_error error = {0};
		struct bt_arena arena = {0};
		struct bt_buf line = {0};
		long place = expand(&line, hostile[i].text);
		int r = read(&(struct bt_text){(char *)line.data, line.length}, 1000, &arena, &info, &error);

		expect(&hostile[i], r, &error, place);
		bt_arena_free(&arena);
		bt_buf_free(&line);
	}
}

static void test_hostile_headers(void **state)
{
	expect_parts(bt_header_read, hostile_headers, COUNT(hostile_headers));
}

/* The longest description is read, a longer one is not. */
static void test_a_description_has_a_limit(void **state)
{
	for (size_t over = 0; over < 2; over++) {
		struct bt_snapshot_info info = {0};
		struct bt_error error = {0};
		struct bt_arena arena = {0};
		struct bt_buf line = {0};

		expand(&line, TAKEN ",\"description\":\"");
		for (size_t i = 0; i < BT_DESCRIPTION_MAX + over; i++)
			put(&line, "d");
		put(&line, "\"");
		int r = bt_header_read(&(struct bt_text){(char *)line.data, line.length}, 0, &arena, &info, &error);
		assert_int_equal(r, over ? BT_E_DAMAGED : 0);
		assert_int_equal(error.reason, over ? BT_R_BAD_NAME : BT_R_NONE);
		bt_arena_free(&arena);
		bt_buf_free(&line);
	}
}

static void test_hostile_summaries(void **state)
{
	expect_parts(bt_summary_read, hostile_summaries, COUNT(hostile_summaries));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile_headers),
		cmocka_unit_test(test_a_description_has_a_limit),
		cmocka_unit_test(test_hostile_summaries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
