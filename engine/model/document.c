/* SPDX-License-Identifier: MIT */
#include "model/document.h"
#include "base/bytes.h"
#include "base/fail.h"
#include "model/lists.h"
#include "model/page.h"
#include "model/taken.h"
#include "model/timestamp.h"
#include "json/write.h"

#include <stdlib.h>
#include <string.h>

#define SUMMARY_KEY "\"summary\":"

static int write_start(struct bt_buf *out, const char *kind, const struct bt_time *time)
{
	char text[BT_TIMESTAMP_LENGTH + 1];

	if (!bt_timestamp_format(time, text))
		return BT_E_INVALID;
	bt_json_text(out, "{\"format\":\"backuptool\",\"version\":2,\"kind\":\"");
	bt_json_text(out, kind);
	bt_json_text(out, "\",\"timestamp\":\"");
	bt_json_text(out, text);
	bt_json_text(out, "\"");
	return bt_buf_result(out);
}

int bt_volume_header_write(struct bt_buf *out, const struct bt_time *time)
{
	return write_start(out, "volume", time);
}

int bt_header_write(struct bt_buf *out, const struct bt_snapshot_info *info)
{
	int r = write_start(out, info->classic ? "classic" : "snapshot", &info->time);

	if (r)
		return r;
	bt_json_add_string(out, ",\"host\":", info->host);
	bt_json_text(out, ",");
	bt_json_bytes(out, "target", info->target, strlen(info->target));
	if (info->parent)
		bt_json_add_string(out, ",\"parent\":", info->parent);
	else
		bt_json_text(out, ",\"parent\":null");
	bt_json_text(out, ",\"tags\":[");
	for (size_t i = 0; i < info->tag_count; i++)
		bt_json_add_string(out, i ? "," : "", info->tags[i]);
	bt_json_text(out, "]");
	r = bt_taken_write(out, info);
	if (r)
		return r;
	if (info->header_further)
		bt_json_text(out, info->header_further);
	return bt_buf_result(out);
}

/* The numbers of a summary, in order. */
static const struct count {
	const char *key;
	size_t place;  /* in struct bt_snapshot_info */
	bool optional; /* left out when it is 0 */
} counts[] = {
	{"files", offsetof(struct bt_snapshot_info, files), false},
	{"directories", offsetof(struct bt_snapshot_info, directories), false},
	{"others", offsetof(struct bt_snapshot_info, others), false},
	{"directory_size", offsetof(struct bt_snapshot_info, directory_size), false},
	{"stored_size", offsetof(struct bt_snapshot_info, stored_size), false},
	{"new", offsetof(struct bt_snapshot_info, created), false},
	{"changed", offsetof(struct bt_snapshot_info, changed), false},
	{"unchanged", offsetof(struct bt_snapshot_info, unchanged), false},
	{"errors", offsetof(struct bt_snapshot_info, errors), false},
	{"torn", offsetof(struct bt_snapshot_info, torn), true},
	{"removed", offsetof(struct bt_snapshot_info, removed), true},
	{"removed_bytes", offsetof(struct bt_snapshot_info, removed_bytes), true},
	{"left_out", offsetof(struct bt_snapshot_info, left_out), true},
	{"boundaries", offsetof(struct bt_snapshot_info, boundaries), true},
};

#define COUNTS (sizeof(counts) / sizeof(*counts))

int bt_summary_write(struct bt_buf *out, const struct bt_snapshot_info *info)
{
	struct bt_entry root = info->root;

	root.name_length = 0;
	root.type = BT_DIR;
	bt_json_text(out, "{\"root\":");
	bt_entry_write(out, &root);
	for (size_t i = 0; i < COUNTS; i++) {
		uint64_t value;

		memcpy(&value, (const char *)info + counts[i].place, sizeof(value));
		if (counts[i].optional && !value)
			continue;
		bt_json_text(out, ",\"");
		bt_json_text(out, counts[i].key);
		bt_json_add_u64(out, "\":", value);
	}
	if (info->has_names) {
		bt_json_text(out, ",\"names\":");
		bt_json_digest(out, &info->names);
	}
	bt_json_text(out, info->xattrs ? ",\"xattrs\":true" : ",\"xattrs\":false");
	if (info->summary_further)
		bt_json_text(out, info->summary_further);
	bt_json_text(out, "}");
	return bt_buf_result(out);
}

/* A reader of one part, its texts going to the arena. */
struct part {
	struct bt_json json;
	struct bt_arena *arena;
	char *scratch; /* as long as the part */
	struct bt_snapshot_info *info;
};

/* A string without NUL, kept in the arena; what valid refuses has the reason. */
static int read_text(struct part *part, enum bt_reason reason, bool (*valid)(const char *text, size_t length),
		     const char **ret_text)
{
	const char *begin = part->json.at;
	char *scratch = part->scratch;
	struct bt_text text;
	int r = bt_json_read_string(&part->json, &scratch, &text);

	if (r)
		return r;
	if (memchr(text.bytes, 0, text.length) || (valid && !valid(text.bytes, text.length))) {
		bt_json_fail_at(&part->json, begin, reason);
		return BT_E_DAMAGED; /* in plain sight: 0 is not returned without a text */
	}
	*ret_text = bt_arena_copy(part->arena, text.bytes, text.length);
	return *ret_text ? 0 : BT_E_NOMEM;
}

static int read_kind(struct part *part)
{
	const char *begin = part->json.at;
	const char *kind;
	int r = read_text(part, BT_R_UNKNOWN_KIND, NULL, &kind);

	if (r)
		return r;
	part->info->classic = !strcmp(kind, "classic");
	if (part->info->classic || !strcmp(kind, "snapshot"))
		return 0;
	return bt_json_fail_at(&part->json, begin, BT_R_UNKNOWN_KIND);
}

static int read_version(struct part *part)
{
	struct bt_json *json = &part->json;
	const char *begin, *format;
	uint64_t version;
	int r = bt_json_expect(json, "{");

	if (!r)
		r = bt_json_key(json, "format", true);
	if (r)
		return r;
	begin = json->at;
	r = read_text(part, BT_R_UNKNOWN_FORMAT, NULL, &format);
	if (r)
		return r;
	if (strcmp(format, "backuptool") != 0)
		return bt_json_fail_at(json, begin, BT_R_UNKNOWN_FORMAT);
	r = bt_json_key(json, "version", false);
	if (r)
		return r;
	begin = json->at;
	r = bt_json_read_u64(json, UINT64_MAX, &version);
	if (r)
		return r;
	return version == 2 ? 0 : bt_json_fail_at(json, begin, BT_R_UNKNOWN_VERSION);
}

/* An absolute path; version 1 knows relative ones, too. */
static int read_target(struct part *part)
{
	struct bt_text text;
	const char *begin;
	int r = bt_model_read_bytes(&part->json, "target", false, part->scratch, &text, &begin);

	if (r)
		return r;
	if (!text.length || memchr(text.bytes, 0, text.length) || (text.bytes[0] != '/' && !part->info->classic))
		return bt_json_fail_at(&part->json, begin, BT_R_BAD_TARGET);
	part->info->target = bt_arena_copy(part->arena, text.bytes, text.length);
	return part->info->target ? 0 : BT_E_NOMEM;
}

static int read_tag(struct part *part, struct bt_buf *tags)
{
	const char *begin = part->json.at, *before, *tag;
	int r, order = -1;

	r = read_text(part, BT_R_BAD_NAME, bt_is_one_line, &tag);
	if (r)
		return r;
	if (tags->length) {
		memcpy(&before, tags->data + tags->length - sizeof(before), sizeof(before));
		order = strcmp(before, tag);
	}
	if (order >= 0)
		return bt_json_fail_at(&part->json, begin, order ? BT_R_UNSORTED : BT_R_DUPLICATE_NAME);
	return bt_buf_append(tags, &tag, sizeof(tag));
}

static int read_tags(struct part *part)
{
	struct bt_buf tags = {0};
	const void *list = NULL;
	bool more;
	int r = bt_json_expect(&part->json, "[");

	if (r)
		return r;
	more = !bt_json_try(&part->json, "]");
	while (!r && more) {
		r = read_tag(part, &tags);
		if (!r)
			r = bt_list_more(&part->json, &more);
	}
	if (!r)
		r = bt_list_keep(part->arena, &tags, &list);
	if (!r) {
		part->info->tags = list;
		part->info->tag_count = tags.length / sizeof(*part->info->tags);
	}
	bt_buf_free(&tags);
	return r;
}

static int read_further(struct part *part, const char **ret_further)
{
	struct bt_text further;
	int r = bt_json_further(&part->json, 1, part->scratch, &further);

	*ret_further = NULL;
	if (r || !further.length)
		return r;
	*ret_further = bt_arena_copy(part->arena, further.bytes, further.length);
	return *ret_further ? 0 : BT_E_NOMEM;
}

static int read_header(struct part *part)
{
	struct bt_json *json = &part->json;
	int r;

	json->keys = "format version kind needs timestamp host target target_b64 parent tags " BT_TAKEN_KEYS;
	r = read_version(part);
	if (!r)
		r = bt_json_key(json, "kind", false);
	if (!r)
		r = read_kind(part);
	if (!r)
		r = bt_needs_read(json);
	if (!r)
		r = bt_json_key(json, "timestamp", false);
	if (!r)
		r = bt_model_read_timestamp(json, part->scratch, &part->info->time);
	if (!r)
		r = bt_json_key(json, "host", false);
	if (!r)
		r = read_text(part, BT_R_BAD_NAME, NULL, &part->info->host);
	if (!r)
		r = read_target(part);
	if (!r)
		r = bt_json_key(json, "parent", false);
	if (r)
		return r;
	part->info->parent = NULL;
	r = bt_json_try(json, "null") ? 0 : read_text(part, BT_R_BAD_NAME, bt_name_valid, &part->info->parent);
	if (r)
		return r;
	r = bt_json_key(json, "tags", false);
	if (!r)
		r = read_tags(part);
	if (!r)
		r = bt_taken_read(json, part->scratch, part->arena, part->info);
	if (r)
		return r;
	/* The rest of the object is the other sections, so that the line does not close it. */
	r = read_further(part, &part->info->header_further);
	return r ? r : bt_json_end(json);
}

static int read_root(struct part *part)
{
	const char *begin;
	int r = bt_json_expect(&part->json, "{");

	if (!r)
		r = bt_json_key(&part->json, "root", true);
	if (r)
		return r;
	begin = part->json.at;
	r = bt_entry_read(&part->json, false, &part->scratch, part->arena, &part->info->root);
	if (r)
		return r;
	if (part->info->root.type != BT_DIR)
		return bt_json_fail_at(&part->json, begin, BT_R_BAD_TYPE);
	return 0;
}

static int read_count(struct part *part, const struct count *count)
{
	struct bt_json *json = &part->json;
	uint64_t value = 0;
	const char *begin;
	int r = count->optional ? 0 : bt_json_key(json, count->key, false);

	if (r)
		return r;
	if (count->optional && !bt_json_try_key(json, count->key, false)) {
		memcpy((char *)part->info + count->place, &value, sizeof(value));
		return 0;
	}
	begin = json->at;
	r = bt_json_read_u64(json, UINT64_MAX, &value);
	if (r)
		return r;
	memcpy((char *)part->info + count->place, &value, sizeof(value));
	return value || !count->optional ? 0 : bt_json_fail_at(json, begin, BT_R_BAD_NUMBER);
}

static int read_names(struct part *part)
{
	part->info->has_names = bt_json_try_key(&part->json, "names", false);
	return part->info->has_names ? bt_json_read_digest(&part->json, &part->info->names) : 0;
}

static int read_summary(struct part *part)
{
	struct bt_json *json = &part->json;
	int r;

	json->keys = "root files directories others directory_size stored_size new changed unchanged errors torn "
		     "removed removed_bytes left_out boundaries names xattrs";
	r = read_root(part);
	if (r)
		return r;
	for (size_t i = 0; i < COUNTS; i++) {
		r = read_count(part, &counts[i]);
		if (r)
			return r;
	}
	r = read_names(part);
	if (!r)
		r = bt_json_key(json, "xattrs", false);
	if (!r)
		r = bt_json_read_bool(json, &part->info->xattrs);
	if (!r)
		r = read_further(part, &part->info->summary_further);
	if (!r)
		r = bt_json_close(json, "}");
	if (r)
		return r;
	if (part->info->torn > part->info->errors)
		return bt_json_fail_at(json, json->at - 1, BT_R_BAD_SIZE);
	return bt_json_end(json);
}

static int read_part(int (*read)(struct part *part), const struct bt_text *text, uint64_t offset,
		     struct bt_arena *arena, struct bt_snapshot_info *info, struct bt_error *error)
{
	struct bt_error unheard = {0};
	struct part part = {.arena = arena, .scratch = malloc(text->length + 1), .info = info};
	int r = BT_E_NOMEM;

	bt_json_begin(&part.json, text->bytes, text->length, offset, error ? error : &unheard);
	if (part.scratch)
		r = read(&part);
	free(part.scratch);
	return r == BT_E_NOMEM ? bt_fail(error, r, NULL, "read the snapshot") : r;
}

int bt_header_read(const struct bt_text *text, uint64_t offset, struct bt_arena *arena, struct bt_snapshot_info *info,
		   struct bt_error *error)
{
	return read_part(read_header, text, offset, arena, info, error);
}

int bt_summary_read(const struct bt_text *text, uint64_t offset, struct bt_arena *arena, struct bt_snapshot_info *info,
		    struct bt_error *error)
{
	return read_part(read_summary, text, offset, arena, info, error);
}

static uint64_t added_size(const struct bt_sections *sections, uint64_t stored_size)
{
	uint64_t blocks = sections->contents - sections->blocks, sum;

	if (bt_add_overflows(stored_size, sections->size - blocks, &sum))
		return UINT64_MAX;
	/* Without volumes it is the file, down to what stands between its blocks. */
	return sum > sections->size ? sum : sections->size;
}

int bt_document_read(const struct bt_file *file, struct bt_arena *arena, struct bt_snapshot_info *ret_info,
		     struct bt_error *error)
{
	const struct bt_sections *sections = bt_file_sections(file);
	const char *name = bt_file_name(file);
	struct bt_text header = bt_file_header(file), summary = bt_file_summary(file);
	struct bt_snapshot_info info = {.file_size = sections->size};
	int r;

	info.name = bt_arena_copy(arena, name, strlen(name));
	if (!info.name)
		return bt_fail(error, BT_E_NOMEM, name, "read the snapshot");
	r = bt_header_read(&header, 0, arena, &info, error);
	if (!r)
		r = bt_summary_read(&summary, sections->summary + strlen(SUMMARY_KEY), arena, &info, error);
	if (r) {
		bt_error_in_file(error, name, 0);
		return r;
	}
	info.added_size = added_size(sections, info.stored_size);
	*ret_info = info;
	return 0;
}
