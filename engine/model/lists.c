/* SPDX-License-Identifier: MIT */
#include "model/lists.h"
#include "base/bytes.h"
#include "model/timestamp.h"
#include "json/write.h"

#include <string.h>

int bt_model_read_bytes(struct bt_json *json, const char *key, bool first, char *scratch, struct bt_text *ret_text,
			const char **ret_at)
{
	const char *begin = json->at;
	int r = bt_json_read_bytes(json, key, first, &scratch, ret_text);

	if (!r)
		*ret_at = (const char *)memchr(begin, ':', (size_t)(json->at - begin)) + 1;
	return r;
}

int bt_model_read_name(struct bt_json *json, char *scratch, struct bt_arena *arena, struct bt_text *ret_name)
{
	const char *begin;
	int r = bt_model_read_bytes(json, "name", true, scratch, ret_name, &begin);

	if (r)
		return r;
	if (!bt_name_valid(ret_name->bytes, ret_name->length))
		return bt_json_fail_at(json, begin, BT_R_BAD_NAME);
	ret_name->bytes = bt_arena_text(arena, ret_name->bytes, ret_name->length);
	return ret_name->bytes ? 0 : BT_E_NOMEM;
}

int bt_model_read_timestamp(struct bt_json *json, char *scratch, struct bt_time *ret_time)
{
	const char *begin = json->at;
	struct bt_text text;
	int r = bt_json_read_string(json, &scratch, &text);

	if (r)
		return r;
	return bt_timestamp_parse(text.bytes, text.length, ret_time) ? 0 : bt_json_fail_at(json, begin, BT_R_BAD_TIME);
}

int bt_list_more(struct bt_json *json, bool *ret_more)
{
	*ret_more = bt_json_try(json, ",");
	return *ret_more ? 0 : bt_json_close(json, "]");
}

int bt_list_keep(struct bt_arena *arena, const struct bt_buf *items, const void **ret_list)
{
	const void *list = bt_arena_copy(arena, items->length ? items->data : (const void *)"", items->length);

	if (!list)
		return BT_E_NOMEM;
	*ret_list = list;
	return 0;
}

static int read_chunk(struct bt_json *json, struct bt_chunk *ret_chunk, uint64_t *sum)
{
	const char *begin;
	int r = bt_json_expect(json, "[");

	if (!r)
		r = bt_json_read_digest(json, &ret_chunk->digest);
	if (!r)
		r = bt_json_expect(json, ",");
	if (r)
		return r;
	begin = json->at;
	r = bt_json_read_u64(json, UINT64_MAX, &ret_chunk->size);
	if (r)
		return r;
	if (!ret_chunk->size || bt_add_overflows(*sum, ret_chunk->size, sum) || *sum > INT64_MAX)
		return bt_json_fail_at(json, begin, BT_R_BAD_SIZE);
	return bt_json_expect(json, "]");
}

static int gather_chunks(struct bt_json *json, struct bt_buf *items, size_t max, uint64_t *sum)
{
	bool more = true;
	int r;

	for (size_t count = 0; more; count++) {
		struct bt_chunk chunk;

		if (count == max)
			return bt_json_fail(json, BT_R_TOO_LARGE);
		r = read_chunk(json, &chunk, sum);
		if (!r)
			r = bt_buf_append(items, &chunk, sizeof(chunk));
		if (!r)
			r = bt_list_more(json, &more);
		if (r)
			return r;
	}
	return 0;
}

int bt_chunks_read(struct bt_json *json, struct bt_arena *arena, size_t max, const struct bt_chunk **ret_chunks,
		   uint32_t *ret_count, uint64_t *ret_sum)
{
	struct bt_buf items = {0};
	const void *list = NULL;
	uint64_t sum = 0;
	int r = bt_json_expect(json, "[");

	if (r)
		return r;
	if (!bt_json_try(json, "]"))
		r = gather_chunks(json, &items, max, &sum);
	if (!r)
		r = bt_list_keep(arena, &items, &list);
	if (!r) {
		*ret_chunks = list;
		*ret_count = (uint32_t)(items.length / sizeof(struct bt_chunk));
		*ret_sum = sum;
	}
	bt_buf_free(&items);
	return r;
}

static int read_hole(struct bt_json *json, uint64_t size, const struct bt_extent *before, struct bt_extent *ret_hole)
{
	const char *begin = json->at;
	uint64_t end;
	int r = bt_json_expect(json, "[");

	if (!r)
		r = bt_json_read_u64(json, UINT64_MAX, &ret_hole->offset);
	if (!r)
		r = bt_json_expect(json, ",");
	if (!r)
		r = bt_json_read_u64(json, UINT64_MAX, &ret_hole->length);
	if (!r)
		r = bt_json_expect(json, "]");
	if (r)
		return r;
	if (before->length && ret_hole->offset < before->offset)
		return bt_json_fail_at(json, begin, BT_R_UNSORTED);
	if (before->length && ret_hole->offset <= before->offset + before->length)
		return bt_json_fail_at(json, begin, BT_R_BAD_HOLE);
	if (!ret_hole->length || bt_add_overflows(ret_hole->offset, ret_hole->length, &end) || end > size)
		return bt_json_fail_at(json, begin, BT_R_BAD_HOLE);
	return 0;
}

/* At least one: a file without holes has no list. */
static int gather_holes(struct bt_json *json, size_t max, uint64_t size, struct bt_buf *items, struct bt_buf *sums)
{
	struct bt_extent hole, before = {0};
	uint64_t sum = 0;
	bool more = true;
	int r;

	if (bt_json_try(json, "]"))
		return bt_json_fail_at(json, json->at - 1, BT_R_BAD_HOLE);
	for (size_t count = 0; more; count++, before = hole) {
		if (count == max)
			return bt_json_fail(json, BT_R_TOO_LARGE);
		r = read_hole(json, size, &before, &hole);
		if (r)
			return r;
		sum += hole.length;
		r = bt_buf_append(items, &hole, sizeof(hole));
		if (!r)
			r = bt_buf_append(sums, &sum, sizeof(sum));
		if (!r)
			r = bt_list_more(json, &more);
		if (r)
			return r;
	}
	return 0;
}

int bt_holes_read(struct bt_json *json, struct bt_arena *arena, size_t max, uint64_t size, struct bt_extra *extra)
{
	struct bt_buf items = {0}, sums = {0};
	const void *holes, *hole_sums;
	int r = bt_json_expect(json, "[");

	if (r)
		return r;
	r = gather_holes(json, max, size, &items, &sums);
	if (!r)
		r = bt_list_keep(arena, &items, &holes);
	if (!r)
		r = bt_list_keep(arena, &sums, &hole_sums);
	if (!r) {
		extra->holes = holes;
		extra->hole_sums = hole_sums;
		extra->hole_count = (uint32_t)(items.length / sizeof(struct bt_extent));
	}
	bt_buf_free(&items);
	bt_buf_free(&sums);
	return r;
}

static int read_xattr_name(struct bt_json *json, char **scratch, struct bt_text *ret_name)
{
	const char *begin = json->at;
	int r = bt_json_read_string(json, scratch, ret_name);

	if (r)
		return r;
	if (!ret_name->length || ret_name->length > 255 || memchr(ret_name->bytes, 0, ret_name->length))
		return bt_json_fail_at(json, begin, BT_R_BAD_XATTR);
	return 0;
}

/* The third element of a pair whose first is null. */
static int read_xattr_name_b64(struct bt_json *json, char **scratch, struct bt_text *ret_name)
{
	const char *begin;
	int r = bt_json_expect(json, ",");

	if (r)
		return r;
	begin = json->at;
	r = bt_json_read_base64(json, scratch, ret_name);
	if (r)
		return r;
	if (bt_utf8_valid(ret_name->bytes, ret_name->length))
		return bt_json_fail_at(json, begin, BT_R_NEEDLESS_BASE64);
	if (ret_name->length > 255 || memchr(ret_name->bytes, 0, ret_name->length))
		return bt_json_fail_at(json, begin, BT_R_BAD_XATTR);
	return 0;
}

static int read_pair(struct bt_json *json, char **scratch, struct bt_text *ret_name, struct bt_text *ret_value)
{
	bool encoded;
	int r = bt_json_expect(json, "[");

	if (r)
		return r;
	encoded = bt_json_try(json, "null");
	r = encoded ? 0 : read_xattr_name(json, scratch, ret_name);
	if (r)
		return r;
	r = bt_json_expect(json, ",");
	if (!r)
		r = bt_json_read_base64(json, scratch, ret_value);
	if (r)
		return r;
	r = encoded ? read_xattr_name_b64(json, scratch, ret_name) : 0;
	if (r)
		return r;
	return bt_json_close(json, "]");
}

static int keep_xattr(struct bt_arena *arena, const struct bt_text *name, const struct bt_text *value,
		      struct bt_xattr *ret_xattr)
{
	*ret_xattr = (struct bt_xattr){
		.name = bt_arena_text(arena, name->bytes, name->length),
		.value = bt_arena_text(arena, value->bytes, value->length),
		.name_length = (uint32_t)name->length,
		.value_length = (uint32_t)value->length,
	};
	return ret_xattr->name && ret_xattr->value ? 0 : BT_E_NOMEM;
}

static int read_xattr(struct bt_json *json, char *scratch, struct bt_arena *arena, struct bt_xattr *xattr)
{
	const struct bt_xattr before = *xattr;
	const char *begin = json->at;
	struct bt_text name, value;
	int r, order;

	r = read_pair(json, &scratch, &name, &value);
	if (!r)
		r = keep_xattr(arena, &name, &value, xattr);
	if (r)
		return r;
	order = before.name ? bt_name_compare(before.name, before.name_length, xattr->name, xattr->name_length) : -1;
	if (order >= 0)
		return bt_json_fail_at(json, begin, order ? BT_R_UNSORTED : BT_R_DUPLICATE_NAME);
	return 0;
}

static int gather_xattrs(struct bt_json *json, char *scratch, struct bt_arena *arena, struct bt_buf *items)
{
	struct bt_xattr xattr = {0};
	bool more = true;
	int r;

	if (bt_json_try(json, "]"))
		return bt_json_fail_at(json, json->at - 1, BT_R_BAD_XATTR);
	while (more) {
		r = read_xattr(json, scratch, arena, &xattr);
		if (!r)
			r = bt_buf_append(items, &xattr, sizeof(xattr));
		if (!r)
			r = bt_list_more(json, &more);
		if (r)
			return r;
	}
	return 0;
}

int bt_xattrs_read(struct bt_json *json, char *scratch, struct bt_arena *arena, const struct bt_xattr **ret_xattrs,
		   uint32_t *ret_count)
{
	struct bt_buf items = {0};
	const void *list = NULL;
	int r = bt_json_expect(json, "[");

	if (r)
		return r;
	r = gather_xattrs(json, scratch, arena, &items);
	if (!r)
		r = bt_list_keep(arena, &items, &list);
	if (!r) {
		*ret_xattrs = list;
		*ret_count = (uint32_t)(items.length / sizeof(struct bt_xattr));
	}
	bt_buf_free(&items);
	return r;
}

int bt_chunks_write(struct bt_buf *out, const struct bt_chunk *chunks, size_t count)
{
	bt_json_text(out, "[");
	for (size_t i = 0; i < count; i++) {
		bt_json_text(out, i ? ",[" : "[");
		bt_json_digest(out, &chunks[i].digest);
		bt_json_add_u64(out, ",", chunks[i].size);
		bt_json_text(out, "]");
	}
	bt_json_text(out, "]");
	return bt_buf_result(out);
}

int bt_holes_write(struct bt_buf *out, const struct bt_extent *holes, size_t count)
{
	bt_json_text(out, "[");
	for (size_t i = 0; i < count; i++) {
		bt_json_add_u64(out, i ? ",[" : "[", holes[i].offset);
		bt_json_add_u64(out, ",", holes[i].length);
		bt_json_text(out, "]");
	}
	bt_json_text(out, "]");
	return bt_buf_result(out);
}

static void write_xattr(struct bt_buf *out, const struct bt_xattr *xattr)
{
	bool text = bt_utf8_valid(xattr->name, xattr->name_length);

	if (text)
		bt_json_string(out, xattr->name, xattr->name_length);
	else
		bt_json_text(out, "null");
	bt_json_text(out, ",");
	bt_json_base64(out, xattr->value, xattr->value_length);
	if (!text) {
		bt_json_text(out, ",");
		bt_json_base64(out, xattr->name, xattr->name_length);
	}
}

int bt_xattrs_write(struct bt_buf *out, const struct bt_xattr *xattrs, size_t count)
{
	bt_json_text(out, "[");
	for (size_t i = 0; i < count; i++) {
		bt_json_text(out, i ? ",[" : "[");
		write_xattr(out, &xattrs[i]);
		bt_json_text(out, "]");
	}
	bt_json_text(out, "]");
	return bt_buf_result(out);
}
