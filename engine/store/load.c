/* SPDX-License-Identifier: MIT */
/* Opening a store file: its first line and its last two. */
#include "base/bytes.h"
#include "base/fail.h"
#include "codec/hash.h"
#include "store/file_inside.h"
#include <stdlib.h>
#include <string.h>

/* One read at each end finds all of an ordinary file. */
#define PROBE ((size_t)4096)

#define TIMESTAMP_LENGTH strlen("2026-11-22T10:30:00.123456789Z")

struct probe {
	struct bt_buf head, tail;
	uint64_t tail_at;
	size_t open_end; /* bytes of the end line that open_sha256 covers */
	struct bt_digest open_digest;
};

static int damaged(const struct bt_file *file, enum bt_reason reason, uint64_t offset, struct bt_error *error)
{
	return bt_fail_damaged(error, reason, file->name, offset);
}

static int read_part(struct bt_file *file, struct bt_buf *buf, uint64_t offset, size_t length, struct bt_error *error)
{
	buf->length = 0;
	if (bt_buf_reserve(buf, length + 1))
		return bt_fail(error, BT_E_NOMEM, file->name, NULL);
	int r = bt_file_pread(file, buf->data, length, offset, error);
	if (!r)
		buf->length = length;
	return r;
}

static int read_ends(struct bt_file *file, struct probe *probe, struct bt_error *error)
{
	uint64_t size = file->sections.size;
	size_t part = size < PROBE ? (size_t)size : PROBE;
	int r = read_part(file, &probe->head, 0, part, error);

	probe->tail_at = size - part;
	return r ? r : read_part(file, &probe->tail, probe->tail_at, part, error);
}

/* The text ends inside of what may become this literal. */
static bool is_cut(const struct bt_json *json, const char *literal)
{
	size_t length = (size_t)(json->end - json->at);

	return length < strlen(literal) && !memcmp(json->at, literal, length);
}

static int read_kind(struct bt_json *json, enum bt_file_kind *ret_kind)
{
	static const struct {
		const char *text;
		enum bt_file_kind kind;
	} kinds[] = {
		{"\"snapshot\"", BT_KIND_SNAPSHOT}, {"\"volume\"", BT_KIND_VOLUME}, {"\"classic\"", BT_KIND_CLASSIC}};
	int r = bt_json_key(json, "kind", false);

	for (size_t i = 0; !r && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (bt_json_try(json, kinds[i].text)) {
			*ret_kind = kinds[i].kind;
			return 0;
		}
		if (is_cut(json, kinds[i].text))
			r = bt_json_fail(json, BT_R_TRUNCATED);
	}
	return r ? r : bt_json_fail(json, BT_R_UNKNOWN_KIND);
}

static int read_start(struct bt_json *json)
{
	size_t length = (size_t)(json->end - json->at);
	static const char mark[] = "\xef\xbb\xbf";
	static const char start[] = "{\"format\":";

	if (length >= 3 && !memcmp(json->at, mark, 3))
		return bt_json_fail(json, BT_R_BYTE_ORDER_MARK);
	if (bt_json_try(json, start))
		return 0;
	if (is_cut(json, start))
		return bt_json_fail(json, BT_R_TRUNCATED);
	return bt_json_fail(json, *json->at == '{' ? BT_R_UNKNOWN_FORMAT : BT_R_NOT_JSON);
}

/* Formats whose files are not damaged either: those that are to come, such as backuptool-sealed (FORMAT.md §9). */
static int read_format(struct bt_json *json)
{
	static const char ours[] = "\"backuptool\"";
	const char *begin = json->at, *name, *close;

	if (bt_json_try(json, ours))
		return 0;
	if (bt_json_try(json, "\"backuptool-")) {
		name = json->at;
		close = memchr(name, '"', (size_t)(json->end - name));
		json->at = begin;
		if (close && bt_json_plain_name(name, (size_t)(close - name)))
			return bt_need_refuse(json, begin, &(struct bt_text){name, (size_t)(close - name)});
	}
	return bt_json_fail(json, is_cut(json, ours) ? BT_R_TRUNCATED : BT_R_UNKNOWN_FORMAT);
}

/* Reads the first members, which every kind has: an unknown kind, version or need is reported before other faults. */
static int check_format(struct bt_file *file, const struct bt_buf *head, enum bt_file_kind expected, size_t *ret_rest,
			struct bt_error *error)
{
	struct bt_json json;
	uint64_t version = 0;

	bt_json_begin(&json, (const char *)head->data, head->length, 0, error);
	int r = read_start(&json);
	if (!r)
		r = read_format(&json);
	if (!r)
		r = bt_json_key(&json, "version", false);
	if (!r)
		r = bt_json_read_u64(&json, UINT64_MAX, &version);
	if (!r && version != 2)
		r = bt_json_fail(&json, BT_R_UNKNOWN_VERSION);
	if (!r)
		r = read_kind(&json, &file->kind);
	if (!r)
		r = bt_needs_read(&json);
	if (!r && (file->kind == BT_KIND_CLASSIC) != (expected == BT_KIND_CLASSIC))
		r = bt_json_fail(&json, BT_R_UNKNOWN_KIND);
	*ret_rest = (size_t)(json.at - json.start);
	return r;
}

static int read_offsets(struct bt_json *json, struct bt_sections *at)
{
	const struct {
		const char *key;
		uint64_t *value;
	} members[] = {{"blocks", &at->blocks},
		       {"contents", &at->contents},
		       {"trees", &at->trees},
		       {"tree_index", &at->tree_index},
		       {"summary", &at->summary}};
	int r = bt_json_expect(json, "\"end\":{");

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]) && !r; i++) {
		r = bt_json_key(json, members[i].key, i == 0);
		if (!r)
			r = bt_json_read_u64(json, INT64_MAX, members[i].value);
	}
	return r;
}

static int read_digest_member(struct bt_json *json, const char *key, struct bt_digest *ret_digest, size_t *ret_covered)
{
	*ret_covered = (size_t)(json->at - json->start) + 1; /* the comma, too */
	int r = bt_json_key(json, key, false);
	return r ? r : bt_json_read_digest(json, ret_digest);
}

/* What drafts have instead of a digest of each block. It says nothing that the other digests do not. */
static int read_draft(struct bt_json *json, bool *ret_draft)
{
	struct bt_digest ignored;

	*ret_draft = bt_json_try(json, ",\"file_sha256\":");
	return *ret_draft ? bt_json_read_digest(json, &ignored) : 0;
}

static int parse_end(struct bt_file *file, const char *line, size_t length, struct probe *probe, struct bt_error *error)
{
	struct bt_json json;
	size_t covered;

	bt_json_begin(&json, line, length, file->sections.end, error);
	json.keys = "blocks contents trees tree_index summary index_sha256 open_sha256";
	int r = read_offsets(&json, &file->sections);
	if (!r)
		r = read_digest_member(&json, "index_sha256", &file->index_digest, &covered);
	if (!r)
		r = read_digest_member(&json, "open_sha256", &probe->open_digest, &probe->open_end);
	if (!r)
		r = read_draft(&json, &file->draft);
	if (!r)
		r = bt_json_close(&json, "}");
	if (!r)
		r = bt_json_expect(&json, "}");
	return r ? r : bt_json_end(&json);
}

/* There is no end line at the end: is there one before it? */
static int no_end(const struct bt_file *file, const struct probe *probe, struct bt_error *error)
{
	const struct bt_buf *tail = &probe->tail;
	const char *found = NULL, *from = (const char *)tail->data;
	const char *stop = from + tail->length;
	static const char start[] = "\n\"end\":{";

	from = memmem(from, (size_t)(stop - from), start, strlen(start));
	while (from) {
		found = from++;
		from = memmem(from, (size_t)(stop - from), start, strlen(start));
	}
	const char *close = found ? memchr(found + 1, '\n', (size_t)(stop - found) - 1) : NULL;
	if (!close)
		return damaged(file, BT_R_TRUNCATED, file->sections.size, error);
	uint64_t at = probe->tail_at + (uint64_t)(close - (const char *)tail->data) + 1;
	return damaged(file, BT_R_TRAILING_BYTES, at, error);
}

static int find_end(struct bt_file *file, struct probe *probe, struct bt_error *error)
{
	static const char start[] = "\"end\":{";
	const char *text = (const char *)probe->tail.data;
	size_t length = probe->tail.length;

	if (!length || text[length - 1] != '\n')
		return no_end(file, probe, error);
	const char *before = memrchr(text, '\n', length - 1);
	const char *line = before ? before + 1 : text;
	size_t line_length = (size_t)(text + length - 1 - line);
	if (line_length < strlen(start) || memcmp(line, start, strlen(start)))
		return no_end(file, probe, error);
	file->sections.end = probe->tail_at + (uint64_t)(line - text);
	if (line_length + 1 > BT_END_MAX)
		return damaged(file, BT_R_TOO_LARGE, file->sections.end, error);
	return parse_end(file, line, line_length, probe, error);
}

/* Checks that sections are in order and at least as long as an empty list, so that later sums cannot wrap. */
static int check_sections(const struct bt_file *file, struct bt_error *error)
{
	const struct bt_sections *at = &file->sections;
	const struct {
		uint64_t from, to;
		size_t least;
	} parts[] = {
		{0, at->blocks, 2},
		{at->blocks, at->contents, strlen(BT_BLOCKS_LINE BT_LIST_END)},
		{at->contents, at->trees, strlen(BT_CONTENTS_LINE BT_LIST_END)},
		{at->trees, at->tree_index, strlen(BT_TREES_LINE BT_LIST_END)},
		{at->tree_index, at->summary, strlen(BT_TREE_INDEX_LINE BT_LIST_END)},
		{at->summary, at->end, strlen("\"summary\":{},\n")},
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (parts[i].to > at->end || parts[i].from > parts[i].to ||
		    parts[i].to - parts[i].from < parts[i].least)
			return damaged(file, BT_R_BAD_OFFSET, at->end, error);
	}
	if (at->blocks > BT_HEADER_MAX)
		return damaged(file, BT_R_TOO_LARGE, BT_HEADER_MAX, error);
	if (at->end - at->summary > BT_PAGE_MAX)
		return damaged(file, BT_R_TOO_LARGE, at->summary, error);
	return 0;
}

/* Exactly one line, ending in ",\n". */
static bool is_line(const struct bt_buf *line)
{
	const unsigned char *end = memchr(line->data, '\n', line->length);

	return line->length >= 2 && end == line->data + line->length - 1 && end[-1] == ',';
}

/* Reads a part of the file, from the probes if they have it. */
static int take_part(struct bt_file *file, const struct probe *probe, struct bt_buf *buf, uint64_t from, uint64_t to,
		     struct bt_error *error)
{
	const unsigned char *data = NULL;

	if (to <= probe->head.length)
		data = probe->head.data + from;
	else if (from >= probe->tail_at)
		data = probe->tail.data + (from - probe->tail_at);
	if (!data)
		return read_part(file, buf, from, (size_t)(to - from), error);
	if (bt_buf_append(buf, data, (size_t)(to - from)))
		return bt_fail(error, BT_E_NOMEM, file->name, NULL);
	return 0;
}

static int take_lines(struct bt_file *file, const struct probe *probe, struct bt_error *error)
{
	const struct bt_sections *at = &file->sections;
	static const char start[] = "\"summary\":";
	int r = take_part(file, probe, &file->header, 0, at->blocks, error);

	if (!r)
		r = take_part(file, probe, &file->summary, at->summary, at->end, error);
	if (r)
		return r;
	if (!is_line(&file->header))
		return damaged(file, BT_R_BAD_OFFSET, 0, error);
	if (!is_line(&file->summary) || memcmp(file->summary.data, start, strlen(start)))
		return damaged(file, BT_R_BAD_OFFSET, at->summary, error);
	return 0;
}

static int check_open_digest(const struct bt_file *file, const struct probe *probe, struct bt_error *error)
{
	struct bt_hasher *hasher = bt_hasher_new();
	struct bt_digest digest;
	const unsigned char *end = probe->tail.data + (file->sections.end - probe->tail_at);

	if (!hasher)
		return bt_fail(error, BT_E_NOMEM, file->name, NULL);
	bt_hasher_start(hasher);
	bt_hasher_add(hasher, file->header.data, file->header.length);
	bt_hasher_add(hasher, file->summary.data, file->summary.length);
	bt_hasher_add(hasher, end, probe->open_end);
	int r = bt_hasher_finish(hasher, &digest);
	bt_hasher_free(hasher);
	if (r)
		return bt_fail(error, r, file->name, NULL);
	if (!bt_digest_equal(&digest, &probe->open_digest))
		return damaged(file, BT_R_DIGEST_MISMATCH, 0, error);
	return 0;
}

static unsigned two_digits(const char *text)
{
	return (unsigned)(text[0] - '0') * 10 + (unsigned)(text[1] - '0');
}

static bool is_timestamp(const char *text)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.dddddddddZ";

	for (size_t i = 0; form[i]; i++) {
		if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
			return false;
	}
	unsigned month = two_digits(text + 5), day = two_digits(text + 8);
	return month >= 1 && month <= 12 && day >= 1 && day <= 31 && two_digits(text + 11) < 24 &&
	       two_digits(text + 14) < 60 && two_digits(text + 17) < 60;
}

/* A volume's header and summary hold nothing for the model to read, so they are checked here. */
static int check_volume_header(const struct bt_file *file, size_t rest, char *scratch, struct bt_error *error)
{
	struct bt_text further;
	struct bt_json json;

	if (rest > file->header.length)
		return damaged(file, BT_R_CHANGED, 0, error);
	bt_json_begin(&json, (const char *)file->header.data, file->header.length, 0, error);
	json.at += rest;
	json.keys = "format version kind needs timestamp";
	if (json.at == json.end)
		return bt_json_fail(&json, BT_R_MISSING_KEY);
	int r = bt_json_key(&json, "timestamp", false);
	if (!r)
		r = bt_json_expect(&json, "\"");
	if (!r && ((size_t)(json.end - json.at) < TIMESTAMP_LENGTH || !is_timestamp(json.at)))
		r = bt_json_fail(&json, BT_R_BAD_TIME);
	if (r)
		return r;
	json.at += TIMESTAMP_LENGTH;
	r = bt_json_expect(&json, "\"");
	if (!r)
		r = bt_json_further(&json, 1, scratch, &further);
	return r ? r : bt_json_end(&json);
}

/* An object with nothing but members of a newer program. */
static int check_volume_summary(const struct bt_file *file, char *scratch, struct bt_error *error)
{
	struct bt_text further;
	struct bt_json json;
	int r;

	bt_json_begin(&json, (const char *)file->summary.data, file->summary.length,
		      file->sections.summary + strlen("\"summary\":"), error);
	r = bt_json_expect(&json, "{");
	if (!r && json.at < json.end && *json.at != '}')
		r = bt_json_read_further(&json, 1, scratch, &further);
	if (!r)
		r = bt_json_close(&json, "}");
	return r ? r : bt_json_end(&json);
}

static int check_volume(const struct bt_file *file, size_t rest, struct bt_error *error)
{
	size_t room = file->header.length > file->summary.length ? file->header.length : file->summary.length;
	char *scratch = malloc(room + 1);
	int r = scratch ? check_volume_header(file, rest, scratch, error)
			: bt_fail(error, BT_E_NOMEM, file->name, NULL);

	if (!r)
		r = check_volume_summary(file, scratch, error);
	free(scratch);
	return r;
}

/* What callers see of the two lines: without the final comma and, of the summary, without its key. */
static void trim_lines(struct bt_file *file)
{
	size_t key = strlen("\"summary\":");

	file->header.length -= 2;
	file->summary.length -= key + 2;
	memmove(file->summary.data, file->summary.data + key, file->summary.length);
}

static int load(struct bt_file *file, struct probe *probe, enum bt_file_kind expected, struct bt_error *error)
{
	size_t rest = 0;

	if (!file->sections.size)
		return damaged(file, BT_R_TRUNCATED, 0, error);
	int r = read_ends(file, probe, error);
	if (!r)
		r = check_format(file, &probe->head, expected, &rest, error);
	if (!r)
		r = find_end(file, probe, error);
	if (!r)
		r = check_sections(file, error);
	if (!r)
		r = take_lines(file, probe, error);
	if (!r)
		r = check_open_digest(file, probe, error);
	if (r)
		return r;
	trim_lines(file);
	return file->kind == BT_KIND_VOLUME ? check_volume(file, rest, error) : 0;
}

int bt_file_load(struct bt_file *file, enum bt_file_kind expected, struct bt_error *error)
{
	struct probe probe = {0};
	struct bt_error inner = {0}; /* the readers of JSON need one */
	int r = load(file, &probe, expected, &inner);

	bt_buf_free(&probe.head);
	bt_buf_free(&probe.tail);
	bt_error_in_file(&inner, file->name, 0);
	return bt_error_pass(error, &inner, r);
}
