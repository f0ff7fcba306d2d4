/* SPDX-License-Identifier: MIT */
/* Damaged and hostile pages: each is refused with its own reason at its own place. */
#include "hostile_lines.h"
#include "model_samples.h"
#include "store/file.h"
#include <stdio.h>

/* An exact copy on the heap, so that the sanitizer sees a read beyond its end. */
static int parse(const void *text, size_t length, struct bt_page **ret_page, struct bt_error *error)
{
	char *copy = malloc(length + !length);
	size_t weight;
	int r;

	assert_non_null(copy);
	memcpy(copy, length ? text : "", length);
	r = bt_page_parse(copy, length, 1000, ret_page, &weight, error);
	free(copy);
	return r;
}

static void expect_pages(const struct hostile *hostile, size_t count, const char *open, const char *close)
{
	for (size_t i = 0; i < count; i++) {
		struct bt_error error = {0};
		struct bt_buf line = {0};
		struct bt_page *page;
		long place;
		int r;

		put(&line, open);
		place = expand(&line, hostile[i].text);
		put(&line, close);
		r = parse(line.data, line.length, &page, &error);
		expect(&hostile[i], r, &error, place);
		bt_buf_free(&line);
	}
}

#define FILE_OF(rest) "{\"name\":\"f\",\"type\":\"file\",%,\"size\":100,\"mtime\":[0,0]" rest "}"
#define DIR_OF(rest)  "{\"name\":\"d\",\"type\":\"dir\",%,\"mtime\":[0,0]" rest "}"
#define LINK_OF(rest) "{\"name\":\"l\",\"type\":\"symlink\",%,\"mtime\":[0,0]" rest "}"
#define CHAR_OF(rest) "{\"name\":\"c\",\"type\":\"chardev\",%,\"mtime\":[0,0]" rest "}"
#define FIFO_OF(rest) "{\"name\":\"p\",\"type\":\"fifo\",%,\"mtime\":[0,0]" rest "}"
#define NAMED_FIFO(n) "{" n ",\"type\":\"fifo\",%,\"mtime\":[0,0]}"
#define SHA	      ",\"sha256\":\"$\""
#define EMPTY	      ",\"tree\":\"d801aa1fb7ddcc330a5e3173372ea6af4a3d08ec58074478e85aa5603e926658\""
#define CHUNK(size)   "[\"$\"," size "]"

static const struct hostile hostile_entries[] = {
	/* names */
	{NAMED_FIFO("\"name\":~\"\""), BT_R_BAD_NAME},
	{NAMED_FIFO("\"name\":~\".\""), BT_R_BAD_NAME},
	{NAMED_FIFO("\"name\":~\"..\""), BT_R_BAD_NAME},
	{NAMED_FIFO("\"name\":~\"a/b\""), BT_R_BAD_NAME},
	{NAMED_FIFO("\"name\":~\"a\\u0000b\""), BT_R_BAD_NAME},
	{NAMED_FIFO("\"name\":~\"" NAME_255 "x\""), BT_R_BAD_NAME},
	{NAMED_FIFO("\"name_b64\":~\"/y8=\""), BT_R_BAD_NAME},
	{NAMED_FIFO("\"name_b64\":~\"YQ==\""), BT_R_NEEDLESS_BASE64},
	{NAMED_FIFO("\"name_b64\":\"/w~=\""), BT_R_BAD_BASE64},
	{NAMED_FIFO("\"name\":\"a~\xff\""), BT_R_BAD_UTF8},
	{NAMED_FIFO("\"name\":\"a~\\n\""), BT_R_BAD_ESCAPE},
	{NAMED_FIFO("\"name\":~5"), BT_R_WRONG_TYPE},
	{NAMED_FIFO("\"name\":\"a\",~\"name_b64\":\"/w==\""), BT_R_KEY_ORDER},
	{NAMED_FIFO("\"name\":\"a\",~\"name\":\"a\""), BT_R_DUPLICATE_KEY},
	{"{~\"type\":\"fifo\",%,\"mtime\":[0,0]}", BT_R_MISSING_KEY},
	{"{~\"type\":\"fifo\",\"name\":\"a\",%,\"mtime\":[0,0]}", BT_R_KEY_ORDER},
	{"{~\"x\":1}", BT_R_UNKNOWN_KEY},
	{"{~}", BT_R_MISSING_KEY},
	{"~[]", BT_R_WRONG_TYPE},
	{"~null", BT_R_WRONG_TYPE},
	/* order of entries */
	{NAMED_FIFO("\"name\":\"b\"") ",~" NAMED_FIFO("\"name\":\"a\""), BT_R_UNSORTED},
	{NAMED_FIFO("\"name\":\"ab\"") ",~" NAMED_FIFO("\"name\":\"a\""), BT_R_UNSORTED},
	{NAMED_FIFO("\"name_b64\":\"/w==\"") ",~" NAMED_FIFO("\"name\":\"a\""), BT_R_UNSORTED},
	{NAMED_FIFO("\"name\":\"a\"") ",~" NAMED_FIFO("\"name\":\"a\""), BT_R_DUPLICATE_NAME},
	{NAMED_FIFO("\"name\":\"a\"") ",~", BT_R_NOT_JSON},
	/* type, mode, owner, size, time */
	{"{\"name\":\"a\",\"type\":~\"door\",%,\"mtime\":[0,0]}", BT_R_BAD_TYPE},
	{"{\"name\":\"a\",\"type\":~3,%,\"mtime\":[0,0]}", BT_R_WRONG_TYPE},
	{"{\"name\":\"a\",\"type\":\"fifo\",\"mode\":~\"644\",\"uid\":0,\"gid\":0,\"mtime\":[0,0]}", BT_R_BAD_MODE},
	{"{\"name\":\"a\",\"type\":\"fifo\",\"mode\":~\"00644\",\"uid\":0,\"gid\":0,\"mtime\":[0,0]}", BT_R_BAD_MODE},
	{"{\"name\":\"a\",\"type\":\"fifo\",\"mode\":~\"0684\",\"uid\":0,\"gid\":0,\"mtime\":[0,0]}", BT_R_BAD_MODE},
	{"{\"name\":\"a\",\"type\":\"fifo\",\"mode\":~420,\"uid\":0,\"gid\":0,\"mtime\":[0,0]}", BT_R_WRONG_TYPE},
	{"{\"name\":\"a\",\"type\":\"fifo\",\"mode\":\"0644\",\"uid\":~4294967295,\"gid\":0,\"mtime\":[0,0]}",
	 BT_R_BAD_OWNER},
	{"{\"name\":\"a\",\"type\":\"fifo\",\"mode\":\"0644\",\"uid\":0,\"gid\":~4294967295,\"mtime\":[0,0]}",
	 BT_R_BAD_OWNER},
	{"{\"name\":\"a\",\"type\":\"fifo\",\"mode\":\"0644\",\"uid\":~-1,\"gid\":0,\"mtime\":[0,0]}", BT_R_BAD_NUMBER},
	{"{\"name\":\"a\",\"type\":\"fifo\",\"mode\":\"0644\",~\"gid\":0,\"mtime\":[0,0]}", BT_R_MISSING_KEY},
	{"{\"name\":\"a\",\"type\":\"fifo\",\"mode\":\"0644\",~\"gid\":0,\"uid\":0,\"mtime\":[0,0]}", BT_R_KEY_ORDER},
	{"{\"name\":\"a\",\"type\":\"fifo\",%,\"mtime\":[0,~1000000000]}", BT_R_BAD_TIME},
	{"{\"name\":\"a\",\"type\":\"fifo\",%,\"mtime\":[~9007199254740992,0]}", BT_R_BAD_NUMBER},
	{"{\"name\":\"a\",\"type\":\"fifo\",%,\"mtime\":~0}", BT_R_WRONG_TYPE},
	{"{\"name\":\"a\",\"type\":\"fifo\",%~}", BT_R_MISSING_KEY},
	{"{\"name\":\"a\",\"type\":\"fifo\",%,~\"size\":0,\"mtime\":[0,0]}", BT_R_BAD_TYPE},
	{"{\"name\":\"a\",\"type\":\"file\",%,~\"mtime\":[0,0]" SHA "}", BT_R_MISSING_KEY},
	{"{\"name\":\"a\",\"type\":\"file\",%,\"size\":~\"9223372036854775808\",\"mtime\":[0,0]" SHA "}",
	 BT_R_BAD_NUMBER},
	/* files */
	{FILE_OF("~"), BT_R_MISSING_KEY},
	{FILE_OF(",\"sha256\":\"~A\""), BT_R_BAD_DIGEST},
	{FILE_OF(",\"sha256\":~1"), BT_R_WRONG_TYPE},
	{FILE_OF(SHA ",~\"sha256\":\"$\""), BT_R_DUPLICATE_KEY},
	{FILE_OF(SHA ",~\"size\":100"), BT_R_DUPLICATE_KEY},
	{FILE_OF(SHA ",~\"tree\":\"$\""), BT_R_BAD_TYPE},
	{FILE_OF(SHA ",~\"target\":\"x\""), BT_R_BAD_TYPE},
	{FILE_OF(SHA ",~\"target_b64\":\"/w==\""), BT_R_BAD_TYPE},
	{FILE_OF(SHA ",~\"rdev\":[0,0]"), BT_R_BAD_TYPE},
	{"{\"name\":\"a\",\"type\":\"fifo\",%,~\"comment\":1,\"mtime\":[0,0]}", BT_R_UNKNOWN_KEY},
	/* birth times */
	{FILE_OF(",\"btime\":[-1,999999999]~"), BT_R_MISSING_KEY},
	{FILE_OF(",\"btime\":[0,~1000000000]" SHA), BT_R_BAD_TIME},
	{FILE_OF(",\"btime\":[~9007199254740992,0]" SHA), BT_R_BAD_NUMBER},
	{FILE_OF(",\"btime\":~0" SHA), BT_R_WRONG_TYPE},
	{FILE_OF(",\"btime\":~null" SHA), BT_R_WRONG_TYPE},
	{FILE_OF(",\"btime\":[0,0],~\"btime\":[0,0]" SHA), BT_R_DUPLICATE_KEY},
	{FILE_OF(SHA ",~\"btime\":[0,0]"), BT_R_KEY_ORDER},
	/* members of a newer program */
	{FILE_OF(SHA ",\"comment\":1,~\"stat\":\"AAAAAAAAAAA=\""), BT_R_KEY_ORDER},
	{FILE_OF(SHA ",\"comment\":1,~\"target_b64\":\"/w==\""), BT_R_KEY_ORDER},
	{FILE_OF(SHA ",\"comment\":1,~\"sha256\":\"$\""), BT_R_DUPLICATE_KEY},
	{FILE_OF(SHA ",\"comment\":1,\"b\":2,~\"comment\":1"), BT_R_DUPLICATE_KEY},
	{FILE_OF(SHA ",~\"Comment\":1"), BT_R_BAD_NAME},
	{FILE_OF(SHA ",~\"\":1"), BT_R_BAD_NAME},
	{FILE_OF(SHA ",~\"a b\":1"), BT_R_BAD_NAME},
	{FILE_OF(SHA ",~\"a\\u0000\":1"), BT_R_BAD_NAME},
	{FILE_OF(SHA ",~\"" NAME_50 "123456789012345\":1"), BT_R_BAD_NAME},
	{FILE_OF(SHA ",\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1,\"k\":1,"
		     "\"l\":1,\"m\":1,\"n\":1,\"o\":1,\"p\":1,~\"q\":1"),
	 BT_R_TOO_LARGE},
	{FILE_OF(SHA ",\"a\":{\"b\":1,~\"b\":2}"), BT_R_DUPLICATE_KEY},
	{FILE_OF(SHA ",\"a\":{~\"B\":1}"), BT_R_BAD_NAME},
	{FILE_OF(SHA ",\"a\":{~1}"), BT_R_NOT_JSON},
	{FILE_OF(SHA ",\"a\":{\"b\":1,~}"), BT_R_NOT_JSON},
	{FILE_OF(SHA ",\"a\":{\"b\"~ :1}"), BT_R_NOT_JSON},
	{FILE_OF(SHA ",\"a\":[1,~]"), BT_R_NOT_JSON},
	{FILE_OF(SHA ",\"a\":[1~ ,2]"), BT_R_NOT_JSON},
	{FILE_OF(SHA ",\"a\":[1~}"), BT_R_NOT_JSON},
	{FILE_OF(SHA ",\"a\":~01"), BT_R_BAD_NUMBER},
	{FILE_OF(SHA ",\"a\":~1.5"), BT_R_BAD_NUMBER},
	{FILE_OF(SHA ",\"a\":~-0"), BT_R_BAD_NUMBER},
	{FILE_OF(SHA ",\"a\":~9007199254740992"), BT_R_BAD_NUMBER},
	{FILE_OF(SHA ",\"a\":~nul"), BT_R_NOT_JSON},
	{FILE_OF(SHA ",\"a\":\"~\\n\""), BT_R_BAD_ESCAPE},
	{FILE_OF(SHA ",\"a\":\"~\xff\""), BT_R_BAD_UTF8},
	{FILE_OF(SHA ",\"comment\":[[[[[[[[[[[[[~[[[]]]]]]]]]]]]]]]]"), BT_R_TOO_DEEP},
	{FILE_OF(SHA ",\"chunks\":[" CHUNK("99") "]~"), BT_R_BAD_SIZE},
	{FILE_OF(SHA ",\"chunks\":[" CHUNK("99") "," CHUNK("2") "]~"), BT_R_BAD_SIZE},
	{FILE_OF(SHA ",\"chunks\":[" CHUNK("100") "," CHUNK("~0") "]"), BT_R_BAD_SIZE},
	{FILE_OF(SHA ",\"chunks\":[" CHUNK("9007199254740991") "," CHUNK("~\"18446744073709551615\"") "]"),
	 BT_R_BAD_SIZE},
	{FILE_OF(SHA ",\"chunks\":[" CHUNK("1") "," CHUNK("~\"9223372036854775807\"") "]"), BT_R_BAD_SIZE},
	{FILE_OF(SHA ",\"chunks\":[]~"), BT_R_BAD_SIZE},
	{FILE_OF(SHA ",\"chunks\":[[~1,\"$\"]]"), BT_R_WRONG_TYPE},
	{FILE_OF(SHA ",\"chunks\":[[\"$\",100~,1]]"), BT_R_NOT_JSON},
	{FILE_OF(SHA ",\"chunks\":~{}"), BT_R_WRONG_TYPE},
	{FILE_OF(SHA ",\"chunk_pages\":~[]"), BT_R_BAD_SIZE},
	{FILE_OF(SHA ",\"chunk_pages\":[" CHUNK("101") "]~"), BT_R_BAD_SIZE},
	{FILE_OF(SHA ",\"chunks\":[" CHUNK("100") "],\"chunk_pages\":[" CHUNK("100") "]~"), BT_R_BAD_TYPE},
	{FILE_OF(SHA ",\"chunk_pages\":[" CHUNK("100") "],~\"chunks\":[" CHUNK("100") "]"), BT_R_KEY_ORDER},
	{FILE_OF(SHA ",\"chunks\":[" CHUNK("100") "],\"holes\":[~]"), BT_R_BAD_HOLE},
	{FILE_OF(SHA ",\"chunks\":[" CHUNK("100") "],\"holes\":[[0,1]]~"), BT_R_BAD_SIZE},
	{FILE_OF(SHA ",\"chunks\":[" CHUNK("90") "],\"holes\":[~[91,10]]"), BT_R_BAD_HOLE},
	{FILE_OF(SHA ",\"chunks\":[" CHUNK("90") "],\"holes\":[~[100,1]]"), BT_R_BAD_HOLE},
	{FILE_OF(SHA ",\"chunks\":[" CHUNK("90") "],\"holes\":[~[0,0]]"), BT_R_BAD_HOLE},
	{FILE_OF(SHA ",\"chunks\":[" CHUNK("90") "],\"holes\":[~[1,\"18446744073709551615\"]]"), BT_R_BAD_HOLE},
	{FILE_OF(SHA ",\"chunks\":[" CHUNK("90") "],\"holes\":[[0,5],~[5,5]]"), BT_R_BAD_HOLE},
	{FILE_OF(SHA ",\"chunks\":[" CHUNK("90") "],\"holes\":[[0,5],~[4,5]]"), BT_R_BAD_HOLE},
	{FILE_OF(SHA ",\"chunks\":[" CHUNK("90") "],\"holes\":[[50,5],~[40,5]]"), BT_R_UNSORTED},
	{FILE_OF(SHA ",\"holes\":[[0,10]]~"), BT_R_BAD_HOLE},
	{FILE_OF(",\"chunks\":[" CHUNK("90") "],\"holes\":[[0,10]]~"), BT_R_MISSING_KEY},
	{FILE_OF(SHA ",\"torn\":~false"), BT_R_BAD_TYPE},
	{FILE_OF(SHA ",\"torn\":~1"), BT_R_WRONG_TYPE},
	{FILE_OF(SHA ",\"error\":\"EIO\"~"), BT_R_BAD_TYPE},
	{FILE_OF(",\"error\":\"EIO\",\"torn\":true~"), BT_R_BAD_TYPE},
	{FILE_OF(",\"chunks\":[],\"error\":\"EIO\"~"), BT_R_BAD_TYPE},
	{FILE_OF(",\"error\":~\"eio\""), BT_R_BAD_NAME},
	{FILE_OF(",\"error\":~\"\""), BT_R_BAD_NAME},
	{FILE_OF(",\"error\":~5"), BT_R_WRONG_TYPE},
	{FILE_OF(SHA ",\"inode\":5~"), BT_R_MISSING_KEY},
	{FILE_OF(SHA ",\"links\":5~"), BT_R_MISSING_KEY},
	{FILE_OF(SHA ",\"dev\":5~"), BT_R_MISSING_KEY},
	{FILE_OF(SHA ",\"inode\":5,\"links\":~1"), BT_R_BAD_NUMBER},
	{FILE_OF(SHA ",\"inode\":5,\"links\":2,\"dev\":~0"), BT_R_BAD_NUMBER},
	{FILE_OF(SHA ",\"links\":2,~\"inode\":5"), BT_R_KEY_ORDER},
	{FILE_OF(SHA ",\"flags\":~\"\""), BT_R_BAD_MODE},
	{FILE_OF(SHA ",\"flags\":~\"ai\""), BT_R_BAD_MODE},
	{FILE_OF(SHA ",\"flags\":~\"ii\""), BT_R_BAD_MODE},
	{FILE_OF(SHA ",\"flags\":~\"ie\""), BT_R_BAD_MODE},
	{FILE_OF(SHA ",\"flags\":~16"), BT_R_WRONG_TYPE},
	{FILE_OF(SHA ",\"project\":~0"), BT_R_BAD_NUMBER},
	{FILE_OF(SHA ",\"project\":~4294967296"), BT_R_BAD_NUMBER},
	{FILE_OF(SHA ",\"project\":~true"), BT_R_WRONG_TYPE},
	{FILE_OF(SHA ",\"project\":5,~\"flags\":\"i\""), BT_R_KEY_ORDER},
	{FILE_OF(SHA ",~\"boundary\":\"tmpfs\""), BT_R_BAD_TYPE},
	{FILE_OF(SHA ",\"stat\":~\"AAAA\""), BT_R_BAD_SIZE},
	{FILE_OF(SHA ",\"stat\":\"AAAAAAAAAA~B=\""), BT_R_BAD_BASE64},
	{FILE_OF(SHA ",\"stat\":\"AAAAAAAAAAA=\",~\"torn\":true"), BT_R_KEY_ORDER},
	/* directories */
	{DIR_OF("~"), BT_R_MISSING_KEY},
	{DIR_OF(",~\"sha256\":\"$\""), BT_R_BAD_TYPE},
	{DIR_OF(",\"tree\":\"$\",~\"inode\":5,\"links\":2"), BT_R_BAD_TYPE},
	{DIR_OF(",\"tree\":\"$\",\"error\":\"EIO\"~"), BT_R_BAD_TYPE},
	{DIR_OF(EMPTY ",\"boundary\":~\"\""), BT_R_BAD_NAME},
	{DIR_OF(EMPTY ",\"boundary\":~\"a b\""), BT_R_BAD_NAME},
	{DIR_OF(EMPTY ",\"boundary\":~\"caf\xc3\xa9\""), BT_R_BAD_NAME},
	{DIR_OF(EMPTY ",\"boundary\":~\"" NAME_50 "123456789012345\""), BT_R_BAD_NAME},
	{DIR_OF(EMPTY ",\"boundary\":~true"), BT_R_WRONG_TYPE},
	{DIR_OF(",\"tree\":\"$\",\"boundary\":\"tmpfs\"~"), BT_R_BAD_TYPE},
	{DIR_OF(",\"boundary\":\"tmpfs\"~"), BT_R_MISSING_KEY},
	{DIR_OF(",\"boundary\":\"tmpfs\",\"error\":\"EIO\"~"), BT_R_BAD_TYPE},
	{DIR_OF(",\"error\":\"EIO\",~\"torn\":true"), BT_R_BAD_TYPE},
	/* links */
	{LINK_OF("~"), BT_R_MISSING_KEY},
	{LINK_OF(",\"target\":~\"\""), BT_R_BAD_TARGET},
	{LINK_OF(",\"target\":~\"a\\u0000\""), BT_R_BAD_TARGET},
	{LINK_OF(",\"target_b64\":~\"/wA=\""), BT_R_BAD_TARGET},
	{LINK_OF(",\"target_b64\":~\"YQ==\""), BT_R_NEEDLESS_BASE64},
	{LINK_OF(",\"target\":\"a\",~\"target_b64\":\"/w==\""), BT_R_KEY_ORDER},
	{LINK_OF(",\"targets\":\"a\"~"), BT_R_MISSING_KEY},
	{LINK_OF(",\"target\":\"a\",\"error\":\"EIO\"~"), BT_R_BAD_TYPE},
	/* devices and the rest */
	{CHAR_OF("~"), BT_R_MISSING_KEY},
	{CHAR_OF(",\"rdev\":[~4294967296,0]"), BT_R_BAD_TARGET},
	{CHAR_OF(",\"rdev\":[0,~4294967296]"), BT_R_BAD_TARGET},
	{CHAR_OF(",\"rdev\":[0~]"), BT_R_NOT_JSON},
	{CHAR_OF(",\"rdev\":[0,0],~\"error\":\"EIO\""), BT_R_BAD_TYPE},
	{FIFO_OF(",~\"rdev\":[0,0]"), BT_R_BAD_TYPE},
	{FIFO_OF(",~\"flags\":\"i\""), BT_R_BAD_TYPE},
	{FIFO_OF(",~\"project\":1"), BT_R_BAD_TYPE},
	{FIFO_OF(",~\"error\":\"EIO\""), BT_R_BAD_TYPE},
	{FIFO_OF(",\"xattrs\":[~]"), BT_R_BAD_XATTR},
	{FIFO_OF(",\"xattrs\":[[~\"\",\"\"]]"), BT_R_BAD_XATTR},
	{FIFO_OF(",\"xattrs\":[[~\"a\\u0000\",\"\"]]"), BT_R_BAD_XATTR},
	{FIFO_OF(",\"xattrs\":[[~\"" NAME_255 "x\",\"\"]]"), BT_R_BAD_XATTR},
	{FIFO_OF(",\"xattrs\":[[null,\"\",~\"/wA=\"]]"), BT_R_BAD_XATTR},
	{FIFO_OF(",\"xattrs\":[[null,\"\",~\"YQ==\"]]"), BT_R_NEEDLESS_BASE64},
	{FIFO_OF(",\"xattrs\":[[null,\"\"~]]"), BT_R_NOT_JSON},
	{FIFO_OF(",\"xattrs\":[[\"a\",\"\"~,\"/w==\"]]"), BT_R_NOT_JSON},
	{FIFO_OF(",\"xattrs\":[[\"a\",\"~=\"]]"), BT_R_BAD_BASE64},
	{FIFO_OF(",\"xattrs\":[[\"b\",\"\"],~[\"a\",\"\"]]"), BT_R_UNSORTED},
	{FIFO_OF(",\"xattrs\":[[\"b\",\"\"],~[\"b\",\"AA==\"]]"), BT_R_DUPLICATE_NAME},
	{FIFO_OF(",\"xattrs\":~{}"), BT_R_WRONG_TYPE},
};

static const struct hostile hostile_pages[] = {
	{"~", BT_R_TRUNCATED},
	{"~[]", BT_R_WRONG_TYPE},
	{"~\xef\xbb\xbf{\"entries\":[]}", BT_R_BYTE_ORDER_MARK},
	{"~ {\"entries\":[]}", BT_R_NOT_JSON},
	{"{~}", BT_R_MISSING_KEY},
	{"{~\"entry\":[]}", BT_R_UNKNOWN_KEY},
	{"{\"entries\":~{}}", BT_R_WRONG_TYPE},
	{"{\"entries\":[]~", BT_R_TRUNCATED},
	{"{\"entries\":[~", BT_R_TRUNCATED},
	{"{\"entries\":[],~\"pages\":[]}", BT_R_KEY_ORDER},
	{"{\"entries\":[],~\"entries\":[]}", BT_R_DUPLICATE_KEY},
	{"{\"entries\":[]}~\n", BT_R_TRAILING_BYTES},
	{"{\"entries\":[]}~,", BT_R_TRAILING_BYTES},
	{"{\"pages\":[~]}", BT_R_BAD_SIZE},
	{"{\"chunks\":~[]}", BT_R_BAD_SIZE},
	{"{\"chunks\":[" CHUNK("1") ",~5]}", BT_R_WRONG_TYPE},
	{"{\"chunks\":[" CHUNK("~0") "]}", BT_R_BAD_SIZE},
	{"{\"chunks\":[" CHUNK("\"9223372036854775807\"") "," CHUNK("~1") "]}", BT_R_BAD_SIZE},
};

#define LEAF(name, count) "{\"name\":\"" name "\",\"entries\":" count ",\"tree\":\"$\"}"

static const struct hostile hostile_leaves[] = {
	{LEAF("a", "1") "~", BT_R_BAD_SIZE},
	{LEAF("b", "1") ",~" LEAF("a", "1"), BT_R_UNSORTED},
	{LEAF("a", "1") ",~" LEAF("a", "1"), BT_R_DUPLICATE_NAME},
	{LEAF("a", "~0") "," LEAF("b", "1"), BT_R_BAD_NUMBER},
	{LEAF("a", "~4294967296") "," LEAF("b", "1"), BT_R_BAD_NUMBER},
	{"{\"name\":~\"..\",\"entries\":1,\"tree\":\"$\"}," LEAF("b", "1"), BT_R_BAD_NAME},
	{"{\"name\":\"a\",~\"tree\":\"$\"}," LEAF("b", "1"), BT_R_MISSING_KEY},
	{"{\"name\":\"a\",~\"tree\":\"$\",\"entries\":1}," LEAF("b", "1"), BT_R_KEY_ORDER},
	{"{\"name\":\"a\",\"entries\":1,~\"more\":1,\"tree\":\"$\"}," LEAF("b", "1"), BT_R_UNKNOWN_KEY},
	{"{\"name\":\"a\",\"entries\":1,\"tree\":\"$\",~\"More\":1}," LEAF("b", "1"), BT_R_BAD_NAME},
	{"{\"name\":\"a\",\"entries\":1,\"tree\":\"$\",\"more\":1,~\"entries\":1}," LEAF("b", "1"), BT_R_DUPLICATE_KEY},
	{"{\"name\":\"a\",\"entries\":1,\"tree\":\"$\",~\"tree\":\"$\"}," LEAF("b", "1"), BT_R_DUPLICATE_KEY},
	{"{~\"pages\":[" LEAF("a", "1") "," LEAF("b", "1") "]}," LEAF("c", "1"), BT_R_UNKNOWN_KEY},
	{"{\"name\":\"a\",\"entries\":1,\"tree\":\"~\"}," LEAF("b", "1"), BT_R_BAD_DIGEST},
};

static void test_hostile_entries(void **state)
{
	expect_pages(hostile_entries, COUNT(hostile_entries), "{\"entries\":[", "]}");
}

static void test_hostile_pages(void **state)
{
	expect_pages(hostile_pages, COUNT(hostile_pages), "", "");
}

static void test_hostile_leaves(void **state)
{
	expect_pages(hostile_leaves, COUNT(hostile_leaves), "{\"pages\":[", "]}");
}

/* Lists of one element more than may be. */
static void expect_too_large(const char *open, size_t count, const char *close)
{
	struct bt_error error = {0};
	struct bt_buf line = {0};
	struct bt_page *page;
	long place;

	expand(&line, open);
	for (size_t i = 0; i < count; i++)
		expand(&line, i ? "," CHUNK("1") : CHUNK("1"));
	put(&line, ",");
	place = (long)line.length;
	expand(&line, CHUNK("1"));
	expand(&line, close);
	assert_int_equal(parse(line.data, line.length, &page, &error), BT_E_DAMAGED);
	assert_int_equal(error.reason, BT_R_TOO_LARGE);
	assert_int_equal(error.offset, 1000 + place);
	bt_buf_free(&line);
}

static void put_holes(struct bt_buf *line, unsigned begin, unsigned end)
{
	for (unsigned i = begin; i < end; i++) {
		char hole[32];

		snprintf(hole, sizeof(hole), i ? ",[%u,1]" : "[%u,1]", i * 2);
		put(line, hole);
	}
}

/* As many holes as may be, and one more: each is a byte, and so is what lies between. */
static void expect_too_many_holes(void)
{
	static const char open[] =
		"{\"entries\":[{\"name\":\"f\",\"type\":\"file\",%,\"size\":131073,\"mtime\":[0,0]" SHA ",\"chunks\":[";
	struct bt_error error = {0};
	struct bt_buf line = {0};
	struct bt_page *page;

	expand(&line, open);
	expand(&line, CHUNK("65537") "],\"holes\":[");
	put_holes(&line, 0, BT_HOLES_MAX);
	expand(&line, "]}]}");
	assert_int_equal(parse(line.data, line.length, &page, &error), 0);
	assert_int_equal(page->entries[0].extra->hole_count, BT_HOLES_MAX);
	assert_int_equal(page->entries[0].extra->hole_sums[0], 1);
	assert_int_equal(page->entries[0].extra->hole_sums[BT_HOLES_MAX - 1], BT_HOLES_MAX);
	bt_page_free(page);
	line.length = 0;
	expand(&line, open);
	expand(&line, CHUNK("65536") "],\"holes\":[");
	put_holes(&line, 0, BT_HOLES_MAX + 1);
	expand(&line, "]}]}");
	assert_int_equal(parse(line.data, line.length, &page, &error), BT_E_DAMAGED);
	assert_int_equal(error.reason, BT_R_TOO_LARGE);
	bt_buf_free(&line);
}

static void test_lists_have_limits(void **state)
{
	struct bt_error error = {0};
	struct bt_page *page;
	char *large = malloc(BT_PAGE_MAX + 1);

	expect_too_large("{\"chunks\":[", 4096, "]}");
	expect_too_large("{\"entries\":[{\"name\":\"f\",\"type\":\"file\",%,\"size\":65,\"mtime\":[0,0]" SHA
			 ",\"chunks\":[",
			 64, "]}]}");
	expect_too_many_holes();
	assert_non_null(large);
	memset(large, '[', BT_PAGE_MAX + 1);
	assert_int_equal(parse(large, BT_PAGE_MAX + 1, &page, &error), BT_E_DAMAGED);
	assert_int_equal(error.reason, BT_R_TOO_LARGE);
	free(large);
}

/* The longest link target and the longest errno name are read, longer ones are not. */
static void expect_limit(const char *open, char letter, size_t most, const char *close, enum bt_reason reason)
{
	for (size_t over = 0; over < 2; over++) {
		struct bt_error error = {0};
		struct bt_buf line = {0};
		struct bt_page *page;
		int r;

		expand(&line, open);
		for (size_t i = 0; i < most + over; i++)
			assert_int_equal(bt_buf_append(&line, &letter, 1), 0);
		expand(&line, close);
		r = parse(line.data, line.length, &page, &error);
		assert_int_equal(r, over ? BT_E_DAMAGED : 0);
		assert_int_equal(error.reason, over ? reason : BT_R_NONE);
		if (!r)
			bt_page_free(page);
		bt_buf_free(&line);
	}
}

static void test_texts_have_limits(void **state)
{
	expect_limit("{\"entries\":[{\"name\":\"l\",\"type\":\"symlink\",%,\"mtime\":[0,0],\"target\":\"", 't', 4095,
		     "\"}]}", BT_R_BAD_TARGET);
	expect_limit("{\"entries\":[{\"name\":\"d\",\"type\":\"dir\",%,\"mtime\":[0,0],\"error\":\"", 'E', 32, "\"}]}",
		     BT_R_BAD_NAME);
	expect_limit("{\"entries\":[{\"name\":\"", 'n', 255, "\",\"type\":\"fifo\",%,\"mtime\":[0,0]}]}",
		     BT_R_BAD_NAME);
}

/* Either refused, or a page that is spelled exactly so. Tells which. */
static bool accepted(const unsigned char *text, size_t length)
{
	struct bt_error error = {0};
	struct bt_buf again = {0};
	struct bt_page *page;
	int r = parse(text, length, &page, &error);

	if (r) {
		assert_int_equal(r, BT_E_DAMAGED);
		assert_in_range(error.reason, BT_R_NONE + 1, BT_REASONS - 1);
		assert_in_range(error.offset, 1000, 1000 + length);
		return false;
	}
	assert_int_equal(page_write(&again, page), 0);
	assert_int_equal(again.length, length);
	assert_memory_equal(again.data, text, length);
	bt_buf_free(&again);
	bt_page_free(page);
	return true;
}

static void other_pages(struct bt_buf pages[2])
{
	expand(&pages[0], "{\"pages\":[" LEAF("a", "255") ",{\"name_b64\":\"/w==\",\"entries\":1,\"tree\":\"$\"}]}");
	expand(&pages[1], "{\"chunks\":[" CHUNK("1048576") "," CHUNK("\"9007199254740993\"") "]}");
}

static void test_damage_is_refused_or_spelled_the_same(void **state)
{
	struct bt_buf pages[4] = {{0}};

	other_pages(pages);
	assert_int_equal(sample_page(&pages[2]), 0);
	assert_int_equal(bt_owner_names_write(&pages[3], &sample_names), 0);
	for (size_t i = 0; i < 4; i++) {
		struct bt_buf *page = &pages[i];
		size_t survived = 0;

		assert_true(accepted(page->data, page->length));
		for (size_t length = 0; length < page->length; length++)
			assert_false(accepted(page->data, length));
		for (size_t bit = 0; bit < page->length * 8; bit++) {
			page->data[bit / 8] ^= (unsigned char)(1 << bit % 8);
			survived += accepted(page->data, page->length);
			page->data[bit / 8] ^= (unsigned char)(1 << bit % 8);
		}
		assert_true(survived > 0); /* digits and letters may turn into others */
		bt_buf_free(page);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile_entries),	  cmocka_unit_test(test_hostile_pages),
		cmocka_unit_test(test_hostile_leaves),	  cmocka_unit_test(test_lists_have_limits),
		cmocka_unit_test(test_texts_have_limits), cmocka_unit_test(test_damage_is_refused_or_spelled_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
