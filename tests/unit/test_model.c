/* SPDX-License-Identifier: MIT */
/* What the writer writes, the parser reads back equal, and any JSON parser with the same meaning. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include "base/bytes.h"
#include "model/document.h"
#include "model/timestamp.h"
#include "model_samples.h"

#include <cjson/cJSON.h>

static void assert_digest(const struct bt_digest *a, const struct bt_digest *b)
{
	assert_memory_equal(a->bytes, b->bytes, sizeof(a->bytes));
}

static void assert_chunks(const struct bt_chunk *a, uint32_t a_count, const struct bt_chunk *b, uint32_t b_count)
{
	assert_int_equal(a_count, b_count);
	for (uint32_t i = 0; i < a_count; i++) {
		assert_digest(&a[i].digest, &b[i].digest);
		assert_true(a[i].size == b[i].size);
	}
}

static void assert_xattrs(const struct bt_extra *a, const struct bt_extra *b)
{
	assert_int_equal(a->xattr_count, b->xattr_count);
	for (uint32_t i = 0; i < a->xattr_count; i++) {
		const struct bt_xattr *x = &a->xattrs[i], *y = &b->xattrs[i];

		assert_int_equal(x->name_length, y->name_length);
		assert_memory_equal(x->name, y->name, x->name_length + 1);
		assert_int_equal(x->value_length, y->value_length);
		assert_memory_equal(x->value, y->value, x->value_length);
	}
}

static void assert_extra(const struct bt_extra *a, const struct bt_extra *b)
{
	assert_int_equal(a->has_chunks, b->has_chunks);
	assert_chunks(a->chunks, a->chunk_count, b->chunks, b->chunk_count);
	assert_chunks(a->chunk_pages, a->chunk_page_count, b->chunk_pages, b->chunk_page_count);
	assert_int_equal(a->hole_count, b->hole_count);
	for (uint32_t i = 0; i < a->hole_count; i++)
		assert_true(a->holes[i].offset == b->holes[i].offset && a->holes[i].length == b->holes[i].length);
	assert_xattrs(a, b);
	assert_int_equal(a->torn, b->torn);
	assert_int_equal(!a->error, !b->error);
	if (a->error)
		assert_string_equal(a->error, b->error);
	assert_int_equal(!a->boundary, !b->boundary);
	if (a->boundary)
		assert_string_equal(a->boundary, b->boundary);
	assert_true(a->flags == b->flags && a->project == b->project);
	assert_int_equal(a->target_length, b->target_length);
	if (a->target)
		assert_memory_equal(a->target, b->target, a->target_length + 1);
	assert_true(a->dev_major == b->dev_major && a->dev_minor == b->dev_minor);
	assert_string_equal(a->further ? a->further : "", b->further ? b->further : "");
	assert_true(a->inode == b->inode && a->links == b->links && a->dev == b->dev);
}

static void assert_entry(const struct bt_entry *a, const struct bt_entry *b)
{
	assert_int_equal(a->name_length, b->name_length);
	assert_memory_equal(a->name, b->name, a->name_length + 1u);
	assert_int_equal(a->has_digest, b->has_digest);
	if (a->has_digest)
		assert_digest(&a->digest, &b->digest);
	assert_true(a->size == b->size);
	assert_true(a->mtime.seconds == b->mtime.seconds && a->mtime.nanoseconds == b->mtime.nanoseconds);
	assert_true(a->uid == b->uid && a->gid == b->gid && a->mode == b->mode && a->type == b->type);
	assert_int_equal(a->has_stat, b->has_stat);
	assert_true(a->stat == b->stat);
	assert_int_equal(!a->extra, !b->extra);
	if (a->extra)
		assert_extra(a->extra, b->extra);
}

static void test_every_entry_comes_back(void **state)
{
	struct bt_buf line = {0};
	struct bt_error error = {0};
	struct bt_page *page;
	size_t weight;

	assert_int_equal(sample_page(&line), 0);
	if (bt_page_parse((char *)line.data, line.length, 0, &page, &weight, &error))
		fail_msg("%s at %.60s", bt_reason_name(error.reason), (char *)line.data + error.offset);
	memset(line.data, '#', line.length); /* the page has its own copy */
	assert_int_equal(page->kind, BT_PAGE_ENTRIES);
	assert_int_equal(page->count, SAMPLES);
	assert_true(weight > SAMPLES * sizeof(struct bt_entry));
	for (size_t i = 0; i < SAMPLES; i++)
		assert_entry(&sample_entries[i], &page->entries[i]);
	bt_page_free(page);
	bt_buf_free(&line);
}

static void expect_names(const struct bt_owner_names *names)
{
	struct bt_buf line = {0};
	struct bt_error error = {0};
	struct bt_page *page;
	size_t weight;

	assert_int_equal(bt_owner_names_write(&line, names), 0);
	if (bt_page_parse((char *)line.data, line.length, 0, &page, &weight, &error))
		fail_msg("%s at %.60s", bt_reason_name(error.reason), (char *)line.data + error.offset);
	memset(line.data, '#', line.length);
	assert_int_equal(page->kind, BT_PAGE_NAMES);
	for (int kind = 0; kind < BT_OWNER_KINDS; kind++) {
		assert_int_equal(page->names->counts[kind], names->counts[kind]);
		for (size_t i = 0; i < names->counts[kind]; i++) {
			assert_int_equal(page->names->lists[kind][i].id, names->lists[kind][i].id);
			assert_string_equal(page->names->lists[kind][i].name, names->lists[kind][i].name);
		}
	}
	bt_page_free(page);
	bt_buf_free(&line);
}

static void test_names_of_owners(void **state)
{
	static const char expected[] = "{\"users\":[[0,\"root\"],[33,\"www-data\"]],\"groups\":[]}";
	const struct bt_owner_names two = {{sample_users, NULL}, {2, 0}};
	struct bt_buf line = {0};

	assert_int_equal(bt_owner_names_write(&line, &two), 0);
	assert_int_equal(line.length, sizeof(expected) - 1);
	assert_memory_equal(line.data, expected, line.length);
	bt_buf_free(&line);
	expect_names(&two);
	expect_names(&sample_names);
	expect_names(&sample_only_groups);
	assert_true(bt_owner_name_valid(NAME_255, 255));
	assert_false(bt_owner_name_valid(NAME_255 "x", 256));
	assert_false(bt_owner_name_valid("", 0));
	assert_false(bt_owner_name_valid("a\n", 2));
	assert_false(bt_owner_name_valid("a\x7f", 2));
	assert_false(bt_owner_name_valid("\xff", 1));
}

static void expect_acl(const struct bt_xattr *xattr, size_t length)
{
	assert_int_equal(bt_acl_length(xattr), length);
}

/* Two named users and a group between the entries without numbers; what is no such list has no entries. */
static void test_numbers_in_an_acl(void **state)
{
	unsigned char value[] = "\2\0\0\0\1\0\6\0\377\377\377\377\2\0\4\0\1\2\3\4\4\0\4\0\377\377\377\377"
				"\10\0\4\0\144\0\0\0\20\0\4\0\377\377\377\377 \0\4\0\377\377\377\377";
	struct bt_xattr xattr = {"system.posix_acl_access", value, 23, sizeof(value) - 1};
	enum bt_owner_kind kind;
	uint32_t id;

	expect_acl(&xattr, 6);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(bt_acl_owner(&xattr, i, &kind, &id), i == 1 || i == 3);
	assert_true(bt_acl_owner(&xattr, 1, &kind, &id) && kind == BT_OWNER_USER && id == 0x04030201);
	assert_true(bt_acl_owner(&xattr, 3, &kind, &id) && kind == BT_OWNER_GROUP && id == 100);
	bt_acl_set_owner(value, 3, 0xfffefdfc);
	assert_true(bt_acl_owner(&xattr, 3, &kind, &id) && kind == BT_OWNER_GROUP && id == 0xfffefdfc);
	assert_true(bt_acl_owner(&xattr, 1, &kind, &id) && id == 0x04030201);
	expect_acl(&(struct bt_xattr){"system.posix_acl_default", value, 24, 12}, 1);
	expect_acl(&(struct bt_xattr){"system.posix_acl_default", value, 24, 11}, 0);
	expect_acl(&(struct bt_xattr){"system.posix_acl_default", value, 24, 3}, 0);
	expect_acl(&(struct bt_xattr){"system.posix_acl_defaul", value, 23, sizeof(value) - 1}, 0);
	value[0] = 3;
	expect_acl(&xattr, 0);
}

static void test_an_entry_is_spelled_as_in_the_format(void **state)
{
	static const char expected[] =
		"{\"name\":\"a.txt\",\"type\":\"file\",\"mode\":\"0644\",\"uid\":1000,\"gid\":1000,\"size\":6,"
		"\"mtime\":[1732271400,123456789],"
		"\"sha256\":\"0123456789abcdef000000000000000000000000000000000000000000000000\","
		"\"stat\":\"782riWdFIwE=\"}";
	struct bt_entry entry = sample_entries[1];
	struct bt_buf out = {0};

	entry.name = "a.txt";
	entry.name_length = 5;
	assert_int_equal(bt_entry_write(&out, &entry), 0);
	assert_int_equal(out.length, sizeof(expected) - 1);
	assert_memory_equal(out.data, expected, out.length);
	bt_buf_free(&out);
}

static double number(const cJSON *object, const char *key)
{
	return cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

static void test_cjson_reads_the_same(void **state)
{
	const cJSON *entries, *entry;
	struct bt_buf line = {0};
	size_t i = 0;
	cJSON *page;

	assert_int_equal(sample_page(&line), 0);
	page = cJSON_ParseWithLength((char *)line.data, line.length);
	assert_non_null(page);
	entries = cJSON_GetObjectItemCaseSensitive(page, "entries");
	cJSON_ArrayForEach(entry, entries)
	{
		const struct bt_entry *sample = &sample_entries[i++];
		const cJSON *name = cJSON_GetObjectItemCaseSensitive(entry, "name");
		const cJSON *mtime = cJSON_GetObjectItemCaseSensitive(entry, "mtime");

		assert_int_equal(!!name, bt_utf8_valid(sample->name, sample->name_length));
		if (name)
			assert_string_equal(cJSON_GetStringValue(name), sample->name);
		assert_true(number(entry, "uid") == sample->uid && number(entry, "gid") == sample->gid);
		assert_true(cJSON_GetNumberValue(cJSON_GetArrayItem(mtime, 0)) == (double)sample->mtime.seconds);
		assert_true(cJSON_GetNumberValue(cJSON_GetArrayItem(mtime, 1)) == sample->mtime.nanoseconds);
	}
	assert_int_equal(i, SAMPLES);
	cJSON_Delete(page);
	bt_buf_free(&line);
}

static const char *const sample_tags[] = {"", "a", "a b", "z\xc3\xa9"};

static const char *const sample_rules[] = {"*.tmp", "!/a\n\xff", "", "*.tmp"};
static const char *const sample_options[] = {"exclude-if-present:\xfe", "one-file-system"};

static const struct bt_snapshot_info sample_info = {
	.time = {1732271400, 123456789},
	.host = "h\n\"",
	.target = "/home/\xc3\xa9",
	.parent = "snapshot_2026-11-22T10-30-00Z.json",
	.tags = sample_tags,
	.tag_count = 4,
	.root = {.name = "", .type = BT_DIR, .mode = 0700, .uid = 1, .has_digest = true, .digest = DIGEST_A},
	.files = 1,
	.directories = 2,
	.others = 3,
	.directory_size = UINT64_MAX,
	.stored_size = 5,
	.created = 6,
	.changed = 7,
	.unchanged = 8,
	.errors = 9,
	.torn = 9,
	.removed = UINT64_MAX,
	.removed_bytes = 12,
	.left_out = 10,
	.boundaries = 11,
	.xattrs = true,
	.has_names = true,
	.names = DIGEST_B,
	.program = "backuptool 0.1.0",
	.user = "me",
	.rules = sample_rules,
	.rule_count = 4,
	.options = sample_options,
	.option_count = 2,
	.pinned = true,
	.has_expires = true,
	.expires = {1732271401, 5},
	.description = "caf\xc3\xa9 \"x\"",
	.partial = true,
	.rewritten = "snapshot_2026-11-20T10-30-00Z.json",
	.streams = true,
	.header_further = FURTHER,
	.summary_further = ",\"four\":4",
};

static void read_info(const struct bt_snapshot_info *info, struct bt_arena *arena, struct bt_snapshot_info *ret_info)
{
	struct bt_buf header = {0}, summary = {0};
	struct bt_error error = {0};

	*ret_info = (struct bt_snapshot_info){0};
	assert_int_equal(bt_header_write(&header, info), 0);
	assert_int_equal(bt_summary_write(&summary, info), 0);
	assert_int_equal(
		bt_header_read(&(struct bt_text){(char *)header.data, header.length}, 0, arena, ret_info, &error), 0);
	assert_int_equal(
		bt_summary_read(&(struct bt_text){(char *)summary.data, summary.length}, 0, arena, ret_info, &error),
		0);
	bt_buf_free(&header);
	bt_buf_free(&summary);
}

static void assert_taken(const struct bt_snapshot_info *info)
{
	assert_string_equal(info->program, "backuptool 0.1.0");
	assert_string_equal(info->user, "me");
	assert_int_equal(info->rule_count, 4);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(info->rules[i], sample_rules[i]);
	assert_int_equal(info->option_count, 2);
	for (size_t i = 0; i < 2; i++)
		assert_string_equal(info->options[i], sample_options[i]);
	assert_true(info->pinned && info->partial && info->streams && info->has_expires && !info->rules_omitted);
	assert_true(bt_time_equal(&info->expires, &sample_info.expires));
	assert_string_equal(info->description, sample_info.description);
	assert_string_equal(info->rewritten, sample_info.rewritten);
}

static void test_header_and_summary_come_back(void **state)
{
	struct bt_snapshot_info info;
	struct bt_arena arena = {0};

	read_info(&sample_info, &arena, &info);
	assert_true(info.time.seconds == sample_info.time.seconds);
	assert_int_equal(info.time.nanoseconds, sample_info.time.nanoseconds);
	assert_string_equal(info.host, sample_info.host);
	assert_string_equal(info.target, sample_info.target);
	assert_string_equal(info.parent, sample_info.parent);
	assert_int_equal(info.tag_count, 4);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(info.tags[i], sample_tags[i]);
	assert_entry(&info.root, &sample_info.root);
	assert_memory_equal(&info.files, &sample_info.files, 3 * sizeof(uint64_t));
	assert_true(info.directory_size == UINT64_MAX && info.stored_size == 5);
	assert_true(info.created == 6 && info.changed == 7 && info.unchanged == 8 && info.errors == 9 && info.xattrs);
	assert_true(info.has_names);
	assert_digest(&info.names, &sample_info.names);
	assert_true(info.torn == 9 && info.removed == UINT64_MAX && info.removed_bytes == 12 && info.left_out == 10 &&
		    info.boundaries == 11);
	assert_taken(&info);
	assert_string_equal(info.header_further, FURTHER);
	assert_string_equal(info.summary_further, ",\"four\":4");
	assert_false(info.classic);
	bt_arena_free(&arena);
}

static void test_what_is_zero_is_not_written(void **state)
{
	static const char end[] = "\"errors\":9,\"left_out\":10,\"xattrs\":true,\"four\":4}";
	struct bt_snapshot_info info = sample_info, back;
	struct bt_buf summary = {0};
	struct bt_arena arena = {0};

	info.torn = info.removed = info.removed_bytes = info.boundaries = 0;
	info.has_names = false;
	assert_int_equal(bt_summary_write(&summary, &info), 0);
	assert_true(summary.length > strlen(end));
	assert_memory_equal(summary.data + summary.length - strlen(end), end, strlen(end));
	read_info(&info, &arena, &back);
	assert_false(back.has_names);
	assert_true(!back.torn && !back.removed && !back.boundaries && back.left_out == 10);
	bt_buf_free(&summary);
	bt_arena_free(&arena);
}

static void test_other_headers(void **state)
{
	struct bt_snapshot_info info = sample_info, back;
	struct bt_arena arena = {0};

	info.parent = NULL;
	info.tag_count = info.rule_count = info.option_count = 0;
	info.rules_omitted = true;
	info.program = info.user = info.description = info.rewritten = NULL;
	info.pinned = info.partial = info.streams = info.has_expires = false;
	info.target = "/\xff";
	read_info(&info, &arena, &back);
	assert_null(back.parent);
	assert_int_equal(back.tag_count, 0);
	assert_true(back.rules_omitted && !back.rule_count && !back.option_count);
	assert_true(!back.program && !back.user && !back.description && !back.rewritten);
	assert_true(!back.pinned && !back.partial && !back.streams && !back.has_expires);
	assert_string_equal(back.target, "/\xff");
	info.classic = true;
	info.target = "relative";
	read_info(&info, &arena, &back);
	assert_true(back.classic);
	assert_string_equal(back.target, "relative");
	bt_arena_free(&arena);
}

static void test_how_it_was_taken_is_spelled_as_in_the_format(void **state)
{
	static const char expected[] = "\"tags\":[],\"program\":\"backuptool "
				       "0.1.0\",\"user\":\"me\",\"rules\":[\"*.tmp\",{\"b64\":\"IS9hCv8=\"},\"\","
				       "\"*.tmp\"],\"options\":[{\"b64\":\"ZXhjbHVkZS1pZi1wcmVzZW50Ov4=\"},\"one-file-"
				       "system\"],\"pinned\":true,"
				       "\"expires\":\"2024-11-22T10:30:01.000000005Z\",\"description\":\"caf\xc3\xa9 "
				       "\\\"x\\\"\",\"partial\":true,"
				       "\"rewritten\":\"snapshot_2026-11-20T10-30-00Z.json\",\"streams\":true";
	struct bt_snapshot_info info = sample_info;
	struct bt_buf out = {0};

	info.tag_count = 0;
	info.header_further = NULL;
	assert_int_equal(bt_header_write(&out, &info), 0);
	assert_true(out.length > strlen(expected));
	out.length -= strlen(expected);
	assert_memory_equal(out.data + out.length, expected, strlen(expected));
	bt_buf_free(&out);
}

static void test_headers_are_spelled_as_in_the_format(void **state)
{
	static const char snapshot[] =
		"{\"format\":\"backuptool\",\"version\":2,\"kind\":\"snapshot\","
		"\"timestamp\":\"2026-11-22T10:30:00.123456789Z\",\"host\":\"h\",\"target\":\"/home/me\","
		"\"parent\":null,\"tags\":[]";
	static const char volume[] = "{\"format\":\"backuptool\",\"version\":2,\"kind\":\"volume\","
				     "\"timestamp\":\"2026-11-22T10:30:00.123456789Z\"";
	const struct bt_snapshot_info info = {.time = {1795343400, 123456789}, .host = "h", .target = "/home/me"};
	struct bt_buf out = {0};

	assert_int_equal(bt_header_write(&out, &info), 0);
	assert_int_equal(out.length, sizeof(snapshot) - 1);
	assert_memory_equal(out.data, snapshot, out.length);
	out.length = 0;
	assert_int_equal(bt_volume_header_write(&out, &info.time), 0);
	assert_int_equal(out.length, sizeof(volume) - 1);
	assert_memory_equal(out.data, volume, out.length);
	bt_buf_free(&out);
}

static void test_timestamps(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} good[] = {
		{0, "1970-01-01T00:00:00.000000000Z"},
		{-1, "1969-12-31T23:59:59.000000000Z"},
		{951827696, "2000-02-29T12:34:56.000000000Z"},
		{-62167219200, "0000-01-01T00:00:00.000000000Z"},
		{253402300799, "9999-12-31T23:59:59.000000000Z"},
	};
	static const char *const bad[] = {
		"",
		"2026-11-22T10:30:00Z",
		"2026-11-22T10:30:00.12345678Z",
		"2026-11-22T10:30:00.1234567890Z",
		"2026-11-22 10:30:00.123456789Z",
		"2026-11-22T10:30:00.123456789+",
		"2026-11-31T10:30:00.123456789Z",
		"2023-02-29T10:30:00.123456789Z",
		"2026-00-01T10:30:00.123456789Z",
		"2026-13-01T10:30:00.123456789Z",
		"2026-11-00T10:30:00.123456789Z",
		"2026-11-22T24:30:00.123456789Z",
		"2026-11-22T10:60:00.123456789Z",
		"2026-11-22T10:30:60.123456789Z",
		"+026-11-22T10:30:00.123456789Z",
	};
	char text[BT_TIMESTAMP_LENGTH + 1];
	struct bt_time time;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_true(bt_timestamp_parse(good[i].text, strlen(good[i].text), &time));
		assert_true(time.seconds == good[i].seconds && time.nanoseconds == 0);
		assert_true(bt_timestamp_format(&time, text));
		assert_string_equal(text, good[i].text);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(bt_timestamp_parse(bad[i], strlen(bad[i]), &time));
	assert_false(bt_timestamp_format(&(struct bt_time){253402300800, 0}, text));
	assert_false(bt_timestamp_format(&(struct bt_time){INT64_MAX, 0}, text));
	assert_false(bt_timestamp_format(&(struct bt_time){0, 1000000000}, text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_entry_comes_back),
		cmocka_unit_test(test_names_of_owners),
		cmocka_unit_test(test_numbers_in_an_acl),
		cmocka_unit_test(test_an_entry_is_spelled_as_in_the_format),
		cmocka_unit_test(test_cjson_reads_the_same),
		cmocka_unit_test(test_header_and_summary_come_back),
		cmocka_unit_test(test_what_is_zero_is_not_written),
		cmocka_unit_test(test_other_headers),
		cmocka_unit_test(test_how_it_was_taken_is_spelled_as_in_the_format),
		cmocka_unit_test(test_headers_are_spelled_as_in_the_format),
		cmocka_unit_test(test_timestamps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
