/* SPDX-License-Identifier: MIT */
#include "model/owners.h"
#include "base/bytes.h"
#include "model/lists.h"
#include "json/write.h"

#include <string.h>

bool bt_owner_name_valid(const char *name, size_t length)
{
	if (!length || length > BT_OWNER_NAME_MAX || !bt_utf8_valid(name, length))
		return false;
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			return false;
	return true;
}

static void write_list(struct bt_buf *out, const char *open, const struct bt_owner_name *list, size_t count)
{
	bt_json_text(out, open);
	for (size_t i = 0; i < count; i++) {
		bt_json_add_u64(out, i ? ",[" : "[", list[i].id);
		bt_json_add_string(out, ",", list[i].name);
		bt_json_text(out, "]");
	}
	bt_json_text(out, "]");
}

int bt_owner_names_write(struct bt_buf *out, const struct bt_owner_names *names)
{
	write_list(out, "{\"users\":[", names->lists[BT_OWNER_USER], names->counts[BT_OWNER_USER]);
	write_list(out, ",\"groups\":[", names->lists[BT_OWNER_GROUP], names->counts[BT_OWNER_GROUP]);
	bt_json_text(out, "}");
	return bt_buf_result(out);
}

static int read_pair(struct bt_json *json, char *scratch, struct bt_arena *arena, struct bt_owner_name *ret_pair)
{
	struct bt_text name;
	const char *begin;
	uint64_t id;
	int r = bt_json_expect(json, "[");

	if (r)
		return r;
	begin = json->at;
	r = bt_json_read_u64(json, UINT64_MAX, &id);
	if (!r && id > UINT32_MAX - 1)
		return bt_json_fail_at(json, begin, BT_R_BAD_OWNER);
	if (!r)
		r = bt_json_expect(json, ",");
	if (r)
		return r;
	begin = json->at;
	r = bt_json_read_string(json, &scratch, &name);
	if (r)
		return r;
	if (!bt_owner_name_valid(name.bytes, name.length))
		return bt_json_fail_at(json, begin, BT_R_BAD_NAME);
	*ret_pair = (struct bt_owner_name){(uint32_t)id, bt_arena_copy(arena, name.bytes, name.length)};
	return ret_pair->name ? bt_json_expect(json, "]") : BT_E_NOMEM;
}

static int gather_pairs(struct bt_json *json, char *scratch, struct bt_arena *arena, struct bt_buf *items)
{
	struct bt_owner_name pair, before = {0};
	bool more = !bt_json_try(json, "]");
	int r;

	for (size_t count = 0; more; count++, before = pair) {
		const char *begin = json->at;

		if (count == BT_OWNER_NAMES_MAX)
			return bt_json_fail(json, BT_R_TOO_LARGE);
		r = read_pair(json, scratch, arena, &pair);
		if (r)
			return r;
		if (count && pair.id <= before.id)
			return bt_json_fail_at(json, begin, pair.id < before.id ? BT_R_UNSORTED : BT_R_DUPLICATE_NAME);
		r = bt_buf_append(items, &pair, sizeof(pair));
		if (!r)
			r = bt_list_more(json, &more);
		if (r)
			return r;
	}
	return 0;
}

static int read_list(struct bt_json *json, char *scratch, struct bt_arena *arena, struct bt_owner_names *names,
		     enum bt_owner_kind kind)
{
	struct bt_buf items = {0};
	const void *list = NULL;
	int r = bt_json_expect(json, "[");

	if (!r)
		r = gather_pairs(json, scratch, arena, &items);
	if (!r)
		r = bt_list_keep(arena, &items, &list);
	if (!r) {
		names->lists[kind] = list;
		names->counts[kind] = items.length / sizeof(struct bt_owner_name);
	}
	bt_buf_free(&items);
	return r;
}

int bt_owner_names_read(struct bt_json *json, char *scratch, struct bt_arena *arena, struct bt_owner_names *ret_names)
{
	struct bt_owner_names names = {0};
	int r = read_list(json, scratch, arena, &names, BT_OWNER_USER);

	if (!r)
		r = bt_json_key(json, "groups", false);
	if (!r)
		r = read_list(json, scratch, arena, &names, BT_OWNER_GROUP);
	if (r)
		return r;
	if (!names.counts[BT_OWNER_USER] && !names.counts[BT_OWNER_GROUP])
		return bt_json_fail_at(json, json->at - 1, BT_R_BAD_SIZE);
	*ret_names = names;
	return 0;
}
